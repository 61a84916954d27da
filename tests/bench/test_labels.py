"""What configurations are called."""

from oodkit.bench.labels import BackboneLabels, scorer_label
from tests.bench.records import make_record


def test_a_scorer_is_called_by_what_is_not_default():
    """The seed is no part of it; of a scorer that is not installed all parameters are shown."""
    assert scorer_label(make_record(params={"k": 1})) == "knn"
    assert scorer_label(make_record(params={"k": 5, "seed": 3})) == "knn(k=5)"
    assert scorer_label(make_record(scorer="gone", params={"a": 1})) == "gone(a=1)"


def test_a_backbone_is_called_by_what_tells_it_from_its_others():
    """Its name alone where it has one configuration; other backbones do not change that."""
    one, other = make_record(image_size=32), make_record(backbone="b", precision="bf16")
    assert BackboneLabels([one, other]).of(one) == "efficientnet_lite0"
    probe = make_record(image_size=64, provenance={"head_asked": "probe"})
    labels = BackboneLabels([one, other, probe])
    assert labels.of(one) == "efficientnet_lite0, 32 px, head as it comes"
    assert labels.of(probe) == "efficientnet_lite0, 64 px, head probe"
    assert labels.of(other) == "b"
