"""Files that a command will write, checked before it works for them."""

from pathlib import Path


def check_target_files(files: dict[str, Path | None]) -> None:
    """Refuse files that cannot be written.

    Args:
        files: by option; None where the option was not given.

    Raises:
        InvalidInput: a folder that is not there, or a folder in the place of a file.
    """
    from oodkit.errors import InvalidInput

    for option, path in files.items():
        if path is not None and not path.parent.is_dir():
            raise InvalidInput(f"there is no folder {str(path.parent)!r} for {option}; make it first")
        if path is not None and path.is_dir():
            raise InvalidInput(f"{option} {path} is a folder; name a file in it")
