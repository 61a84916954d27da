"""`--shard I/N`: one of N equal parts of the work, each run by a process of its own."""


def parse_shard(text: str | None) -> tuple[int, int]:
    """(i, n) of "I/N"; (1, 1), all of it, for None.

    Raises:
        InvalidInput: not two numbers with 1 <= I <= N.
    """
    from oodkit.errors import InvalidInput

    if text is None:
        return 1, 1
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise InvalidInput(f"--shard must be I/N with 1 <= I <= N, such as 1/4, got {text!r}")
    return int(part), int(parts)
