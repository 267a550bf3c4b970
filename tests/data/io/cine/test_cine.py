"""What holds for a loop in any format: the file's frames one by one, and a clear end where it is damaged."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import nibabel as nib
import numpy as np
import pydicom
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydicom.uid import MPEG4HP41

from fetal_monai.data import CineError, CineFrame, FrameError, open_cine
from tests.data.io.cine.loops import (
    FRAMES,
    HEIGHT,
    RATE_HZ,
    WIDTH,
    noise_loop,
    smooth_loop,
    speckled_loop,
    write_jpeg_dicom,
    write_packed_metaimage,
    write_rle_dicom,
    write_video,
)
from tests.frame_files import (
    COLUMN_MM,
    ROW_MM,
    asymmetric_picture,
    cut,
    write_dicom,
    write_metaimage,
    write_nifti,
    write_picture,
)

LOOP = noise_loop()
SPACING = pytest.approx((ROW_MM, COLUMN_MM))

LOSSLESS: dict[str, tuple[Callable[..., Path], Any]] = {
    "loop.dcm": (write_dicom, SPACING),
    "1.2.840.113619.7": (write_dicom, SPACING),
    "rle.dcm": (write_rle_dicom, SPACING),
    "loop.mha": (write_metaimage, SPACING),
    "loop.mhd": (write_metaimage, SPACING),
    "packed.mha": (write_packed_metaimage, SPACING),
    "packed.mhd": (write_packed_metaimage, SPACING),
    "loop.avi": (write_video, None),
    "LOOP.AVI": (write_video, None),
}


# Two pictures between two that they are predicted from.
H264_WITH_B = {"bf": "2", "x264-params": "b-adapt=0:b-pyramid=none:scenecut=0:keyint=100"}


def damage(path: Path, packet: int, at: float, length: int) -> None:
    """Change bytes of a video, `at` this part of a packet."""
    with av.open(str(path)) as container:
        place = list(container.demux(video=0))[packet]
        assert place.pos is not None
        start = place.pos + int(at * place.size)
    content = bytearray(path.read_bytes())
    content[start : start + length] = bytes(value ^ 0xA5 for value in content[start : start + length])
    path.write_bytes(content)


def read_until_error(path: Path) -> tuple[list[CineFrame], str]:
    """The frames before the error, and its message."""
    frames = []
    with pytest.raises(CineError) as raised:
        for frame in open_cine(path):
            frames.append(frame)
    return frames, str(raised.value)


@pytest.mark.parametrize("name", LOSSLESS)
def test_frames_are_those_of_the_file(tmp_path: Path, name: str) -> None:
    write, spacing = LOSSLESS[name]
    cine = open_cine(write(tmp_path / name, LOOP))
    assert cine.frame_count == FRAMES
    assert cine.pixel_spacing_mm == spacing
    for _ in range(2):  # a loop can be read again
        frames = list(cine)
        assert [frame.index for frame in frames] == list(range(FRAMES))
        assert {frame.pixels.dtype for frame in frames} == {np.dtype(np.float32)}
        assert_array_equal(np.stack([frame.pixels for frame in frames]), LOOP)


@pytest.mark.parametrize(
    ("name", "codec"), [("loop.avi", "mjpeg"), ("loop.avi", "mpeg4"), ("loop.mp4", "mpeg4"), ("loop.MP4", "libx264")]
)
def test_lossy_videos_are_the_same_but_for_their_losses(tmp_path: Path, name: str, codec: str) -> None:
    """Black stays black and white white: video keeps them in 16..235."""
    loop = smooth_loop()
    cine = open_cine(write_video(tmp_path / name, loop, codec, "yuvj420p" if codec == "mjpeg" else "yuv420p"))
    assert (cine.frame_count, cine.frame_rate_hz, cine.pixel_spacing_mm) == (FRAMES, RATE_HZ, None)
    for frame, pixels in zip(cine, loop, strict=True):
        assert np.abs(frame.pixels - pixels).mean() < 8
        assert np.polyfit(pixels.ravel(), frame.pixels.ravel(), 1)[0] == pytest.approx(1, abs=0.06)


def test_jpeg_in_dicom(tmp_path: Path) -> None:
    loop = smooth_loop()
    for frame, pixels in zip(open_cine(write_jpeg_dicom(tmp_path / "loop.dcm", loop)), loop, strict=True):
        assert_allclose(frame.pixels, pixels, atol=8)


@pytest.mark.parametrize("name", ["rgb.dcm", "rgb.avi"])
def test_colour_becomes_luminance(tmp_path: Path, name: str) -> None:
    colour = np.stack([LOOP, 255 - LOOP, np.roll(LOOP, 1)], axis=-1)
    if name.endswith("dcm"):
        path = write_dicom(tmp_path / name, colour, photometric_interpretation="RGB")
    else:
        path = write_video(tmp_path / name, colour, "rawvideo", "bgr24")
    for frame, pixels in zip(open_cine(path), colour, strict=True):
        assert_allclose(frame.pixels, pixels @ [0.299, 0.587, 0.114], atol=1.5)


@pytest.mark.parametrize("write", [write_picture, write_dicom, write_nifti, write_metaimage])
def test_a_still_frame_is_a_loop_of_one(tmp_path: Path, write: Callable[..., Path]) -> None:
    suffix = {write_picture: "png", write_dicom: "dcm", write_nifti: "nii.gz", write_metaimage: "mha"}[write]
    cine = open_cine(write(tmp_path / f"still.{suffix}", asymmetric_picture()))
    (frame,) = cine
    assert_array_equal(frame.pixels, asymmetric_picture())
    assert (cine.frame_count, cine.frame_rate_hz, frame.time_s) == (1, None, None)
    assert cine.pixel_spacing_mm == (None if write is write_picture else SPACING)


class TestTime:
    @pytest.mark.parametrize(
        ("elements", "rate_hz", "times_s"),
        [
            pytest.param({"FrameTime": 40}, 25, [0, 0.04, 0.08], id="FrameTime in ms"),
            pytest.param({"FrameTimeVector": [7, 30, 50]}, 25, [0, 0.03, 0.08], id="the vector's first does not count"),
            pytest.param({"FrameTime": 40, "CineRate": 7}, 25, [0, 0.04, 0.08], id="FrameTime before CineRate"),
            pytest.param({"CineRate": 20, "RecommendedDisplayFrameRate": 7}, 20, [0, 0.05, 0.1], id="CineRate"),
            pytest.param({"RecommendedDisplayFrameRate": 20}, 20, [0, 0.05, 0.1], id="RecommendedDisplayFrameRate"),
            pytest.param({"FrameTime": 0}, None, [None] * 3, id="zero says nothing"),
            pytest.param({}, None, [None] * 3, id="nothing stated"),
        ],
    )
    def test_dicom(self, tmp_path: Path, elements: dict[str, Any], rate_hz: Any, times_s: list[Any]) -> None:
        cine = open_cine(write_dicom(tmp_path / "loop.dcm", LOOP[:3], **elements))
        assert cine.frame_rate_hz == (rate_hz and pytest.approx(rate_hz))
        assert [frame.time_s for frame in cine] == [time_s and pytest.approx(time_s) for time_s in times_s]

    def test_video(self, tmp_path: Path) -> None:
        cine = open_cine(write_video(tmp_path / "loop.avi", LOOP))
        assert cine.frame_rate_hz == RATE_HZ
        assert_allclose([float(frame.time_s or 0) for frame in cine], np.arange(FRAMES) / RATE_HZ)


class TestLazily:
    def test_one_frame_at_a_time_is_in_memory(self, tmp_path: Path) -> None:
        loop = noise_loop(200, 100, 100)
        cine = open_cine(write_dicom(tmp_path / "loop.dcm", loop))
        next(iter(cine))
        tracemalloc.start()
        for _ in cine:
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < loop.nbytes / 4

    @pytest.mark.parametrize("name", LOSSLESS)
    def test_what_comes_before_the_damage_is_read(self, tmp_path: Path, name: str) -> None:
        path = LOSSLESS[name][0](tmp_path / name, LOOP)
        data_file = next((file for file in tmp_path.iterdir() if file.suffix in (".zraw", ".raw")), path)
        if name == "packed.mhd":
            data_file = path.with_suffix(".zraw")
        frames, message = read_until_error(cut(data_file) and path)
        assert 5 <= len(frames) <= 7  # of twelve: the file was cut at 60 %
        assert_array_equal(np.stack([frame.pixels for frame in frames]), LOOP[: len(frames)])
        # A video's index tells that the frames behind are missing as well.
        failed = f"frames {len(frames)} to 11" if name.lower().endswith("avi") else f"frame {len(frames)}"
        assert message.startswith(f"{path}: {failed} (from 0, of 12) cannot be decoded (")
        assert message.endswith("; export or copy the loop again.")


class TestDamage:
    def test_a_video_that_ends_between_two_frames(self, tmp_path: Path) -> None:
        """The header still says how many there were."""
        path = write_video(tmp_path / "loop.avi", LOOP, "rawvideo")
        content = path.read_bytes()
        path.write_bytes(content[: content.index(LOOP[7].tobytes()) - 8])  # before the chunk's header
        frames, message = read_until_error(path)
        assert len(frames) == 7
        assert "ends at frame 7 (from 0, of 12), so it was cut off; copy the loop again" in message

    @pytest.mark.parametrize(
        ("name", "codec", "options", "failed"),
        [
            pytest.param("loop.avi", "mjpeg", {}, [5], id="each frame by itself"),
            pytest.param("loop.avi", "mpeg4", {"g": "4"}, [5, 6, 7], id="until the next key picture"),
            pytest.param("loop.mp4", "mpeg4", {"g": "4"}, [5, 6, 7], id="the same in MP4"),
            pytest.param("loop.avi", "ffv1", {}, [5, 6, 7, 8, 9, 10, 11], id="a checksum, and no other key picture"),
            pytest.param("loop.mp4", "libx264", {"bf": "0", "g": "4"}, [5, 6, 7], id="H.264"),
            # Stored as 0 3 1 2 6 4 5 9 ...: the sixth to come is frame 4.
            pytest.param("loop.mp4", "libx264", H264_WITH_B, [4, 5, 7, 8, 9, 10, 11], id="shown in another order"),
        ],
    )
    def test_damage_that_the_decoder_notices_is_not_painted_over(
        self, tmp_path: Path, name: str, codec: str, options: dict[str, str], failed: list[int]
    ) -> None:
        """Neither the damaged frame is given nor what is predicted from it; the loop goes on behind."""
        pixel_format = {"mjpeg": "yuvj420p", "ffv1": "gray"}.get(codec, "yuv420p")
        path = write_video(tmp_path / name, speckled_loop(), codec, pixel_format, options)
        whole = list(open_cine(path))
        damage(path, packet=5, at=0.4, length=16)
        frames, message = read_until_error(path)
        assert [frame.index for frame in frames] == [index for index in range(FRAMES) if index not in failed]
        for frame in frames:
            assert_array_equal(frame.pixels, whole[frame.index].pixels)
            assert frame.time_s == whole[frame.index].time_s
        assert re.search(rf"frames? {failed[0]}.* \(from 0, of 12\) cannot be decoded \(.+\); export or copy", message)

    @pytest.mark.parametrize(
        ("codec", "options"),
        [
            pytest.param("libx264", {"x264-params": "open-gop=1:keyint=4:min-keyint=4:scenecut=0"}, id="open GOP"),
            pytest.param("libx264", {"x264-params": "intra-refresh=1:keyint=6"}, id="intra refresh"),
            pytest.param("libx264", {"x264-params": "tff=1"}, id="interlaced"),
            pytest.param("mpeg4", {"bf": "2"}, id="MPEG-4 in another order"),
            pytest.param("wmv2", {}, id="Windows Media Video"),
        ],
    )
    def test_nothing_is_refused_in_a_whole_video(self, tmp_path: Path, codec: str, options: dict[str, str]) -> None:
        loop = speckled_loop()
        frames = list(open_cine(write_video(tmp_path / "loop.avi", loop, codec, "yuv420p", options)))
        for frame, pixels in zip(frames, loop, strict=True):
            assert np.abs(frame.pixels - pixels).mean() < 12

    @pytest.mark.parametrize("name", ["loop.mp4", "loop.avi"])
    def test_most_damage_in_h264_is_reported(self, tmp_path: Path, name: str) -> None:
        # On one thread x264 writes the same file in every run; how much damage shows depends on the file.
        options = {"preset": "ultrafast", "x264-params": "threads=1"}
        path = write_video(tmp_path / name, speckled_loop(), "libx264", "yuv420p", options)
        whole, content, silent = list(open_cine(path)), path.read_bytes(), 0
        for at in np.linspace(0.1, 0.9, 12):
            path.write_bytes(content)
            damage(path, packet=round(at * 11), at=at, length=4)
            frames = []
            try:
                for frame in open_cine(path):
                    frames.append(frame)
                silent += 1
            except CineError:
                for frame in frames:
                    assert_array_equal(frame.pixels, whole[frame.index].pixels)
        assert silent <= 2

    def test_a_video_without_its_end_of_file(self, tmp_path: Path) -> None:
        """An MP4 with its index in front: the frames that are there are read."""
        path = tmp_path / "loop.mp4"
        cut(write_video(path, speckled_loop(), "mpeg4", "yuv420p", {"g": "1"}, movflags="faststart"), 0.8)
        frames, message = read_until_error(path)
        assert 4 <= len(frames) <= 9
        assert f"frames {len(frames)} to 11 (from 0, of 12) cannot be decoded (" in message

    def test_times_ascend_where_avi_states_them_in_the_order_of_the_file(self, tmp_path: Path) -> None:
        cine = open_cine(write_video(tmp_path / "loop.avi", smooth_loop(), "libx264", "yuv420p"))
        assert_allclose([float(frame.time_s or 0) for frame in cine], np.arange(FRAMES) / RATE_HZ)

    def test_frames_that_an_edit_list_leaves_out_are_not_missing(self, tmp_path: Path) -> None:
        whole, edited = write_video(tmp_path / "whole.mp4", LOOP, "mpeg4", "yuv420p"), tmp_path / "edited.mp4"
        with av.open(str(whole)) as source, av.open(str(edited), "w") as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None and packet.pts is not None:
                    shift = int(4 / RATE_HZ / packet.time_base)
                    packet.stream, packet.dts, packet.pts = stream, packet.dts - shift, packet.pts - shift
                    target.mux(packet)
        cine = open_cine(edited)
        assert cine.frame_count == len(list(cine)) == FRAMES - 4

    def test_a_fragmented_video_states_no_count(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "loop.mp4", LOOP, "mpeg4", "yuv420p", movflags="frag_keyframe+empty_moov")
        cine = open_cine(path)
        assert cine.frame_count is None
        assert len(list(cine)) == FRAMES

    def test_a_frame_that_is_not_finite(self, tmp_path: Path) -> None:
        loop = LOOP.astype(np.float32)
        loop[4, 3, 2] = np.nan
        frames, message = read_until_error(write_metaimage(tmp_path / "loop.mha", loop))
        assert len(frames) == 4
        assert f"frame 4 (from 0, of 12): 1 of {HEIGHT * WIDTH} pixels are NaN or infinite" in message

    def test_what_the_consumer_raises_is_its_own(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            for frame in open_cine(write_metaimage(tmp_path / "loop.mha", LOOP)):
                _ = frame.index / 0


class TestNoLoop:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"absent\.avi: no such file; check the path"):
            open_cine(tmp_path / "absent.avi")

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "empty.avi").touch()
        with pytest.raises(FrameError, match=r"empty\.avi: the file is empty \(0 bytes\); copy or export it again"):
            open_cine(tmp_path / "empty.avi")

    @pytest.mark.parametrize("name", ["text.avi", "text.mp4", "text.dcm", "text.mha", "text.png"])
    def test_text(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("Dear colleague, please find the loop attached.\n")
        with pytest.raises(FrameError, match=rf"{name}: .*(copy it|export the frame) again"):
            open_cine(tmp_path / name)

    def test_another_kind_of_file(self, tmp_path: Path) -> None:
        (tmp_path / "loop.mov").write_bytes(bytes(200))
        with pytest.raises(FrameError, match=r"loop\.mov: not a kind of file that holds frames; expected one of \.avi"):
            open_cine(tmp_path / "loop.mov")

    def test_sound_alone(self, tmp_path: Path) -> None:
        with av.open(str(tmp_path / "sound.avi"), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000)
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
            sound.rate = 8000
            container.mux(stream.encode(sound))
        with pytest.raises(CineError, match=r"sound\.avi: holds no pictures"):
            open_cine(tmp_path / "sound.avi")

    def test_dicom_without_pixels(self, tmp_path: Path) -> None:
        dataset = pydicom.dcmread(write_dicom(tmp_path / "report.dcm", LOOP, Modality="SR"))
        del dataset.PixelData, dataset.Rows
        dataset.save_as(tmp_path / "report.dcm")
        with pytest.raises(CineError, match=r"report\.dcm: a DICOM file without pixels \(SR\)"):
            open_cine(tmp_path / "report.dcm")

    def test_dicom_compressed_as_a_video(self, tmp_path: Path) -> None:
        dataset = pydicom.dcmread(write_jpeg_dicom(tmp_path / "loop.dcm", LOOP))
        dataset.file_meta.TransferSyntaxUID = MPEG4HP41
        dataset.save_as(tmp_path / "loop.dcm")
        with pytest.raises(FrameError, match=r"compressed as MPEG-4 .*, a video; export it uncompressed, or as AVI"):
            open_cine(tmp_path / "loop.dcm")

    def test_volumes(self, tmp_path: Path) -> None:
        """A stack has one axis more than a frame. Of NIfTI no axis is known to be time."""
        with pytest.raises(CineError, match="has size 64 x 48 x 3 x 2; expected a stack of 2-D frames"):
            open_cine(write_metaimage(tmp_path / "4d.mha", LOOP[:6].reshape(2, 3, HEIGHT, WIDTH)))
        nib.save(nib.Nifti1Image(LOOP.transpose(2, 1, 0), np.eye(4)), tmp_path / "3d.nii")
        with pytest.raises(FrameError, match="expected one 2-D frame"):
            open_cine(tmp_path / "3d.nii")
