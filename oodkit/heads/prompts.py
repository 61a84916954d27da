"""Prompts: sentences around class names, for text towers."""

from collections import Counter
from collections.abc import Iterable, Sequence

from oodkit.errors import InvalidInput

SINGLE_PROMPT = ("a photo of a {}.",)
PROMPT_ENSEMBLE = (
    "a photo of a {}.",
    "a blurry photo of a {}.",
    "a photo of many {}.",
    "a photo of the large {}.",
    "a photo of the small {}.",
)


def fill_prompts(class_names: Sequence[str], prompts: Sequence[str], *, clean_names: bool = False) -> list[list[str]]:
    """Every prompt with every name.

    Args:
        class_names: different names, none empty.
        prompts: sentences with `{}` where the name belongs.
        clean_names: write underscores as spaces; published results keep them.

    Returns:
        A list per class, with a text per prompt.

    Raises:
        InvalidInput: a prompt without `{}`, no prompts, no names, names that are empty or not different, or anything
            but lists of texts.
    """
    prompts = texts_of(prompts, "prompts")
    if not prompts:
        raise InvalidInput("no prompts were given; give at least one, such as 'a photo of a {}.'")
    for prompt in prompts:
        if "{}" not in prompt:
            raise InvalidInput(f"the prompt {prompt!r} has no {{}} where the class name belongs; write it in")
    names = [clean_name(name) if clean_names else name for name in texts_of(class_names, "class names")]
    _check_names(names)
    return [[prompt.replace("{}", name) for prompt in prompts] for name in names]


def texts_of(values: Iterable[str], name: str) -> tuple[str, ...]:
    """Texts as a tuple.

    Args:
        values: a list or other iterable of texts; a text alone would be taken apart into its letters.
        name: what messages call them, such as "class names".

    Raises:
        InvalidInput: a text alone, not iterable, or something in it is not a text.
    """
    if isinstance(values, str):
        raise InvalidInput(f"{name} must be a list of texts, got the text {values!r}; write [{values!r}]")
    if not isinstance(values, Iterable):
        raise InvalidInput(f"{name} must be a list of texts, got {type(values).__name__}")
    texts = tuple(values)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidInput(f"{name} must be texts, but number {position} is {type(text).__name__}; write it as one")
    return texts


def clean_name(name: str) -> str:
    """A class name as people write it: "aquarium_fish" is "aquarium fish"."""
    return " ".join(name.replace("_", " ").split())


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise InvalidInput("no class names were given; give one per class")
    for position, name in enumerate(names):
        if not name.strip():
            raise InvalidInput(f"class name {position} is empty; give every class a name")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        shown = ", ".join(map(repr, twice[:3]))
        raise InvalidInput(f"{len(twice)} class names stand for several classes ({shown}); tell these apart by name")
