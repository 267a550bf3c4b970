"""A frame with too many pixels is refused by its header, in every format, as a still and as a loop."""

from __future__ import annotations

import struct
import tracemalloc
import warnings
import zlib
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import nibabel as nib
import numpy as np
import pydicom
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian

from fetal_monai.data import FrameError, FrameStream, collect_frames, open_cine, read_frame, read_header_labels
from tests.data.io.cine.loops import noise_loop, write_packed_metaimage, write_rle_dicom, write_video
from tests.frame_files import LOSSLESS_FORMATS, asymmetric_picture, write_dicom, write_metaimage, write_picture

PICTURE = asymmetric_picture()
VARIABLE = "FETAL_MONAI_MAX_PIXELS"
TOO_MANY = r": has 48 x 64 pixels; expected at most 3,071. .*set the environment variable FETAL_MONAI_MAX_PIXELS"


@pytest.mark.parametrize("name", [*LOSSLESS_FORMATS, "frame.jpg"])
def test_the_limit_holds_for_every_format(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write, _ = LOSSLESS_FORMATS.get(name, (write_picture, None))
    path = write(tmp_path / name, PICTURE)
    for read in (read_frame, lambda path: list(open_cine(path))):
        monkeypatch.setenv(VARIABLE, str(PICTURE.size))
        read(path)
        monkeypatch.setenv(VARIABLE, str(PICTURE.size - 1))
        with pytest.raises(FrameError, match=TOO_MANY):
            read(path)


def test_an_empty_variable_is_no_limit_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert read_frame(write_picture(tmp_path / "f.png", PICTURE)).pixels.shape == PICTURE.shape


def test_of_a_loop_each_frame_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = noise_loop()
    write_rle_dicom(tmp_path / "1.dcm", loop)
    write_metaimage(tmp_path / "2.mhd", loop)
    write_packed_metaimage(tmp_path / "3.mha", loop)
    write_video(tmp_path / "4.avi", loop)
    write_video(tmp_path / "5.mp4", loop, "mpeg4", "yuv420p")
    stream = FrameStream(tmp_path)
    monkeypatch.setenv(VARIABLE, str(10**12))
    assert len(list(stream)) == 5 * len(loop)
    monkeypatch.setenv(VARIABLE, str(loop[0].size))
    assert len(list(stream)) == 5 * len(loop)
    monkeypatch.setenv(VARIABLE, str(loop[0].size - 1))
    assert not list(stream)
    assert ["3,071" in rejected.reason for rejected in stream.rejected] == [True] * 5


def test_a_video_that_states_a_smaller_size_than_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = noise_loop(2, 16, 16), np.zeros((2, 1200, 1000), np.uint8)
    with av.open(str(tmp_path / "loop.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 16, 16, "yuvj420p"
        for place, pixels in enumerate([*small, *large]):
            picture = BytesIO()
            Image.fromarray(pixels).save(picture, "JPEG")
            packet = av.Packet(picture.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, place, place, Fraction(1, 25)
            packet.is_keyframe = True
            container.mux(packet)
    assert [frame.pixels.size for frame in open_cine(tmp_path / "loop.avi")] == [256, 256, 1_200_000, 1_200_000]
    monkeypatch.setenv(VARIABLE, "3072")
    frames = iter(open_cine(tmp_path / "loop.avi"))
    assert [next(frames).index, next(frames).index] == [0, 1]
    with pytest.raises(FrameError, match=r"frames 2 to 3 \(from 0, of 4\) cannot be decoded"):
        next(frames)


def claim_size(path: Path, width: int, height: int) -> Path:
    """Write another size into a PNG's header."""
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("side", [8001, 13000, 50000])
def test_a_picture_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    """Pillow warns of the second and raises on the third."""
    good = write_picture(tmp_path / "good.png", PICTURE)
    claim_size(write_picture(tmp_path / "large.png", PICTURE), side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        collection = collect_frames(tmp_path)
    assert [frame["image"] for frame in collection.frames] == [str(good)]
    (rejected,) = collection.rejected
    assert "pixels" in rejected.reason
    assert "damaged" not in rejected.reason


def test_a_large_compressed_frame_is_not_decoded(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((9000, 8000), np.uint8), np.eye(4)), tmp_path / "large.nii.gz")
    tracemalloc.start()
    with pytest.raises(FrameError, match="8000 x 9000 pixels; expected at most 64,000,000"):
        read_frame(tmp_path / "large.nii.gz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


class TestContentBesideThePixels:
    """What a small frame carries along grows too when it is decompressed: at most 16 bytes for each allowed pixel."""

    @pytest.fixture(autouse=True)
    def _limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, str(PICTURE.size))

    def test_deflated_dicom(self, tmp_path: Path) -> None:
        path = tmp_path / "frame.dcm"
        for private_bytes in (40_000, 50_000):
            dataset = pydicom.dcmread(write_dicom(path, PICTURE))
            dataset.add_new(0x00091010, "OB", bytes(private_bytes))
            dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
            dataset.save_as(path)
            if private_bytes == 40_000:
                assert_array_equal(read_frame(path).pixels, PICTURE)
        for read in (read_frame, open_cine):
            with pytest.raises(FrameError, match="more than 49,152 bytes once decompressed"):
                read(path)

    def test_nifti(self, tmp_path: Path) -> None:
        image = nib.Nifti1Image(PICTURE.T, np.eye(4))
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", bytes(50_000)))
        nib.save(image, tmp_path / "frame.nii.gz")
        for read in (read_frame, read_header_labels):
            with pytest.raises(FrameError, match="more than 49,152 bytes once decompressed"):
                read(tmp_path / "frame.nii.gz")


@pytest.mark.parametrize("value", ["many", "0", "-5", "1e9"])
def test_a_limit_that_is_no_number_is_reported(tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(FrameError, match=rf"FETAL_MONAI_MAX_PIXELS is '{value}'; set it to a positive whole number"):
        read_frame(write_picture(tmp_path / "frame.png", PICTURE))
