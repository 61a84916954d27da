"""Cards from TOML files: nothing that is unknown, missing or of the wrong kind gets through."""

import re
import tomllib
from pathlib import Path
from types import MappingProxyType

from oodkit.data.card import CLASS_LISTS, SOURCES, Card, RemoteFile, TorchvisionParts
from oodkit.data.toml_table import Table
from oodkit.errors import InvalidInput

_HEX_DIGITS = {"sha256": 64, "md5": 32}


def read_card(path: Path) -> Card:
    """Read and check one card.

    Raises:
        InvalidInput: not TOML, or a key that is unknown, missing or of the wrong kind; the message names both.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not a card: {error}") from error
    table = Table(content, str(path))
    splits = table.table("splits")
    names = tuple(splits)
    card = Card(
        name=path.stem,
        title=table.text("title"),
        homepage=table.text("homepage"),
        license=table.text("license"),
        citation=table.text("citation"),
        pixels=table.text("pixels"),
        classes=table.count("classes"),
        splits=MappingProxyType({name: splits.required_count(name) for name in names}),
        default_split=table.choice("default_split", names),
        notes=table.texts("notes"),
        put_by_hand=table.text("put_by_hand", default=""),
        source=table.text("source"),
        files=tuple(_remote_file(file, names) for file in table.tables("files")),
        wnids=table.table("wnids").all_texts(),
        drop_classes=table.texts("drop_classes"),
        class_list=table.choice("class_list", _class_lists()),
        torchvision=_torchvision_parts(table, names),
    )
    table.close()
    _check(card, table)
    return card


def _remote_file(table: Table, splits: tuple[str, ...]) -> RemoteFile:
    file = RemoteFile(
        url=table.text("url"),
        sha256=table.text("sha256", default=None),
        md5=table.text("md5", default=None),
        checksum_from=table.text("checksum_from"),
        size=table.count("bytes"),
        splits=table.texts("splits") or None,
        keep=table.text("keep", default=None),
        unpack=table.table("unpack").all_texts(),
        arrange=table.text("arrange", default=None),
    )
    table.close()
    if not file.url.startswith(("http://", "https://")):
        raise table.wrong("url", "must begin with http:// or https://")
    for key, digits in _HEX_DIGITS.items():
        checksum = getattr(file, key)
        if checksum is not None and not re.fullmatch(f"[0-9a-f]{{{digits}}}", checksum):
            raise table.wrong(key, f"is not a checksum of {digits} hex digits in lower case: {checksum!r}")
    if (file.keep is None) == (not file.unpack):
        raise table.wrong("keep", "and unpack: one of the two must be there, not both")
    for target in file.targets:
        if target.startswith("/") or ".." in target.split("/"):
            raise table.wrong("unpack" if file.unpack else "keep", f"leads out of the data root: {target!r}")
    if file.splits and not set(file.splits) <= set(splits):
        raise table.wrong("splits", f"names a split that the card does not have; it has: {', '.join(splits)}")
    return file


def _torchvision_parts(table: Table, splits: tuple[str, ...]) -> TorchvisionParts | None:
    inner = table.table("torchvision")
    if not inner:
        return None
    class_name, images = inner.text("class"), inner.text("images", default="")
    parts = inner.table("splits")
    arguments = {name: tuple(part.all() for part in parts.tables(name)) for name in splits}
    parts.close()
    inner.close()
    if not all(arguments.values()):
        raise inner.wrong("splits", f"must have arguments for each of: {', '.join(splits)}")
    return TorchvisionParts(class_name, images, MappingProxyType(arguments))


def _check(card: Card, table: Table) -> None:
    if card.source not in SOURCES:
        raise table.wrong("source", f"must be one of {', '.join(SOURCES)}")
    if not card.splits:
        raise table.wrong("splits", "is empty")
    if (card.source == "torchvision") != (card.torchvision is not None):
        raise table.wrong("torchvision", "must be there for the source torchvision, and for no other")
    if not card.files and not card.put_by_hand:
        raise table.wrong("put_by_hand", "is missing, and so are files: one of the two must say how to get it")


def _class_lists() -> tuple[str, ...]:
    return tuple(path.stem for path in CLASS_LISTS.glob("*.txt"))
