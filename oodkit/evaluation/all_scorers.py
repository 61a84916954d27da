"""Which scorers run only where they are named, though "all" was asked for."""

from oodkit.scorers.base import Need, Scorer


def only_by_name(model: Scorer) -> str | None:
    """Why a scorer is no part of "all", as the rest of a sentence; None where it is."""
    if Need.OUT_TEXT in model.needs:
        return "it uses names of the OOD classes; name it to run it"
    if Need.AUX in model.needs:
        return "it is trained on an auxiliary set; name it to run it"
    if Need.VIEWS in model.needs:
        count = len(model.view_names())
        return f"it is trained, and embeds each fit image through {count} views more; name it to run it"
    return None
