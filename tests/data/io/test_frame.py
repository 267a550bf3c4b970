from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
import tifffile
from monai.data import decollate_batch, list_data_collate
from monai.transforms import Compose, EnsureChannelFirstd, Invertd, LoadImaged, Resized
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from pydicom.uid import JPEG2000MC, UID, JPEGLosslessSV1

from fetal_monai.data import FrameError, FrameReader, read_frame
from fetal_monai.data.io.dicom import is_decodable
from tests.frame_files import (
    COLUMN_MM,
    LOSSLESS_FORMATS,
    ROW_MM,
    asymmetric_picture,
    cut,
    region,
    write_dicom,
    write_metaimage,
    write_nifti,
    write_picture,
)

PICTURE = asymmetric_picture()


@pytest.mark.parametrize("name", LOSSLESS_FORMATS)
def test_every_format_gives_the_same_pixels_in_row_column_order(tmp_path: Path, name: str) -> None:
    write, spacing = LOSSLESS_FORMATS[name]
    frame = read_frame(write(tmp_path / name, PICTURE))
    assert frame.pixels.dtype == np.float32
    assert_array_equal(frame.pixels, PICTURE)
    assert frame.pixel_spacing_mm == (None if spacing is None else pytest.approx(spacing))


def test_jpeg_is_the_same_picture_but_for_its_losses(tmp_path: Path) -> None:
    frame = read_frame(write_picture(tmp_path / "frame.jpg", PICTURE))
    assert_allclose(frame.pixels, PICTURE, atol=40)
    assert np.abs(frame.pixels - PICTURE).mean() < 3


