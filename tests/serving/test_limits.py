"""Bounds that nothing could pass are refused."""

import pytest

from oodkit.errors import InvalidInput

pytest.importorskip("oodkit.serving", exc_type=ImportError)

from oodkit.serving import Limits
from oodkit.serving.admission import Admission, Full


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"body_bytes": 0}, "body_bytes must be at least 1"),
        ({"batch": -1}, "batch must be at least 1"),
        ({"delay_seconds": -0.1}, "delay_seconds must lie between 0 and 10"),
        ({"queue": 10}, "a queue of 10 images never has room for a request of 64"),
    ],
)
def test_a_limit_that_cannot_work_is_refused(wrong, words):
    """One line says which."""
    with pytest.raises(InvalidInput, match=words):
        Limits(**wrong)


def test_room_is_given_back():
    """Also where the block fails; and what does not fit changes nothing."""
    admission = Admission(3)
    with admission.admit(2), pytest.raises(Full), admission.admit(2):
        pass
    assert admission.inside == 0
    with pytest.raises(KeyError), admission.admit(3):
        raise KeyError
    assert admission.inside == 0
