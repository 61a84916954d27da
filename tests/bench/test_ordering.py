"""The order of a table."""

from oodkit.bench.ordering import in_suite_order
from oodkit.bench.suite import BackboneChoice, Pair, ScorerChoice, Suite
from tests.bench.records import make_record


def test_records_stand_as_their_suite_lists_them():
    """Pairs, then backbones, then scorers; what the suite does not list comes last, as it came."""
    pairs = (Pair("z", "b"), Pair("z", "a"), Pair("a", "z"))
    scorers = (ScorerChoice("msp"), ScorerChoice("knn"))
    suite = Suite("s", "", "", pairs, (BackboneChoice("two"), BackboneChoice("one")), scorers)
    wanted = [
        ("z", "b", "two", "msp"),
        ("z", "b", "two", "knn"),
        ("z", "b", "one", "msp"),
        ("z", "a", "two", "msp"),
        ("z", "a", "two", "zzz"),
        ("z", "a", "two", "aaa"),
        ("a", "z", "other", "msp"),
        ("x", "y", "two", "msp"),
    ]
    names = ("in_", "out", "backbone", "scorer")
    records = [make_record(suite="s", **dict(zip(names, one, strict=True))) for one in wanted]
    given = [records[i] for i in (7, 4, 5, 6, 3, 2, 1, 0)]
    assert in_suite_order(given, [suite]) == records


def test_suites_stand_in_the_given_order():
    """One that is not given comes last, and its records keep their order."""
    first, second = (Suite(name, "", "", (), (), ()) for name in ("b", "a"))
    records = [make_record(suite=name, scorer=scorer) for name in ("b", "a", "c") for scorer in ("knn", "energy")]
    assert in_suite_order([*records[4:], *records[2:4], *records[:2]], [first, second]) == records
