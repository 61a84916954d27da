"""Archives of strangers: what is unpacked, what is refused, and that nothing lands outside."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from oodkit.data.archive import unpack
from oodkit.errors import InvalidInput


def tar_of(path: Path, *members: tarfile.TarInfo | tuple[str, bytes], mode: str = "w:gz") -> Path:
    """Write a tar with files (name and content) and members of any kind."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_of(path: Path, *files: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files:
            info = zipfile.ZipInfo("x")
            info.filename = name  # as it is: the constructor would tidy it up
            zipped.writestr(info, content)
    return path


def refused(archive: Path, folder: Path) -> str:
    """The message of an archive that must be refused; all there is must still lie beside or in the folder."""
    before = {path for path in folder.parent.rglob("*") if folder not in path.parents}
    with pytest.raises(InvalidInput) as caught:
        unpack(archive, folder)
    after = {path for path in folder.parent.rglob("*") if folder not in path.parents}
    assert after - before <= {folder}
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip", "a"])
def test_a_tar_is_known_by_its_content(tmp_path: Path, mode: str, name: str) -> None:
    """Published names lie: a plain tar is called .tar.gz and the other way round."""
    archive = tar_of(tmp_path / name, ("top/a.jpg", b"A"), ("top/sub/b.jpg", b"B"), mode=mode)

    unpack(archive, tmp_path / "out")

    assert (tmp_path / "out/top/a.jpg").read_bytes() == b"A"
    assert (tmp_path / "out/top/sub/b.jpg").read_bytes() == b"B"


def test_a_zip_is_unpacked(tmp_path: Path) -> None:
    """With its folders."""
    unpack(zip_of(tmp_path / "a.zip", ("top/a.jpg", b"A"), ("top/sub/", b"")), tmp_path / "out")

    assert (tmp_path / "out/top/a.jpg").read_bytes() == b"A"
    assert (tmp_path / "out/top/sub").is_dir()


def test_a_gz_of_one_file_is_unpacked_under_its_name(tmp_path: Path) -> None:
    """MNIST comes so: images.gz becomes images."""
    (tmp_path / "images.gz").write_bytes(gzip.compress(b"pixels"))

    unpack(tmp_path / "images.gz", tmp_path / "out")

    assert (tmp_path / "out/images").read_bytes() == b"pixels"


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    """A zip is looked for at the end of a file, where this one has one."""
    inner = zip_of(tmp_path / "inner.zip", ("wrong.txt", b"")).read_bytes()

    unpack(tar_of(tmp_path / "a.tar", ("inner.zip", inner), mode="w"), tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["inner.zip"]


OUTSIDE = [
    "../evil",
    "a/../../evil",
    "/evil",
    "//host/evil",
    "C:/evil",
    "C:evil",
    "..\\evil",
    "a\\..\\..\\evil",
    "\\evil",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_file_outside_is_refused(tmp_path: Path, name: str) -> None:
    """However the path is written, on whatever system, in a tar or a zip; the message has the name."""
    for archive in (tar_of(tmp_path / "a.tgz", (name, b"!")), zip_of(tmp_path / "a.zip", (name, b"!"))):
        message = refused(archive, tmp_path / "out")

        assert message == (
            f"{archive} holds {name!r}, which is not unpacked: it lies outside the archive; do not trust this file"
        )


@pytest.mark.parametrize(
    "member",
    [
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("link", tarfile.SYMTYPE, "../outside"),
        special("a/link", tarfile.SYMTYPE, "../../outside"),
        special("hard", tarfile.LNKTYPE, "../outside"),
        special("hard", tarfile.LNKTYPE, "/etc/passwd"),
        special("device", tarfile.CHRTYPE),
        special("disk", tarfile.BLKTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda member: f"{member.name}-{member.linkname or member.type}",
)
def test_links_to_the_outside_and_devices_are_refused(tmp_path: Path, member: tarfile.TarInfo) -> None:
    """Reading them would read other files of the machine, or hang."""
    (tmp_path / "outside").write_text("private")

    message = refused(tar_of(tmp_path / "a.tgz", ("good.jpg", b"A"), member), tmp_path / "out")

    assert repr(member.name) in message
    assert not (tmp_path / "out" / member.name).exists()


def test_links_inside_are_kept(tmp_path: Path) -> None:
    """Symbolic and hard ones, wherever they stand in the archive."""
    archive = tar_of(
        tmp_path / "a.tgz",
        special("first", tarfile.SYMTYPE, "top/a.jpg"),
        ("top/a.jpg", b"A"),
        special("hard", tarfile.LNKTYPE, "top/a.jpg"),
    )

    unpack(archive, tmp_path / "out")

    assert (tmp_path / "out/first").read_bytes() == (tmp_path / "out/hard").read_bytes() == b"A"


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """A file below a link is written below a folder of that name; a link below a link is refused."""
    archive = tar_of(tmp_path / "a.tgz", special("d", tarfile.SYMTYPE, "."), special("d/e", tarfile.SYMTYPE, "x"))

    assert "it is a link below a link" in refused(archive, tmp_path / "out")


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    """Some programs make them of an attribute; none of the data sets has any."""
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr(info, "/etc/passwd")

    assert "it is a link" in refused(tmp_path / "a.zip", tmp_path / "out")


def test_encrypted_files_are_refused(tmp_path: Path) -> None:
    """One line rather than a question for a password."""
    content = bytearray(zip_of(tmp_path / "a.zip", ("a.jpg", b"A")).read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)

    assert "it is encrypted" in refused(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"just text", b"<html></html>", b"\x1f\x8b", b"\7" * 2000])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    """An empty file, a page, noise."""
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(content)

    assert str(archive) in refused(archive, tmp_path / "out")


@pytest.mark.parametrize("kind", ["tar", "tgz", "zip", "gz"])
def test_a_damaged_archive_is_told(tmp_path: Path, kind: str) -> None:
    """Cut off in the middle of a file."""
    noise = bytes(i * i % 251 for i in range(50_000))
    archive = tmp_path / "a"
    if kind == "zip":
        zip_of(archive, ("a.bin", noise))
    elif kind == "gz":
        archive = tmp_path / "a.gz"
        archive.write_bytes(gzip.compress(noise))
    else:
        tar_of(archive, ("a.bin", noise), mode="w" if kind == "tar" else "w:gz")
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])

    assert "remove it and run again" in refused(archive, tmp_path / "out")
