"""Whatever is sent, the server answers, in one line where it refuses, and goes on."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("oodkit.serving", exc_type=ImportError)

from tests.serving.calling import form

MUTATIONS = 500
KNOWN = {200, 400, 413, 415, 422}


def test_the_server_keeps_to_its_own_schema(server):
    """schemathesis makes requests of it, and every answer is one that the schema has.

    It cannot know which bytes are an image, so a refusal of what the schema allows is no fault.
    """
    schemathesis = pytest.importorskip("schemathesis")
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy())
        @settings(max_examples=30, deadline=None)
        def ask(case):
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        ask()


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_mutated_images(server, photos):
    """Bytes changed, cut, doubled or put in of every format: a verdict or one line, and no fault."""
    rng = np.random.default_rng(0)
    wholes = [_encoded(photos.contents[1], kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")]
    seen = set()
    for number in range(MUTATIONS):
        data = bytearray(wholes[number % len(wholes)])
        for _ in range(int(rng.integers(1, 6))):
            place = int(rng.integers(0, len(data)))
            match int(rng.integers(0, 4)):
                case 0:
                    data[place] = int(rng.integers(0, 256))
                case 1:
                    del data[place : place + int(rng.integers(1, 20))]
                case 2:
                    data[place:place] = rng.bytes(int(rng.integers(1, 20)))
                case 3:
                    data = data[: place + 1] + data
        status, answer = server.send((f"{number}.img", bytes(data)))
        _check(status, answer)
        seen.add(status)
    assert seen == {200, 422}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["images", "data", "name"]), inner),
    max_leaves=12,
)


@settings(max_examples=150)
@given(
    body=st.binary(max_size=300) | JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    kind=st.sampled_from(
        ["application/json", "multipart/form-data; boundary=edge", "multipart/form-data", "text/html", "multipart/\xff"]
    ),
    query=st.sampled_from(["", "?neighbours=0", "?neighbours=x", "?neighbours=99999999999999999999", "?a=%ff"]),
)
def test_bodies_of_any_kind(server, body, kind, query):
    """JSON of any shape, bytes of any sort, under any content type."""
    _check(*server.json("POST", f"/predict{query}", body=body, headers={"Content-Type": kind}))


@settings(max_examples=150)
@given(data=st.data())
def test_forms_with_a_fault(server, photos, data):
    """A good form in which some bytes are changed, wherever they are."""
    body, headers = form(photos.files[:2])
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    _check(*server.json("POST", "/predict", body=bytes(damaged), headers=headers))


def _check(status, answer):
    assert status in KNOWN, answer
    if status != 200:
        assert list(answer) == ["error"]
        assert "\n" not in answer["error"]


def _encoded(content, kind):
    buffer = io.BytesIO()
    Image.open(io.BytesIO(content)).save(buffer, kind)
    return buffer.getvalue()
