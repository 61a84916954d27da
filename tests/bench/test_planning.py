"""Plans: what will run is known before anything runs."""

import time
from dataclasses import replace

import pytest

from oodkit.bench.planning import make_plan
from oodkit.bench.running import run_plan
from oodkit.bench.suite import BackboneChoice, OwnSet, Pair, ScorerChoice
from oodkit.errors import InvalidInput, UnknownName
from tests.bench.conftest import TOWERS, paint


def test_a_plan_counts_cells_and_images(make_suite, options, results):
    """Every image once, whatever sets it is in; nothing is stored and nothing done."""
    plan = make_plan(make_suite(), options, results)
    assert len(plan.cells) == 4
    assert (plan.counts.images, plan.counts.to_embed, plan.counts.stored, plan.done) == (84, 84, 0, 0)
    assert plan.seconds is not None
    assert plan.seconds > 0


def test_what_was_run_is_done_and_stored(make_suite, options, results):
    """A second plan finds cells by their contents, without embedding."""
    run_plan(make_plan(make_suite(), options, results), results)
    plan = make_plan(make_suite(name="another"), options, results)
    assert (plan.done, plan.counts.stored, plan.counts.to_embed, plan.seconds) == (4, 84, 0, None)


def test_all_missing_sets_are_listed_with_where_to_get_them(make_suite, options, results):
    """Of the catalog, of the file, and backbones that cannot be loaded; the rest can be planned."""
    suite = make_suite(
        pairs=(Pair("warm", "cold"), Pair("warm", "svhn"), Pair("shelf", "cold")),
        sets={"shelf": OwnSet("shelf", "get it from a shelf")},
    )
    plan = make_plan(suite, options, results)
    assert set(plan.missing) == {"svhn", "shelf"}
    assert "ufldl.stanford.edu" in plan.missing["svhn"]
    assert "get it from a shelf" in plan.missing["shelf"]
    assert [str(pair) for pair in plan.skipped] == ["warm:svhn", "shelf:cold"]
    assert {str(cell.pair) for cell in plan.cells} == {"warm:cold"}


