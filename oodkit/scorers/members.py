"""Members of a combination: their names for people, and their parameters as plain values and back."""

from typing import Any

from oodkit.errors import InvalidInput
from oodkit.scorers import create, scorers
from oodkit.scorers.base import Scorer
from oodkit.scorers.saving import as_parameters

Member = str | Scorer


def name_of(member: Member) -> str:
    """The registry name, or the class of an instance."""
    return member if isinstance(member, str) else type(member).__name__


def described(member: Member) -> Any:
    """A member as JSON can hold it: its registry name, or that of an instance and its parameters.

    Raises:
        InvalidInput: its class is not registered, so that nothing could make it again.
    """
    if isinstance(member, str):
        return member
    target = f"{type(member).__module__}:{type(member).__qualname__}"
    name = next((name for name, entry in scorers.items() if entry.target == target), None)
    if name is None:
        raise InvalidInput(f"{type(member).__name__} cannot be saved within another scorer: it is not registered")
    return {"scorer": name, "parameters": member._parameters()}


def made_again(description: Any) -> Any:
    """The member that `described` described, not fitted; anything else as it is."""
    if not isinstance(description, dict):
        return description
    parameters = as_parameters(description["parameters"])
    if "members" in parameters:
        parameters["members"] = tuple(made_again(member) for member in parameters["members"])
    return create(description["scorer"], **parameters)
