"""MetaImage is read without ITK: what ITK reads rightly is read the same, what it gets wrong is refused."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import itk
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from fetal_monai.data import CineError, FrameError, open_cine, read_frame
from fetal_monai.data.io.metaimage import read_metaimage_header
from tests.data.io.cine.loops import noise_loop, smooth_loop, write_packed_metaimage
from tests.frame_files import asymmetric_picture, write_metaimage

PICTURE = asymmetric_picture()
ELEMENT_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}


def write_header(path: Path, pixels: bytes = PICTURE.tobytes(), size: str = "64 48", **lines: object) -> Path:
    """A MetaImage file from its lines; the pixels go behind the header or into the data file that it names."""
    entries: dict[str, object] = {
        "NDims": len(size.split()),
        "DimSize": size,
        "ElementType": "MET_UCHAR",
        "ElementDataFile": "LOCAL",
        **lines,
    }
    name = str(entries.pop("ElementDataFile"))
    header = "".join(f"{key} = {value}\n" for key, value in [*entries.items(), ("ElementDataFile", name)]).encode()
    path.write_bytes(header + pixels if name == "LOCAL" else header)
    if name != "LOCAL":
        (path.parent / name).write_bytes(pixels)
    return path


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_valid_files_are_read_as_itk_reads_them(data: st.DataObject) -> None:
    """Every type and byte order, gray and colour, compressed or behind a foreign header, in one file or two."""
    width, height = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)), label="size")
    channels = data.draw(st.sampled_from([1, 3]), label="channels")
    name = data.draw(st.sampled_from(list(ELEMENT_TYPES)), label="type")
    msb_first = data.draw(st.booleans(), label="most significant byte first")
    dtype = np.dtype(ELEMENT_TYPES[name])
    rng = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    if dtype.kind == "f":
        values = rng.normal(size=width * height * channels).astype(dtype)
    else:
        values = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, width * height * channels, dtype, endpoint=True)
    pixels = values.astype(dtype.newbyteorder(">" if msb_first else "<")).tobytes()
    lines: dict[str, object] = {"BinaryDataByteOrderMSB": msb_first, "ElementNumberOfChannels": channels}
    lines["ElementType"] = name + data.draw(st.sampled_from(["", "_ARRAY"]), label="suffix of the type")
    lines["ElementDataFile"] = data.draw(st.sampled_from(["LOCAL", "frame 1.raw"]), label="data file")
    layout = data.draw(st.sampled_from(["plain", "zlib", "gzip", "header at the start", "any header"]), label="layout")
    if layout in ("zlib", "gzip"):
        pixels = zlib.compress(pixels) if layout == "zlib" else gzip.compress(pixels)
        lines |= {"CompressedData": True, "CompressedDataSize": len(pixels)}
    elif layout == "any header":
        pixels = b"foreign" + pixels
        lines["HeaderSize"] = -1
    elif layout == "header at the start" and lines["ElementDataFile"] != "LOCAL":
        pixels = b"foreign" + pixels + b"and more"
        lines["HeaderSize"] = len(b"foreign")

    with tempfile.TemporaryDirectory() as folder:
        path = write_header(Path(folder, "frame.mha"), pixels, f"{width} {height}", **lines)
        expected = itk.array_from_image(itk.imread(str(path), pixel_type=itk.F, imageio=itk.MetaImageIO.New()))
        found = read_frame(path).pixels
        assert found.dtype == np.float32
        assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
        if channels == 1:
            assert_array_equal(found, expected)
        (frame,) = open_cine(path)
        assert_array_equal(frame.pixels, found)


def test_pixels_as_numbers_in_text(tmp_path: Path) -> None:
    text = "\n".join(" ".join(str(level / 4) for level in row) for row in PICTURE) + "\n"
    path = write_header(tmp_path / "text.mha", text.encode(), ElementType="MET_FLOAT", BinaryData=False)
    assert_array_equal(read_frame(path).pixels, PICTURE / 4)
    assert_array_equal(itk.array_from_image(itk.imread(str(path))), PICTURE / 4)
    write_header(tmp_path / "text.mha", text[:5000].encode(), ElementType="MET_FLOAT", BinaryData=False)
    with pytest.raises(FrameError, match="pixel data end in frame 0"):
        read_frame(path)


@pytest.mark.parametrize(
    ("lines", "spacing"),
    [
        ({"ElementSpacing": "0.2 0.3", "ElementSize": "9 9"}, (0.3, 0.2)),
        ({"ElementSize": "0.2 0.3"}, (0.3, 0.2)),
        ({"ElementSpacing": "-0.2 0.3"}, (0.3, 0.2)),
        ({"ElementSpacing": "0.2 0.3 1"}, (0.3, 0.2)),
        ({}, None),
    ],
)
def test_spacing(tmp_path: Path, lines: Any, spacing: Any) -> None:
    path = write_header(tmp_path / "frame.mha", **lines)
    assert read_frame(path).pixel_spacing_mm == spacing
    assert open_cine(path).pixel_spacing_mm == spacing
    if spacing:
        assert tuple(reversed(itk.spacing(itk.imread(str(path))))) == spacing


def test_a_data_file_with_an_umlaut_and_one_in_a_subfolder(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for name in ("Schädel.raw", "raw/frame.raw"):
        assert_array_equal(read_frame(write_header(tmp_path / "f.mhd", ElementDataFile=name)).pixels, PICTURE)


class TestNothingOfAnotherFrame:
    """ITK returns the memory of the frame before where it cannot decompress the pixels, or finds them in no file."""

    @pytest.fixture(autouse=True)
    def _a_good_frame_before(self, tmp_path: Path) -> None:
        assert read_frame(write_metaimage(tmp_path / "good.mha", PICTURE)).pixels.any()

    @pytest.mark.parametrize(
        ("lines", "pixels"),
        [
            pytest.param({"ElementDataFile": "LIST"}, PICTURE.tobytes(), id="list"),
            pytest.param({"CompressedData": True}, PICTURE.tobytes(), id="not compressed"),
            pytest.param({"CompressedData": True}, b"", id="nothing"),
            pytest.param({"CompressedData": True}, zlib.compress(PICTURE.tobytes())[:-1], id="without checksum"),
            pytest.param({"CompressedData": True}, zlib.compress(PICTURE.tobytes()[:-1]), id="too few"),
            pytest.param({"CompressedData": True}, zlib.compress(PICTURE.tobytes() + b"x"), id="too many"),
            pytest.param({"CompressedData": True}, zlib.compress(PICTURE.tobytes())[2:], id="no zlib header"),
            pytest.param({"CompressedData": True, "HeaderSize": -1}, zlib.compress(PICTURE.tobytes()), id="no start"),
            pytest.param({"HeaderSize": -1}, PICTURE.tobytes()[:-20], id="from the end, too few"),
            pytest.param({"HeaderSize": 10}, PICTURE.tobytes(), id="inside the header"),
            pytest.param({"HeaderSize": 10**9}, PICTURE.tobytes(), id="behind the file"),
            pytest.param({"HeaderSize": -7}, PICTURE.tobytes(), id="negative"),
            pytest.param({}, PICTURE.tobytes()[:-1], id="one byte less"),
            pytest.param({"ElementType": "MET_USHORT"}, PICTURE.tobytes(), id="half the pixels"),
            pytest.param({"ElementType": "MET_STRING"}, PICTURE.tobytes(), id="unknown type"),
            pytest.param({"NDims": 3}, PICTURE.tobytes(), id="an axis without length"),
            pytest.param({"DimSize": "64 -48"}, PICTURE.tobytes(), id="negative length"),
            pytest.param({"ElementSpacing": "0.2"}, PICTURE.tobytes(), id="a spacing too few"),
            pytest.param({"ElementSpacing": "0.2 nan"}, PICTURE.tobytes(), id="spacing not finite"),
            pytest.param({"Offset": "left"}, PICTURE.tobytes(), id="offset in words"),
        ],
    )
    def test_what_does_not_hold_its_pixels_is_refused(self, tmp_path: Path, lines: Any, pixels: bytes) -> None:
        path = write_header(tmp_path / "bad.mhd", pixels, **lines)
        with pytest.raises(FrameError, match=r"bad\.mhd: "):
            read_frame(path)
        with pytest.raises(FrameError, match=r"bad\.mhd: "):
            list(open_cine(path))

    @given(st.data())
    @settings(max_examples=50, deadline=None)
    def test_a_flipped_bit_in_compressed_pixels(self, data: st.DataObject) -> None:
        content = bytearray(zlib.compress(PICTURE.tobytes()))
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "flipped.mha")
            write_header(path, bytes(content), CompressedData=True, CompressedDataSize=len(content))
            with pytest.raises(FrameError, match=r"flipped\.mha: cannot be read as a frame"):
                read_frame(path)

    def test_no_frame_of_a_loop_is_given_before_the_checksum_is_known_to_be_right(self, tmp_path: Path) -> None:
        path = write_packed_metaimage(tmp_path / "loop.mha", noise_loop(60))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        loop = iter(open_cine(path))
        with pytest.raises(CineError, match=r"loop\.mha: frame 0 \(from 0, of 60\) cannot be decoded"):
            next(loop)

    @pytest.mark.parametrize("states_size", [True, False])
    def test_a_damaged_stream_that_never_ends_is_no_stream_that_was_cut_off(
        self, tmp_path: Path, states_size: bool
    ) -> None:
        """One flipped bit can hide the end of the stream, and with it the checksum, behind frames of wrong pixels."""
        pixels = smooth_loop().tobytes()
        content = zlib.compress(pixels, 1)
        size = {"CompressedDataSize": len(content)} if states_size else {}
        path = write_header(
            tmp_path / "loop.mha",
            endless(content, pixels, frame_bytes=64),
            f"8 8 {len(pixels) // 64}",
            NDims=3,
            CompressedData=True,
            **size,
        )
        with pytest.raises(CineError, match=r"frame 0 .* cannot be decoded \(its compressed data end too early"):
            next(iter(open_cine(path)))


def endless(content: bytes, pixels: bytes, frame_bytes: int) -> bytes:
    """A zlib stream with one flipped bit, which runs past its end and gives a whole frame of wrong pixels."""
    for bit in reversed(range(8 * len(content))):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        stream = zlib.decompressobj()
        with suppress(zlib.error):
            found = stream.decompress(flipped)
            whole = len(found) // frame_bytes * frame_bytes
            if not stream.eof and len(found) <= len(pixels) and found[:whole] != pixels[:whole]:
                return bytes(flipped)
    raise AssertionError("no such bit")


class TestDataFile:
    @pytest.mark.parametrize("name", ["scan%s.raw 1 2 1", "scan%n.raw", "scan%03d.raw 1 12 1", "LIST", "LIST 2D"])
    def test_lists_and_patterns_are_refused(self, tmp_path: Path, name: str) -> None:
        """A pattern goes through C's printf in ITK: %s ends the process."""
        path = write_header(tmp_path / "f.mhd", ElementDataFile=name)
        for read in (read_frame, open_cine):
            with pytest.raises(FrameError, match=r"f\.mhd: its pixels are in several files \(ElementDataFile = "):
                read(path)

    def test_none_outside_the_headers_folder_is_read(self, tmp_path: Path) -> None:
        folder = tmp_path / "frames"
        folder.mkdir()
        (tmp_path / "secret.raw").write_bytes(PICTURE.tobytes())
        (folder / "link.raw").symlink_to(tmp_path / "secret.raw")
        (folder / "parent").symlink_to(tmp_path)
        for name in ("../secret.raw", str(tmp_path / "secret.raw"), "link.raw", "parent/secret.raw", "/dev/zero"):
            path = folder / "f.mhd"
            path.write_text(f"NDims = 2\nDimSize = 64 48\nElementType = MET_UCHAR\nElementDataFile = {name}\n")
            for read in (read_frame, open_cine):
                with pytest.raises(FrameError, match=r"f\.mhd: its data file .* is outside the header's folder"):
                    read(path)

    def test_links_to_a_header_and_its_data_file_are_followed(self, tmp_path: Path) -> None:
        (tmp_path / "store").mkdir()
        write_metaimage(tmp_path / "store" / "frame.mhd", PICTURE)
        (tmp_path / "links").mkdir()
        for name in ("frame.mhd", "frame.raw"):
            (tmp_path / "links" / name).symlink_to(tmp_path / "store" / name)
        assert_array_equal(read_frame(tmp_path / "links" / "frame.mhd").pixels, PICTURE)

    @pytest.mark.parametrize("name", ["a\0b.raw", "", "."])
    def test_a_name_that_no_file_can_have(self, tmp_path: Path, name: str) -> None:
        path = write_metaimage(tmp_path / "f.mhd", PICTURE)
        path.write_text(path.read_text().replace("f.raw", name))
        with pytest.raises(FrameError, match=r"f\.mhd: "):
            read_frame(path)


def test_an_endless_header_is_not_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "f.mha"
    path.write_bytes(b"Key = value\n" * 1_400_000 + b"ElementDataFile = LOCAL\n")
    with pytest.raises(FrameError, match="no MetaImage header"):
        read_metaimage_header(path)
