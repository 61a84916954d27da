"""Why a figure may mislead: doubts that travel beside it."""

from collections.abc import Sequence

from oodkit.audit.audit import Audit
from oodkit.audit.baselines import FORMAT, LEARNED_ALL, LEARNED_PIXELS, Baseline
from oodkit.metrics.figure_doubts import UNDER_50, figure_doubts

MOST_ALIKE = 0.2  # of the in-images, above which a set is of simple pictures rather than full of copies
CLOSE = 0.02  # of AUROC, within which a trivial baseline is as good

# Wording of scorers' notes that tell of an assumption that fails, not of how a fit went.
OUTSIDE_ASSUMPTIONS = (
    "but the method is for",
    "all scores are equal",
    "singular",
    "in too few directions",
    "no principal directions",
    "no labels were given",
    "did not converge",
    "lies outside",
    "have no template",
    "no correctly predicted",
    "no positive energy",
    "directions cancel",
)
_OUT_NAMES = "names of OOD classes were used"


def doubts(
    *,
    auroc: float | None,
    n_in: int,
    n_out: int,
    auroc_ci: tuple[float, float] | None = None,
    ties: float | None = None,
    notes: Sequence[str] = (),
    audit: Audit | None = None,
    tuned_on_out: bool = False,
    digits: int = 1,
) -> tuple[str, ...]:
    """Lines that belong beside a figure, the gravest first; none where nothing speaks against it.

    Args:
        auroc: a fraction; None for a cell that failed, which has no doubts of its own.
        n_in: number of in-images scored.
        n_out: number of out-images scored.
        auroc_ci: its 95 % interval; None to estimate it by Hanley and McNeil from the AUROC and the numbers of images.
        ties: share of pairs of an in- and an out-image with equal scores.
        notes: what the scorer said about its fit.
        audit: of the pair; None where it was not audited.
        tuned_on_out: whether a hyper-parameter was chosen with images of the out-set.
        digits: decimals of per cent that a reader takes seriously. The number of images does not bear them where the
            interval is wider than ten units of the last.
    """
    if auroc is None:
        return ()
    of_figure = figure_doubts(auroc, n_in, n_out, auroc_ci, ties, digits)
    found = []
    if tuned_on_out:
        found.append("hyper-parameters were chosen with images of the out-set")
    if any(_OUT_NAMES in note for note in notes):
        found.append("it knows the names of the OOD classes")
    found += _of_pair(audit, auroc) if audit is not None else []
    found += [line for line in of_figure if line.startswith(UNDER_50)]
    found += [f"outside its assumptions: {note}" for note in notes if any(s in note for s in OUTSIDE_ASSUMPTIONS)]
    found += [line for line in of_figure if not line.startswith(UNDER_50)]
    return tuple(found)


def _of_pair(audit: Audit, auroc: float) -> list[str]:
    found = []
    if audit.shared_classes:
        first = audit.shared_classes[0]
        named = first.in_ if first.in_ == first.out else f"{first.in_} / {first.out}"
        found.append(f"{len(audit.shared_classes)} classes are in both sets by name, such as {named}")
    fitted = len({pair.in_digest for pair in audit.in_fit})
    if fitted > MOST_ALIKE * audit.n_in:
        same = len({pair.in_digest for pair in audit.in_fit if pair.identical})
        found.append(
            f"{100 * fitted / audit.n_in:.0f} % of the in-images look like one of the fit split, as simple pictures do "
            f"without being copies ({same:,} have the same bytes)"
        )
    if audit.in_out and fitted <= MOST_ALIKE * audit.n_in:
        n_in, n_out = (len({getattr(pair, side) for pair in audit.in_out}) for side in ("in_digest", "other_digest"))
        found.append(f"{n_in:,} in-images and {n_out:,} out-images are near-duplicates of each other")
    if 0 < fitted <= MOST_ALIKE * audit.n_in:
        share = 100 * fitted / audit.n_in
        found.append(f"{fitted:,} in-images ({share:.1f} %) have near-duplicates in the fit split")
    seen = [b for b in audit.baselines if not audit.same_resolution or b.kind == "pixels" or b.name == LEARNED_PIXELS]
    singles = [b for b in seen if b.kind != "learned"]
    for baseline in singles + [b for b in seen if b.kind == "learned"]:
        if _as_good(baseline, auroc):
            how = "" if baseline.auroc >= auroc else "nearly "
            found.append(f"{_said(baseline)} separates the pair {how}as well ({100 * baseline.auroc:.1f})")
            break
    return found


def _as_good(baseline: Baseline, auroc: float) -> bool:
    beats_chance = baseline.low is None or baseline.low > 0.5
    within = baseline.high is not None and baseline.high >= auroc
    return beats_chance and (within or baseline.auroc >= auroc - CLOSE)


def _said(baseline: Baseline) -> str:
    words = {
        FORMAT: "file format alone",
        LEARNED_ALL: "a classifier on trivial cues",
        LEARNED_PIXELS: "a classifier on trivial cues of the pixels",
    }
    return words.get(baseline.name, f"{baseline.name.replace('_', ' ')} alone")