def test_lists_of_images_are_read_below_the_data_root(make_suite, options, results, tmp_path):
    """A path and a class index a line; a list that is not there is missing."""
    root = tmp_path / "root"
    paint(root / "images" / "a", "red", 4, 0)
    paint(root / "images" / "b", "green", 4, 1)
    (root / "lists").mkdir()
    for split, numbers in {"train": (0, 1), "test": (2, 3)}.items():
        lines = [f"{folder}/{n}.png {label}" for label, folder in enumerate("ab") for n in numbers]
        (root / "lists" / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    paint(root / "cold", "blue", 5, 2)
    listed = OwnSet("listed", "a page", "images", {"train": "lists/train.txt", "test": "lists/test.txt"})
    suite = make_suite(pairs=(Pair("listed", "cold"),), sets={"listed": listed})
    outcome = run_plan(make_plan(suite, replace(options, data_root=root), results), results)
    assert [(record.n_fit, record.n_in, record.n_out, record.error) for record in outcome.records] == [
        (4, 4, 5, None)
    ] * 2
    (root / "lists" / "test.txt").unlink()
    plan = make_plan(suite, replace(options, data_root=root), results)
    assert "test.txt is not there; a page" in plan.missing["listed"]


def test_a_line_that_is_no_path_and_class_is_named(make_suite, options, results, tmp_path):
    """With file and line."""
    paint(tmp_path / "root" / "images", "red", 2, 0)
    paint(tmp_path / "root" / "cold", "blue", 2, 0)
    (tmp_path / "root" / "list.txt").write_text("0.png 0\n1.png\n", encoding="utf-8")
    listed = OwnSet("listed", "a page", "images", {"test": "list.txt"})
    suite = make_suite(pairs=(Pair("listed", "cold"),), sets={"listed": listed})
    plan = make_plan(suite, replace(options, data_root=tmp_path / "root"), results)
    assert "list.txt, line 2: not a path and a class index" in plan.missing["listed"]


def test_a_scorer_that_can_run_nowhere_is_refused_with_its_line(make_suite, options, results):
    """Before anything runs."""
    suite = make_suite(scorers=(ScorerChoice("knn"), ScorerChoice("mcm", where="some.yaml, line 7")))
    with pytest.raises(
        InvalidInput, match=r"some\.yaml, line 7: scorer mcm can run nowhere in this suite: .*image-text"
    ):
        make_plan(suite, options, results)


def test_a_scorer_that_one_backbone_lacks_is_left_out_there(make_suite, options, results):
    """And named; it runs with the other backbone."""
    suite = make_suite(
        backbones=(BackboneChoice(f"{TOWERS}:plain"), BackboneChoice(f"{TOWERS}:clip")),
        scorers=(ScorerChoice("knn"), ScorerChoice("mcm", where="some.yaml, line 7")),
    )
    plan = make_plan(suite, options, results)
    cells = [(cell.backbone.name.rpartition(":")[2], cell.scorer.name) for cell in plan.cells]
    assert set(cells) == {("plain", "knn"), ("clip", "knn"), ("clip", "mcm")}
    assert any(line.startswith("mcm with ") and "plain on warm" in line for line in plan.left_out)


def test_all_scorers_are_those_that_can_run_and_use_no_names_of_out_classes(make_suite, options, results):
    """As in an evaluation."""
    plan = make_plan(make_suite(scorers=(ScorerChoice("all"),)), options, results)
    names = {cell.scorer.name for cell in plan.cells}
    assert {"knn", "msp", "mahalanobis"} <= names
    assert not {"mcm", "in_out_names"} & names


def test_seeds_multiply_only_what_they_change(make_suite, options, results):
    """With splits of their own a scorer that draws nothing has one cell; where a split is halved, one per seed."""
    seeded = make_suite(seeds=(0, 1, 2), scorers=(ScorerChoice("knn"), ScorerChoice("ssd")))
    counts = [cell.scorer.name for cell in make_plan(seeded, options, results).cells if cell.pair.out == "cold"]
    assert sorted(counts) == ["knn", "ssd", "ssd", "ssd"]
    halved = replace(seeded, pairs=(Pair("cold", "plain"),))
    assert len(make_plan(halved, options, results).cells) == 6
    assert len(make_plan(replace(seeded, limit=5), options, results).cells) == 12


def test_shards_share_the_cells_out(make_suite, options, results):
    """Each cell is in one part, and a scorer's out-sets stay together."""
    suite = make_suite(scorers=tuple(ScorerChoice(name) for name in ("knn", "msp", "energy", "entropy", "max_logit")))
    whole = make_plan(suite, options, results).cells
    parts = [make_plan(suite, replace(options, shard=(part, 3)), results).cells for part in (1, 2, 3)]
    assert sorted(cell.key or "" for part in parts for cell in part) == sorted(cell.key or "" for cell in whole)
    names = [{cell.scorer.name for cell in part} for part in parts]
    assert sum(map(len, names)) == len(set.union(*names)) == 5


def test_a_pair_of_the_same_images_is_refused(make_suite, options, results):
    """Before anything is embedded."""
    with pytest.raises(InvalidInput, match="are the same images"):
        make_plan(make_suite(pairs=(Pair("warm", "warm"),)), options, results)


def test_a_class_that_no_set_has_is_refused(make_suite, options, results):
    """A slip of the pen is no missing data."""
    with pytest.raises(UnknownName, match="purple"):
        make_plan(make_suite(pairs=(Pair("warm", "cold@purple"),)), options, results)


def test_ten_thousand_cells_are_planned_in_under_two_seconds(make_suite, options, results, tmp_path):
    """Cells cost a hash each; sets are looked at once."""
    root = tmp_path / "many"
    for number in range(10):
        paint(root / f"in{number}" / "train" / "red", "red", 2, number)
        paint(root / f"in{number}" / "train" / "green", "green", 2, 50 + number)
        paint(root / f"in{number}" / "test" / "red", "red", 2, 100 + number)
        paint(root / f"out{number}" / "blue", "blue", 2, 200 + number)
    suite = make_suite(
        pairs=tuple(Pair(f"in{i}", f"out{j}") for i in range(10) for j in range(10)),
        scorers=tuple(ScorerChoice("knn", {"k": k}, where=str(k)) for k in range(1, 101)),
    )
    options = replace(options, data_root=root)
    started = time.perf_counter()
    plan = make_plan(suite, options, results, trial=False)
    seconds = time.perf_counter() - started
    assert len(plan.cells) == 10_000
    assert seconds < 10  # under two on a quiet machine; a busy one must not fail a test


def test_views_that_a_scorer_takes_are_counted_and_part_of_its_key(make_suite, options, results):
    """24 fit images through two views more; stored after the run; other numbers of views are other cells."""
    few = {"epochs": 1}
    suite = make_suite(scorers=(ScorerChoice("knn"), ScorerChoice("semsad", few, where="a file, line 1")))
    plan = make_plan(suite, options, results)
    assert (plan.counts.images, plan.counts.to_embed) == (84, 84 + 2 * 24)
    outcome = run_plan(plan, results)
    assert [record.error for record in outcome.records] == [None] * 4
    assert outcome.embedded == 84 + 2 * 24
    again = make_plan(suite, options, results)
    assert (again.done, again.counts.stored, again.counts.to_embed) == (4, 84 + 2 * 24, 0)
    more = replace(suite, scorers=(ScorerChoice("semsad", {**few, "mild_views": 2}, where="a file, line 1"),))
    plan = make_plan(more, options, results)
    assert (plan.done, plan.counts.to_embed) == (0, 24)


def test_all_leaves_out_what_is_trained_on_views(make_suite, options, results):
    """It would embed each fit image several times more; named, it runs."""
    plan = make_plan(make_suite(scorers=(ScorerChoice("all"),)), options, results, trial=False)
    assert "semsad" not in {cell.scorer.name for cell in plan.cells}
    assert any("semsad" in line and "through 2 views more; name it to run it" in line for line in plan.left_out)
    assert plan.counts.to_embed == 84
