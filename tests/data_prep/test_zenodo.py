from pathlib import Path

import pytest

from data_prep.errors import DownloadError
from data_prep.zenodo import download_record
from tests.data_prep.zenodo_server import Record, serve, zipped

FRAMES = {"frames/a.png": b"a" * 5000, "frames/b.png": b"b" * 5000}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def record() -> Record:
    return Record({"frames.zip": zipped(FRAMES), "table.csv": b"filename\na.png\n", "other.zip": b"never asked for"})


def fetch(record: Record, folder: Path) -> None:
    with serve(record) as url:
        download_record(url, ["table.csv", "frames.zip"], folder)


def contents(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_are_fetched_and_archives_unpacked(record: Record, tmp_path: Path) -> None:
    fetch(record, tmp_path / "new")
    assert contents(tmp_path / "new") == ["frames", "frames.zip", "frames/a.png", "frames/b.png", "table.csv"]
    assert (tmp_path / "new/frames/a.png").read_bytes() == FRAMES["frames/a.png"]
    assert sorted(record.fetched) == ["frames.zip", "table.csv"]


def test_files_with_the_right_md5_are_not_fetched_again(record: Record, tmp_path: Path) -> None:
    fetch(record, tmp_path)
    marker = tmp_path / "frames/a.png"
    marker.write_bytes(b"still the first one")
    record.fetched.clear()
    fetch(record, tmp_path)
    assert record.fetched == []
    assert marker.read_bytes() == b"still the first one"


def test_interrupted_download_goes_on_with_what_is_missing(record: Record, tmp_path: Path) -> None:
    fetch(record, tmp_path)
    (tmp_path / "frames.zip").write_bytes(record.files["frames.zip"][:100])
    (tmp_path / "frames/a.png").unlink()
    record.fetched.clear()
    fetch(record, tmp_path)
    assert record.fetched == ["frames.zip"]
    assert contents(tmp_path) == ["frames", "frames.zip", "frames/a.png", "frames/b.png", "table.csv"]


def test_wrong_md5_is_an_error_and_leaves_nothing(record: Record, tmp_path: Path) -> None:
    record.claimed_md5["frames.zip"] = "0" * 32
    with pytest.raises(DownloadError, match=r"frames\.zip.*md5 is not 0{32}"):
        fetch(record, tmp_path)
    assert contents(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("trouble", ["cut_short", "gone"])
def test_transfer_that_fails_is_an_error_and_leaves_nothing(record: Record, tmp_path: Path, trouble: str) -> None:
    getattr(record, trouble).add("frames.zip")
    with pytest.raises(DownloadError, match=r"frames\.zip/content cannot be downloaded"):
        fetch(record, tmp_path)
    assert contents(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("member", ["../outside.png", "/outside.png", "frames/../../outside.png"])
def test_archive_with_a_member_outside_is_refused(record: Record, tmp_path: Path, member: str) -> None:
    record.files["frames.zip"] = zipped({**FRAMES, member: b"harm"})
    folder = tmp_path / "inside"
    with pytest.raises(DownloadError, match=r"frames\.zip cannot be unpacked: Unsafe path"):
        fetch(record, folder)
    assert contents(folder) == ["frames.zip", "table.csv"]
    assert contents(tmp_path) == ["inside", "inside/frames.zip", "inside/table.csv"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no zip at all", "cannot be unpacked"), (zipped({"elsewhere/a.png": b"a"}), "holds no folder frames/")],
)
def test_archive_that_is_not_what_was_expected_is_an_error(
    record: Record, tmp_path: Path, content: bytes, message: str
) -> None:
    record.files["frames.zip"] = content
    with pytest.raises(DownloadError, match=message):
        fetch(record, tmp_path)
    assert contents(tmp_path) == ["frames.zip", "table.csv"]


def encrypted(archive: bytes) -> bytes:
    """The archive with the flag of encryption at its second member, as `zip --encrypt` sets it."""
    content = bytearray(archive)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature, content.index(signature) + 4) + flags] |= 1
    return bytes(content)


def compressed_by(method: int, archive: bytes) -> bytes:
    """The archive with another compression stated for its second member, such as 9, Deflate64."""
    content = bytearray(archive)
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature, content.index(signature) + 4) + place] = method
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encrypted(zipped(FRAMES)), "encrypted"),
        (compressed_by(9, zipped(FRAMES)), "compression"),
        (compressed_by(8, zipped(FRAMES)), ""),
        (compressed_by(12, zipped(FRAMES)), ""),
        (compressed_by(14, zipped(FRAMES)), ""),
        (zipped(FRAMES).replace(b"b" * 5000, b"b" * 4999 + b"c"), "Bad CRC-32"),
    ],
    ids=["encrypted", "Deflate64", "no deflate", "no bzip2", "no LZMA", "a flipped byte"],
)
def test_a_member_that_cannot_be_read_is_named(record: Record, tmp_path: Path, content: bytes, reason: str) -> None:
    record.files["frames.zip"] = content
    with pytest.raises(DownloadError, match=rf"frames\.zip cannot be unpacked: its member frames/b\.png .*{reason}"):
        fetch(record, tmp_path)
    assert contents(tmp_path) == ["frames.zip", "table.csv"]


def test_record_without_the_file_names_what_it_has(record: Record, tmp_path: Path) -> None:
    del record.files["table.csv"]
    with pytest.raises(DownloadError, match=r"has no file table\.csv; it has frames\.zip, other\.zip"):
        fetch(record, tmp_path)
    assert contents(tmp_path) == []


def test_other_checksums_than_md5_are_refused(record: Record, tmp_path: Path) -> None:
    record.claimed_md5["table.csv"] = ""
    with pytest.raises(DownloadError, match="expected md5"):
        fetch(record, tmp_path)


def test_address_that_is_no_record_is_an_error(record: Record, tmp_path: Path) -> None:
    with serve(record) as url:
        with pytest.raises(DownloadError, match="cannot be read as a Zenodo record"):
            download_record(f"{url}files/table.csv/content", ["table.csv"], tmp_path)
        record.files = {"table.csv": b'{"title": "another kind of JSON"}'}
        with pytest.raises(DownloadError, match="is not a Zenodo record"):
            download_record(f"{url}files/table.csv/content", ["table.csv"], tmp_path)
    with pytest.raises(DownloadError, match="cannot be read as a Zenodo record"):
        download_record(url, ["table.csv"], tmp_path)
