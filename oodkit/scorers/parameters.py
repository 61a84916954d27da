"""Parameters of scorers as users type them: text to the types that `__init__` declares."""

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from oodkit.errors import InvalidInput, nearest_names


def check_names(scorer: str, cls: Callable[..., Any], names: Iterable[str]) -> None:
    """Raise InvalidInput for a name that is no parameter of the class; the message has the nearest names.

    Args:
        scorer: registry name, for the message.
        cls: the scorer's class, or what makes one.
        names: parameter names to check.
    """
    known = list(inspect.signature(cls).parameters)
    for name in names:
        if name not in known:
            near = nearest_names(name, known)
            hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise InvalidInput(f"scorer {scorer!r} has no parameter {name!r}; {hint}{takes}")


def parse(scorer: str, cls: Callable[..., Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Values of parameters that were given as text, by the annotations of the class's `__init__`.

    Args:
        scorer: registry name, for messages.
        cls: the scorer's class, or what makes one.
        texts: parameter names to text: "5", "0.1", "true", "none" where the annotation allows None, "a,b" for a tuple.
            Without an annotation, text that reads as a number, true, false, none or a Python literal is that.

    Raises:
        InvalidInput: an unknown parameter, or text that is not of its type.
    """
    check_names(scorer, cls, texts)
    hints = get_type_hints(cls.__init__) if isinstance(cls, type) else {}  # type: ignore[misc]  # the class is asked
    return {name: _value(f"{scorer}.{name}", text, hints.get(name, Any)) for name, text in texts.items()}


def _value(name: str, text: str, annotation: Any) -> Any:
    if annotation is Any:
        return _literal(text)
    if get_origin(annotation) is tuple:
        return tuple(_value(name, part.strip(), get_args(annotation)[0]) for part in text.split(","))
    if get_origin(annotation) in (Union, UnionType):
        options = get_args(annotation)
        if NoneType in options and text.lower() == "none":
            return None
        return _first_that_fits(name, text, [option for option in options if option is not NoneType])
    if get_origin(annotation) is Literal:
        by_text = {str(option): option for option in get_args(annotation)}
        if text in by_text:
            return by_text[text]
        raise InvalidInput(f"{name} must be one of {', '.join(by_text)}, got {text!r}")
    if annotation is bool:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise InvalidInput(f"{name} must be true or false, got {text!r}")
    if annotation in (int, float):
        try:
            return annotation(text)
        except ValueError:
            kind = "an integer" if annotation is int else "a number"
            raise InvalidInput(f"{name} must be {kind}, got {text!r}") from None
    return text


def _first_that_fits(name: str, text: str, annotations: list[Any]) -> Any:
    errors = []
    for annotation in annotations:
        try:
            return _value(name, text, annotation)
        except InvalidInput as error:
            errors.append(str(error))
    raise InvalidInput(errors[0])


def _literal(text: str) -> Any:
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
