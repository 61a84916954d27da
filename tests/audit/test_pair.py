"""An audit of a pair of sets, once."""

import json

import pytest

from oodkit.audit import Audit, audit_pair
from oodkit.audit import pair as pair_module
from oodkit.audit.contact_sheet import contact_sheet
from oodkit.audit.page import audit_page
from oodkit.data import load_dataset
from oodkit.errors import InvalidInput


@pytest.fixture
def sets(photo_folder, tmp_path, photograph):
    """In-test, out and in-train; an out-image is a mirrored in-image, and a fit image is a test image."""
    other = tmp_path / "other"
    for name in ("B", "c"):
        (other / name).mkdir(parents=True)
        for number in range(6):
            photograph(700 + ord(name) + 10 * number, 40, 40).save(other / name / f"{number}.jpg", quality=70)
    test = load_dataset(f"{photo_folder}:test")
    test.open(3).transpose(0).save(other / "c" / "copy.png")
    (photo_folder / "train" / "a" / "copy.png").write_bytes(test.read(5))
    return test, load_dataset(str(other)), load_dataset(f"{photo_folder}:train")


def test_it_finds_what_misleads(sets):
    """Baselines, duplicates on either side, shared names."""
    test, out, fit = sets
    found = audit_pair(test, out, fit_images=fit)
    assert (found.n_in, found.n_out, found.n_fit) == (20, 13, 21)
    assert (test.ids[3], "c/copy.png", True) in [(p.in_id, p.other_id, p.mirrored) for p in found.in_out]
    assert (test.ids[5], True) in [(p.in_id, p.identical) for p in found.in_fit]
    assert [(s.in_, s.out) for s in found.shared_classes] == [("b", "B")]
    by_name = {b.name: b for b in found.baselines}
    assert by_name["format"].auroc == 0.5 + 0.5 * 12 / 13
    assert by_name["width"].higher == "out"
    assert found.excluded()[test.digest(5)] == ("in", test.ids[5])
    assert ("out", "c/copy.png") in found.excluded().values()


def test_it_is_kept_and_read_again(sets, monkeypatch):
    """The second call computes nothing and gives an equal audit; other images give another one."""
    test, out, fit = sets
    first = audit_pair(test, out, fit_images=fit)
    assert Audit.from_dict(json.loads(json.dumps(first.to_dict()))) == first
    monkeypatch.setattr(pair_module, "baselines", None)
    assert audit_pair(test, out, fit_images=fit) == first
    with pytest.raises(TypeError):
        audit_pair(test, out.subset(range(5)), fit_images=fit)


def test_what_is_kept_and_damaged_is_made_again(sets, tmp_path):
    """Neither facts nor audits are trusted blindly."""
    test, out, _ = sets
    first = audit_pair(test, out, cache=tmp_path / "store")
    kept = list((tmp_path / "store" / "audits").iterdir())
    assert {path.suffix for path in kept} == {".npz", ".json"}
    for path in kept:
        path.write_bytes(path.read_bytes()[:100])
    assert audit_pair(test, out, cache=tmp_path / "store") == first


def test_one_source_resolution(sets):
    """Cues of the pixels are those of the shrunk images; an image that is smaller is counted and said."""
    test, out, _ = sets
    found = audit_pair(test, out, source_resolution=16)
    assert found.source_resolution == 16
    assert found.same_resolution
    before = {b.name: b.typical_out for b in audit_pair(test, out).baselines}
    after = {b.name: b.typical_out for b in found.baselines}
    assert after["width"] == before["width"]
    assert after["sharpness"] > before["sharpness"]
    small = audit_pair(test, out, source_resolution=30)
    assert small.smaller == 21
    assert not small.same_resolution
    assert any("21 images are smaller than 30 px" in note for note in small.notes)
    with pytest.raises(InvalidInput, match="source resolution"):
        audit_pair(test, out, source_resolution=0)


def test_features_help(sets, tiny_name):
    """With a backbone, candidates come from its features too; what the hash finds stays."""
    test, out, _ = sets
    without = {(p.in_id, p.other_id) for p in audit_pair(test, out).in_out}
    found = audit_pair(test, out, backbone=tiny_name)
    assert without <= {(p.in_id, p.other_id) for p in found.in_out}
    assert found.provenance["backbone"] is not None


def test_the_page_and_the_pictures(sets):
    """One page without scripts or links, with names escaped; two pictures a pair."""
    test, out, fit = sets
    test.name = "<in>"
    found = audit_pair(test, out, fit_images=fit)
    sheet = contact_sheet(found.in_out, test, out)
    assert sheet.width > 2 * 112
    page = audit_page(found, {"in_out": sheet})
    assert "&lt;in&gt;" in page
    assert "<in>" not in page
    assert page.count("data:image/png") == 1
    assert "c/copy.png" in page
    assert not {"<script", "http:", "https:"} & set(page.split('"'))
    assert "http" not in page.replace("data:image/png;base64", "")[:2000]
