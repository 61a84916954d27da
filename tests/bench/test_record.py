"""Records: there and back through JSON, and what a place is."""

import json
from dataclasses import replace

from oodkit.bench.record import Expected, Record, Reported
from tests.bench.records import make_record


def test_a_record_survives_json():
    """What is written as JSON is read back equal, with intervals and figures as they were."""
    record = make_record(
        reported=(Reported(0.876, "a paper", "1-NN", "sighted", "1-NN"),), expected=Expected(0.75, 0.001)
    )
    assert Record.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_a_failed_record_survives_json():
    """A record without metrics is read back equal."""
    record = make_record(auroc=None, auroc_ci=None, error="no head", head=None)
    assert Record.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_unknown_keys_are_left_out():
    """A record that was written with more fields can be read."""
    record = make_record()
    assert Record.from_dict({**record.to_dict(), "colour": "red"}) == record


def test_a_place_is_made_of_names_and_not_of_contents():
    """Contents (the key, what came out) leave the place as it is; a name, parameter, seed or limit changes it."""
    record = make_record()
    assert replace(record, key="other", auroc=0.1, finished="later").place == record.place
    assert replace(record, seed=1).place != record.place
    assert replace(record, params={"k": 2}).place != record.place
    assert replace(record, provenance={"limit": 10}).place != record.place