class TestPicture:
    def test_dpi_is_no_pixel_spacing(self, tmp_path: Path) -> None:
        for name in ("frame.png", "frame.jpg", "frame.tif", "frame.bmp"):
            Image.fromarray(PICTURE).save(tmp_path / name, dpi=(254, 254))
            assert read_frame(tmp_path / name).pixel_spacing_mm is None

    @pytest.mark.parametrize("suffix", [".png", ".tif"])
    def test_16_bits_are_kept(self, tmp_path: Path, suffix: str) -> None:
        deep = PICTURE.astype(np.uint16) * 200
        assert_array_equal(read_frame(write_picture(tmp_path / f"deep{suffix}", deep)).pixels, deep)

    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_32_bit_tiff_signed_and_unsigned(self, tmp_path: Path, compression: str | None) -> None:
        """Pillow has one mode for both, and gives 3,000,000,000 as a negative number."""
        signed = PICTURE.astype(np.int32) * 2**23 - 2**30
        tifffile.imwrite(tmp_path / "signed.tif", signed, compression=compression)
        assert_array_equal(read_frame(tmp_path / "signed.tif").pixels, signed.astype(np.float32))
        unsigned = PICTURE.astype(np.uint32) * 2**24
        tifffile.imwrite(tmp_path / "unsigned.tif", unsigned, compression=compression)
        assert_array_equal(read_frame(tmp_path / "unsigned.tif").pixels, unsigned.astype(np.float32))

    @pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
    @pytest.mark.parametrize(
        ("orientation", "shown"),
        [
            (1, PICTURE),
            (2, PICTURE[:, ::-1]),
            (3, PICTURE[::-1, ::-1]),
            (4, PICTURE[::-1]),
            (5, PICTURE.T),
            (6, np.rot90(PICTURE, -1)),
            (7, PICTURE[::-1, ::-1].T),
            (8, np.rot90(PICTURE)),
        ],
    )
    def test_is_turned_as_viewers_show_it(self, tmp_path: Path, suffix: str, orientation: int, shown: Any) -> None:
        exif = Image.Exif()
        exif[274] = orientation
        path = tmp_path / f"turned{suffix}"
        Image.fromarray(PICTURE).save(path, exif=exif)
        assert_allclose(read_frame(path).pixels, shown, atol=40 if suffix == ".jpg" else 0)

    def test_float_tiff_is_kept(self, tmp_path: Path) -> None:
        values = PICTURE.astype(np.float32) / 7
        assert_array_equal(read_frame(write_picture(tmp_path / "float.tif", values)).pixels, values)

    def test_colour_becomes_luminance_and_alpha_is_dropped(self, tmp_path: Path) -> None:
        colour = np.stack([PICTURE, 255 - PICTURE, PICTURE // 2], axis=-1)
        transparent = np.concatenate([colour, np.zeros((*PICTURE.shape, 1), np.uint8)], axis=-1)
        expected = colour @ [0.299, 0.587, 0.114]
        for name, pixels in (("rgb.png", colour), ("rgba.png", transparent)):
            assert_allclose(read_frame(write_picture(tmp_path / name, pixels)).pixels, expected, atol=1)

    def test_gray_with_alpha(self, tmp_path: Path) -> None:
        Image.merge("LA", [Image.fromarray(PICTURE), Image.new("L", PICTURE.shape[::-1])]).save(tmp_path / "la.png")
        assert_array_equal(read_frame(tmp_path / "la.png").pixels, PICTURE)

    def test_palette_is_looked_up(self, tmp_path: Path) -> None:
        inverted = Image.fromarray(PICTURE, mode="P")
        inverted.putpalette([255 - level for level in range(256) for _ in range(3)])
        inverted.save(tmp_path / "palette.png")
        assert_array_equal(read_frame(tmp_path / "palette.png").pixels, 255 - PICTURE)

    def test_one_bit(self, tmp_path: Path) -> None:
        Image.fromarray(PICTURE > 100).save(tmp_path / "bits.png")
        assert_array_equal(read_frame(tmp_path / "bits.png").pixels, (PICTURE > 100) * 255)


class TestMetaImage:
    def test_absent_spacing_is_unknown_not_one(self, tmp_path: Path) -> None:
        path = write_metaimage(tmp_path / "frame.mhd", PICTURE)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith("ElementSpacing")))
        assert read_frame(path).pixel_spacing_mm is None

    def test_element_size_is_a_spacing_too(self, tmp_path: Path) -> None:
        path = write_metaimage(tmp_path / "frame.mhd", PICTURE)
        path.write_text(path.read_text().replace("ElementSpacing", "ElementSize"))
        assert read_frame(path).pixel_spacing_mm == pytest.approx((ROW_MM, COLUMN_MM))

    def test_colour_becomes_luminance(self, tmp_path: Path) -> None:
        path = write_metaimage(tmp_path / "frame.mhd", PICTURE)
        path.write_text(path.read_text().replace("ElementType", "ElementNumberOfChannels = 3\nElementType"))
        colour = np.stack([PICTURE, 255 - PICTURE, PICTURE // 2], axis=-1)
        colour.tofile(tmp_path / "frame.raw")
        assert_allclose(read_frame(path).pixels, colour @ [0.2125, 0.7154, 0.0721], rtol=1e-4)

    def test_zero_spacing_is_an_error(self, tmp_path: Path) -> None:
        path = write_metaimage(tmp_path / "frame.mhd", PICTURE)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join("ElementSpacing = 0 0\n" if "Spacing" in line else line for line in lines))
        with pytest.raises(FrameError, match="spacing"):
            read_frame(path)

    def test_a_volume_of_one_slice_is_a_frame(self, tmp_path: Path) -> None:
        assert_array_equal(read_frame(write_metaimage(tmp_path / "one.mha", PICTURE[None])).pixels, PICTURE)

    def test_the_real_frustum_frame(self, real_data: Path) -> None:
        frame = read_frame(real_data / "frustum" / "image.mhd")
        raw = np.fromfile(real_data / "frustum" / "image.raw", np.uint8).reshape(387, 344)
        assert_array_equal(frame.pixels, raw)
        assert frame.pixel_spacing_mm == (0.412964, 0.236302)


class TestNifti:
    @pytest.mark.parametrize(
        ("unit", "spacing", "expected"),
        [
            ("mm", (0.3, 0.2), (0.3, 0.2)),
            ("meter", (0.0003, 0.0002), (0.3, 0.2)),
            ("micron", (300.0, 200.0), (0.3, 0.2)),
            ("unknown", (0.3, 0.2), (0.3, 0.2)),
            ("mm", (1.0, 1.0), (1.0, 1.0)),
            ("unknown", (1.0, 1.0), None),
        ],
    )
    def test_spacing_in_its_unit(self, tmp_path: Path, unit: str, spacing: Any, expected: Any) -> None:
        frame = read_frame(write_nifti(tmp_path / "frame.nii", PICTURE, spacing, unit))
        assert frame.pixel_spacing_mm == (None if expected is None else pytest.approx(expected))

    def test_zero_pixdim_is_unknown(self, tmp_path: Path) -> None:
        path = write_nifti(tmp_path / "frame.nii", PICTURE)
        content = bytearray(path.read_bytes())
        content[80:84] = np.float32(0).tobytes()  # pixdim[1] in a NIfTI-1 header; nibabel turns it into 1
        path.write_bytes(content)
        assert read_frame(path).pixel_spacing_mm is None

    def test_singleton_third_axis_and_scaling(self, tmp_path: Path) -> None:
        image = nib.Nifti1Image(PICTURE.T[..., None].astype(np.int16), np.eye(4))
        image.header.set_slope_inter(0.5, 10)
        nib.save(image, tmp_path / "scaled.nii.gz")
        assert_allclose(read_frame(tmp_path / "scaled.nii.gz").pixels, 0.5 * PICTURE + 10)

    def test_pixels_do_not_hang_on_the_file(self, tmp_path: Path) -> None:
        """nibabel maps an uncompressed float file into memory, read-only."""
        pixels = read_frame(write_nifti(tmp_path / "float.nii", PICTURE.astype(np.float32))).pixels
        pixels += 1
        assert_array_equal(pixels, PICTURE + 1.0)

    @pytest.mark.parametrize("place", [-1, -6, 40, 100])
    def test_a_gzip_stream_is_read_to_its_checksum(self, tmp_path: Path, place: int) -> None:
        path = write_nifti(tmp_path / "frame.nii.gz", np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8))
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)
        with pytest.raises(FrameError, match=r"frame\.nii\.gz: cannot be read as a frame"):
            read_frame(path)

    def test_colour(self, tmp_path: Path) -> None:
        rgb = np.empty(PICTURE.T.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
        rgb["R"], rgb["G"], rgb["B"] = PICTURE.T, PICTURE.T, PICTURE.T
        nib.save(nib.Nifti1Image(rgb, np.eye(4)), tmp_path / "rgb.nii")
        assert_allclose(read_frame(tmp_path / "rgb.nii").pixels, PICTURE, rtol=1e-6)


class TestDicom:
    def test_monochrome1_is_turned_round(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "frame.dcm", PICTURE, photometric_interpretation="MONOCHROME1")
        assert_array_equal(read_frame(path).pixels, 255 - PICTURE)

    def test_monochrome1_of_12_bits(self, tmp_path: Path) -> None:
        deep = PICTURE.astype(np.uint16) * 16
        path = write_dicom(tmp_path / "f.dcm", deep, photometric_interpretation="MONOCHROME1", bits_stored=12)
        assert_array_equal(read_frame(path).pixels, 4095 - deep.astype(int))

    def test_colour_becomes_luminance(self, tmp_path: Path) -> None:
        colour = np.stack([PICTURE, 255 - PICTURE, PICTURE // 2], axis=-1)
        path = write_dicom(tmp_path / "rgb.dcm", colour, photometric_interpretation="RGB")
        assert_allclose(read_frame(path).pixels, colour @ [0.299, 0.587, 0.114], rtol=1e-5)

    def test_ybr_is_its_luminance(self, tmp_path: Path) -> None:
        ybr = np.stack([PICTURE, np.full_like(PICTURE, 128), np.full_like(PICTURE, 128)], axis=-1)
        path = write_dicom(tmp_path / "ybr.dcm", ybr, photometric_interpretation="YBR_FULL")
        assert_allclose(read_frame(path).pixels, PICTURE, atol=1)

    def test_palette_colour(self, tmp_path: Path) -> None:
        table = (np.arange(256, dtype=np.uint16)[::-1] * 256).tobytes()
        palette: dict[str, Any] = {
            f"{colour}PaletteColorLookupTable{part}": value
            for colour in ("Red", "Green", "Blue")
            for part, value in (("Descriptor", [256, 0, 16]), ("Data", table))
        }
        path = write_dicom(tmp_path / "palette.dcm", PICTURE, photometric_interpretation="PALETTE COLOR", **palette)
        assert_allclose(read_frame(path).pixels, (255.0 - PICTURE) * 256, rtol=1e-6)

    @pytest.mark.parametrize(
        ("regions", "elements", "expected"),
        [
            pytest.param([region(0.3, 0.2)], {}, (0.3, 0.2), id="one region"),
            pytest.param([region(-0.3, 0.2)], {}, (0.3, 0.2), id="the sign is a direction"),
            pytest.param(
                [region(0.1, 0.1, (0, 0, 9, 9)), region(0.3, 0.2, (10, 0, 63, 47))], {}, None, id="two that differ"
            ),
            pytest.param(
                [region(0.3, 0.2, (0, 0, 9, 9)), region(0.3, 0.2, (10, 0, 63, 47))], {}, (0.3, 0.2), id="two of a kind"
            ),
            pytest.param(
                [region(0.1, 0.1, (0, 0, 90, 90)), region(0.3, 0.2, (10, 0, 63, 47))],
                {},
                (0.3, 0.2),
                id="one of them beyond the image",
            ),
            pytest.param(
                [region(0.1, 0.1, (0, 0, 90, 90))], {"PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), id="only beyond the image"
            ),
            pytest.param(
                [region(9.0, 9.0, RegionSpatialFormat=3), region(0.3, 0.2, (0, 0, 9, 9))],
                {},
                (0.3, 0.2),
                id="no Doppler",
            ),
            pytest.param([region(9.0, 9.0, RegionDataType=2)], {}, None, id="no colour flow"),
            pytest.param([region(9.0, 9.0, PhysicalUnitsXDirection=4)], {}, None, id="seconds are no cm"),
            pytest.param([region(0.0, 0.2)], {"PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), id="zero delta"),
            pytest.param([], {"PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), id="PixelSpacing is row, column"),
            pytest.param([region(0.3, 0.2)], {"PixelSpacing": [9, 9]}, (0.3, 0.2), id="regions come first"),
            pytest.param([], {"ImagerPixelSpacing": [0.5, 0.4]}, None, id="ImagerPixelSpacing is not used"),
            pytest.param([], {}, None, id="nothing stated"),
        ],
    )
    def test_spacing(self, tmp_path: Path, regions: Any, elements: Any, expected: Any) -> None:
        frame = read_frame(write_dicom(tmp_path / "frame.dcm", PICTURE, regions, **elements))
        assert frame.pixel_spacing_mm == (None if expected is None else pytest.approx(expected))

    def test_rle_compressed(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "frame.dcm", PICTURE)
        dataset = pydicom.dcmread(path)
        dataset.compress("1.2.840.10008.1.2.5")
        dataset.save_as(path)
        assert_array_equal(read_frame(path).pixels, PICTURE)

    @pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000MC], ids=lambda syntax: syntax.keyword)
    def test_no_decoder_says_what_to_install(self, tmp_path: Path, syntax: UID) -> None:
        if is_decodable(syntax):
            pytest.skip(f"a decoder for {syntax.name} is installed")
        path = write_dicom(tmp_path / "frame.dcm", PICTURE)
        dataset = pydicom.dcmread(path)
        dataset.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8" + bytes(100)])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path)
        with pytest.raises(FrameError, match=r"frame\.dcm: compressed as JPEG .*, which no installed library decodes"):
            read_frame(path)


class TestErrors:
    """What cannot be read; that the batch goes on is tested with the collection."""

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"absent\.png: no such file"):
            read_frame(tmp_path / "absent.png")

    @pytest.mark.parametrize("name", ["f.png", "f.jpg", "f.bmp", "f.tif", "f.mha", "f.nii", "f.nii.gz", "f.dcm"])
    def test_truncated_files_are_never_read_in_part(self, tmp_path: Path, name: str) -> None:
        write, _ = LOSSLESS_FORMATS.get(f"frame{name[1:]}", (write_picture, None))
        path = write(tmp_path / name, np.random.default_rng(0).integers(0, 255, (200, 300), np.uint8))
        with pytest.raises(FrameError, match=f"{name}: cannot be read as a frame"):
            read_frame(cut(path))

    def test_truncated_data_file_of_an_mhd(self, tmp_path: Path) -> None:
        path = write_metaimage(tmp_path / "frame.mhd", PICTURE)
        cut(tmp_path / "frame.raw")
        with pytest.raises(FrameError, match="cannot be read as a frame"):
            read_frame(path)

    def test_infinite_pixel(self, tmp_path: Path) -> None:
        values = PICTURE.astype(np.float32)
        values[3, 4] = np.inf
        with pytest.raises(FrameError, match=r"1 of 3072 pixels are NaN or infinite.*Export the frame again"):
            read_frame(write_metaimage(tmp_path / "frame.mha", values))


class TestFrameReader:
    def load(self, path: Path, *more: Any) -> Any:
        reader = "fetal_monai.data.FrameReader"
        transforms = [LoadImaged("image", reader=reader), EnsureChannelFirstd("image"), *more]
        return Compose(transforms)({"image": str(path)})["image"]

    @pytest.mark.parametrize("name", ["frame.png", "frame.mhd", "frame.nii.gz", "frame.dcm"])
    def test_loads_height_by_width(self, tmp_path: Path, name: str) -> None:
        write, spacing = LOSSLESS_FORMATS[name]
        image = self.load(write(tmp_path / name, PICTURE))
        assert_array_equal(image[0], PICTURE)
        assert image.meta["filename_or_obj"] == str(tmp_path / name)
        assert_array_equal(image.meta["spatial_shape"], PICTURE.shape)
        row, column = spacing or (1.0, 1.0)
        assert_allclose(image.affine, np.diag([row, column, 1, 1]), rtol=1e-6)
        assert_allclose(image.meta["pixel_spacing_mm"], spacing or (np.nan, np.nan), rtol=1e-6)

    def test_resized_keeps_the_physical_size(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "frame.dcm", PICTURE)
        image = self.load(path, Resized("image", (24, 16)))
        assert_allclose(np.array(image.shape[1:]) * image.pixdim.numpy(), [48 * ROW_MM, 64 * COLUMN_MM], rtol=1e-6)

    def test_survives_batch_and_inversion(self, tmp_path: Path) -> None:
        path = write_picture(tmp_path / "frame.png", PICTURE)
        resize = Compose(
            [
                LoadImaged("image", reader="fetal_monai.data.FrameReader"),
                EnsureChannelFirstd("image"),
                Resized("image", (96, 128), mode="nearest"),
            ]
        )
        batch = list_data_collate([resize({"image": str(path)}) for _ in range(2)])
        batch["pred"] = batch["image"].clone()
        for item in decollate_batch(batch):
            back = Invertd("pred", resize, orig_keys="image", nearest_interp=True)(item)["pred"]
            assert_array_equal(back[0], PICTURE)

    def test_no_other_reader_takes_over_what_is_refused(self, tmp_path: Path) -> None:
        """MONAI's own NIfTI reader would load the volume without a word."""
        volume = np.stack([PICTURE] * 3, axis=-1).transpose(1, 0, 2)
        nib.save(nib.Nifti1Image(volume, np.eye(4)), tmp_path / "volume.nii")
        with pytest.raises(RuntimeError) as raised:
            self.load(tmp_path / "volume.nii")
        assert isinstance(raised.value.__cause__, FrameError)
        assert "has size 64 x 48 x 3; expected one 2-D frame" in str(raised.value.__cause__)

    def test_verifies_suffixes(self, tmp_path: Path) -> None:
        reader = FrameReader()
        assert reader.verify_suffix("a/b.NII.GZ")
        assert reader.verify_suffix(["a.png", "b.dcm"])
        assert not reader.verify_suffix(["a.png", "b.npy"])

    def test_one_file_per_item(self, tmp_path: Path) -> None:
        reader = FrameReader()
        with pytest.raises(FrameError, match="got 2 files for one frame"):
            reader.get_data(reader.read([tmp_path / "a.png", tmp_path / "b.png"]))

    def test_an_hc18_annotation_lies_on_its_frame(self, real_data: Path) -> None:
        folder = real_data / "hc18" / "training_set"
        image, label = (read_frame(folder / name).pixels for name in ("000_HC.png", "000_HC_Annotation.png"))
        assert image.shape == label.shape == (540, 800)
        assert set(np.unique(label)) == {0, 255}
