"""Views and auxiliary images, as scorers get them."""

import pytest

from oodkit.errors import InvalidInput
from oodkit.evaluation import evaluate


@pytest.mark.parametrize("negatives", ["aux", "both"])
def test_negatives_that_are_not_there_are_missed_before_anything_is_embedded(painted, network, tmp_path, negatives):
    """Parameters can ask for an auxiliary set: one line, and an empty store."""
    with pytest.raises(InvalidInput, match=r"scorer selfdistill cannot run here: it needs an auxiliary set .* --aux D"):
        evaluate(
            str(painted / "in"),
            str(painted / "out"),
            backbone=network("plain"),
            scorers="selfdistill",
            params={"selfdistill": {"negatives": negatives}},
            cache=tmp_path / "store",
        )
    assert not [path for path in (tmp_path / "store" / "shards").rglob("*") if path.is_file()]
