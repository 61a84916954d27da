"""A suite with other backbones, scorers or fewer pairs, as the command line asks for it."""

from collections.abc import Sequence
from dataclasses import replace

from oodkit.bench.suite import ALL, BackboneChoice, ScorerChoice, Suite
from oodkit.errors import InvalidInput, nearest_names
from oodkit.scorers import create
from oodkit.views import views


def select(
    suite: Suite,
    *,
    backbones: Sequence[str] = (),
    scorers: Sequence[str] = (),
    pairs: Sequence[str] = (),
    limit: int | None = None,
    image_size: int | None = None,
    view: str | None = None,
) -> Suite:
    """The suite with what is named in place of its own; expected figures go where contents change.

    Args:
        suite: as its file has it.
        backbones: names; one of the suite keeps its settings. None for the suite's.
        scorers: registry names or "all"; one of the suite keeps its parameters. None for the suite's.
        pairs: IN:OUT words; only these of the suite's are kept. None for all.
        limit: at most so many images of each set, in place of the suite's.
        image_size: of all backbones, in place of their own.
        view: in place of the suite's; "resolution32" brings all images to one source resolution first.

    Raises:
        InvalidInput: the suite has no such pair, or nothing is left to run.
        UnknownName: no such scorer or view.
    """
    chosen = replace(
        suite,
        backbones=_backbones(suite, backbones),
        scorers=_scorers(suite, scorers),
        pairs=tuple(pair for pair in suite.pairs if str(pair) in _pairs(suite, pairs)),
    )
    if limit is not None:
        chosen = replace(chosen, limit=limit, expected=())
    if image_size is not None:
        resized = tuple(replace(choice, image_size=image_size) for choice in chosen.backbones)
        chosen = replace(
            chosen, backbones=resized, is_resized=True, expected=chosen.expected if resized == suite.backbones else ()
        )
    if view is not None and view != suite.view:
        _ = views[view]
        chosen = replace(chosen, view=view, expected=())
    return chosen


def _pairs(suite: Suite, words: Sequence[str]) -> set[str]:
    known = [str(pair) for pair in suite.pairs]
    for word in words:
        if word not in known:
            near = nearest_names(word, known)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has: {', '.join(known)}"
            raise InvalidInput(f"suite {suite.name} has no pair {word!r} (written IN:OUT); {hint} --file takes others")
    return set(words or known)


def _backbones(suite: Suite, names: Sequence[str]) -> tuple[BackboneChoice, ...]:
    if not names:
        return suite.backbones
    own = [choice for choice in suite.backbones if choice.name in names]
    known = {choice.name for choice in own}
    return (*own, *(BackboneChoice(name) for name in dict.fromkeys(names) if name not in known))


def _scorers(suite: Suite, names: Sequence[str]) -> tuple[ScorerChoice, ...]:
    if not names:
        return suite.scorers
    own = [choice for choice in suite.scorers if choice.name in names]
    known = {choice.name for choice in own}
    others = [name for name in dict.fromkeys(names) if name not in known]
    for name in others:
        if name != ALL:
            create(name)
    return (*own, *(ScorerChoice(name, where="--scorer") if name != ALL else ScorerChoice(ALL) for name in others))
