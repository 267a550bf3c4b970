from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import itk
import nibabel as nib
import numpy as np
import pydicom
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from pydicom.config import disable_value_validation
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from fetal_monai.data import mask_suffix, read_frame, write_mask
from tests.frame_files import (
    LOSSLESS_FORMATS,
    asymmetric_picture,
    write_dicom,
    write_metaimage,
    write_nifti,
    write_picture,
)

PICTURE = asymmetric_picture()
MASK = PICTURE > 120  # no flip or transpose leaves it as it is


@pytest.mark.parametrize("name", LOSSLESS_FORMATS)
def test_the_mask_lies_on_its_frame_in_every_format(tmp_path: Path, name: str) -> None:
    write, _ = LOSSLESS_FORMATS[name]
    frame = write(tmp_path / name, PICTURE)
    path = tmp_path / "masks" / f"mask{mask_suffix(frame)}"
    write_mask(MASK, frame, path)

    written = read_frame(path)
    assert_array_equal(written.pixels, MASK * 255)
    assert written.pixel_spacing_mm == read_frame(frame).pixel_spacing_mm
    companions = {path.name} if path.suffix != ".mhd" else {"mask.mhd", "mask.raw"}
    assert {file.name for file in path.parent.iterdir()} == companions, "nothing else is left there"


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.png", ".png"),
        ("a.JPG", ".png"),
        ("a.jpeg", ".png"),
        ("a.TIF", ".tif"),
        ("a.b.nii.gz", ".nii.gz"),
        ("a.mhd", ".mhd"),
        ("a.dcm", ".dcm"),
    ],
)
def test_mask_suffix(name: str, suffix: str) -> None:
    assert mask_suffix(name) == suffix


def test_the_mask_of_a_turned_picture_is_turned_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn clockwise
    Image.fromarray(PICTURE).save(tmp_path / "frame.jpg", exif=exif)
    write_mask(np.rot90(MASK, -1), tmp_path / "frame.jpg", tmp_path / "mask.png")
    assert_array_equal(read_frame(tmp_path / "mask.png").pixels, np.rot90(MASK, -1) * 255)


def test_a_jpegs_mask_is_a_lossless_png(tmp_path: Path) -> None:
    frame = write_picture(tmp_path / "frame.jpg", PICTURE)
    write_mask(MASK, frame, tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as mask:
        assert mask.format == "PNG"
        assert_array_equal(np.asarray(mask), MASK * 255)


@pytest.mark.parametrize("mask", [MASK, MASK.astype(np.uint8), MASK * np.uint8(255), MASK.astype(float)])
def test_masks_of_any_kind_are_written_as_0_and_255(tmp_path: Path, mask: np.ndarray) -> None:
    frame = write_picture(tmp_path / "frame.png", PICTURE)
    write_mask(mask, frame, tmp_path / "mask.png")
    assert_array_equal(np.asarray(Image.open(tmp_path / "mask.png")), MASK * 255)


class TestMetaImage:
    @pytest.mark.parametrize("suffix", [".mha", ".mhd"])
    def test_has_the_frames_geometry(self, tmp_path: Path, suffix: str) -> None:
        frame = write_metaimage(tmp_path / f"frame{suffix}", PICTURE[None])  # a volume of one slice
        write_mask(MASK, frame, tmp_path / f"mask{suffix}")
        image, mask = (itk.imread(str(tmp_path / f"{name}{suffix}")) for name in ("frame", "mask"))
        assert mask.GetImageDimension() == 3
        for geometry in ("GetSpacing", "GetOrigin"):
            assert list(getattr(mask, geometry)()) == list(getattr(image, geometry)())
        assert_array_equal(itk.array_from_matrix(mask.GetDirection()), itk.array_from_matrix(image.GetDirection()))
        assert itk.array_view_from_image(mask).dtype == np.uint8

    def test_an_mhd_names_its_own_data_file(self, tmp_path: Path) -> None:
        frame = write_metaimage(tmp_path / "frame.mhd", PICTURE)
        write_mask(MASK, frame, tmp_path / "mask.mhd")
        assert "ElementDataFile = mask.raw" in (tmp_path / "mask.mhd").read_text()

    def test_a_name_that_a_header_cannot_state(self, tmp_path: Path) -> None:
        """A pattern of file names, as ITK would take it: the pixels stay behind the header."""
        frame = write_metaimage(tmp_path / "frame.mhd", PICTURE)
        for name in ("100%s.mhd", "two\nlines.mhd"):
            write_mask(MASK, frame, tmp_path / "masks" / name)
            assert_array_equal(read_frame(tmp_path / "masks" / name).pixels, MASK * 255)
        assert len(list((tmp_path / "masks").iterdir())) == 2

    @pytest.mark.parametrize("suffix", [".mha", ".mhd"])
    def test_an_unknown_spacing_stays_unknown(self, tmp_path: Path, suffix: str) -> None:
        """ITK would write 1 x 1 mm, and the next reader believe it."""
        frame = write_metaimage(tmp_path / f"frame{suffix}", PICTURE)
        header, data_file, pixels = frame.read_bytes().partition(b"ElementDataFile")
        lines = [line for line in header.splitlines(keepends=True) if b"Spacing" not in line]
        frame.write_bytes(b"".join(lines) + data_file + pixels)
        write_mask(MASK, frame, tmp_path / f"mask{suffix}")
        written = read_frame(tmp_path / f"mask{suffix}")
        assert written.pixel_spacing_mm is None
        assert_array_equal(written.pixels, MASK * 255)

    def test_the_real_frustum_frame(self, real_data: Path, tmp_path: Path) -> None:
        frame = real_data / "frustum" / "image.mhd"
        pixels = read_frame(frame).pixels
        write_mask(pixels > 100, frame, tmp_path / "mask.mhd")
        written = read_frame(tmp_path / "mask.mhd")
        assert_array_equal(written.pixels > 0, pixels > 100)
        assert written.pixel_spacing_mm == (0.412964, 0.236302)
        assert_allclose(itk.imread(str(tmp_path / "mask.mhd")).GetOrigin(), [-40.7341, 20.0193, 0])


class TestNifti:
    @pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
    @pytest.mark.parametrize("unit", ["mm", "unknown"])
    def test_has_the_frames_affine_and_unit(self, tmp_path: Path, suffix: str, unit: str) -> None:
        frame = write_nifti(tmp_path / f"frame{suffix}", PICTURE, unit=unit)
        write_mask(MASK, frame, tmp_path / f"mask{suffix}")
        image, mask = (nib.load(tmp_path / f"{name}{suffix}") for name in ("frame", "mask"))
        assert_allclose(mask.affine, image.affine)
        for form in ("get_sform", "get_qform"):
            assert_allclose(getattr(mask.header, form)(), getattr(image.header, form)())
        assert mask.header.get_xyzt_units() == image.header.get_xyzt_units()
        assert mask.get_data_dtype() == np.uint8

    def test_a_scaled_frame_has_an_unscaled_mask(self, tmp_path: Path) -> None:
        image = nib.Nifti1Image(PICTURE.T[..., None].astype(np.int16), None)
        image.header.set_slope_inter(0.5, 10)
        nib.save(image, tmp_path / "frame.nii")
        write_mask(MASK, tmp_path / "frame.nii", tmp_path / "mask.nii")
        mask = nib.load(tmp_path / "mask.nii")
        assert_array_equal(np.asarray(mask.dataobj)[..., 0].T, MASK * 255)
        assert_allclose(mask.affine, nib.load(tmp_path / "frame.nii").affine)


class TestDicom:
    @pytest.fixture
    def frame(self, tmp_path: Path) -> Path:
        """A colour frame, compressed, with grey-level elements that would spoil a mask."""
        path = write_dicom(
            tmp_path / "frame.dcm",
            np.stack([PICTURE] * 3, axis=-1),
            photometric_interpretation="RGB",
            WindowCenter=40,
            WindowWidth=80,
            SmallestImagePixelValue=0,
            PixelSpacing=[0.3, 0.2],
        )
        dataset = pydicom.dcmread(path)
        dataset.add_new(0x60003000, "OW", bytes(PICTURE.size // 8))  # an overlay plane
        dataset.compress(RLELossless)
        dataset.save_as(path)
        return path

    def test_is_a_derived_image_of_the_same_patient(self, frame: Path, tmp_path: Path) -> None:
        write_mask(MASK, frame, tmp_path / "mask.dcm")
        source, mask = pydicom.dcmread(frame), pydicom.dcmread(tmp_path / "mask.dcm")
        for kept in ("PatientName", "PatientID", "StudyInstanceUID", "SequenceOfUltrasoundRegions", "PixelSpacing"):
            assert mask[kept].value == source[kept].value
        assert mask.ImageType == ["DERIVED", "SECONDARY", "OBSTETRICAL", "0001"]
        assert mask.DerivationDescription == "Mask of the fetal head, 0 background, 255 head"
        assert mask.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert mask.SOPInstanceUID == mask.file_meta.MediaStorageSOPInstanceUID != source.SOPInstanceUID
        assert mask.SeriesInstanceUID != source.SeriesInstanceUID

    def test_is_an_uncompressed_8_bit_mask(self, frame: Path, tmp_path: Path) -> None:
        write_mask(MASK, frame, tmp_path / "mask.dcm")
        mask = pydicom.dcmread(tmp_path / "mask.dcm")
        assert mask.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert (mask.PhotometricInterpretation, mask.SamplesPerPixel, mask.BitsStored) == ("MONOCHROME2", 1, 8)
        assert "PlanarConfiguration" not in mask
        assert_array_equal(mask.pixel_array, MASK * 255)
        for harmful in ("WindowCenter", "WindowWidth", "SmallestImagePixelValue"):
            assert harmful not in mask
        assert 0x60003000 not in mask

    def test_the_masks_of_a_series_form_one_series(self, tmp_path: Path) -> None:
        first = write_dicom(tmp_path / "1.dcm", PICTURE)
        series = pydicom.dcmread(first).SeriesInstanceUID
        write_dicom(tmp_path / "2.dcm", PICTURE, SeriesInstanceUID=series)
        masks = []
        for name in ("1.dcm", "2.dcm"):
            write_mask(MASK, tmp_path / name, tmp_path / f"mask {name}")
            masks.append(pydicom.dcmread(tmp_path / f"mask {name}"))
        assert masks[0].SeriesInstanceUID == masks[1].SeriesInstanceUID
        assert masks[0].SOPInstanceUID != masks[1].SOPInstanceUID

    def test_an_implicit_and_a_big_endian_frame(self, tmp_path: Path) -> None:
        for number, (syntax, implicit, little) in enumerate(
            [("1.2.840.10008.1.2", True, True), ("1.2.840.10008.1.2.2", False, False)]
        ):
            frame = write_dicom(tmp_path / f"{number}.dcm", PICTURE)
            dataset = pydicom.dcmread(frame)
            dataset.file_meta.TransferSyntaxUID = syntax
            pydicom.dcmwrite(frame, dataset, implicit_vr=implicit, little_endian=little, force_encoding=True)
            assert_array_equal(read_frame(frame).pixels, PICTURE)
            write_mask(MASK, frame, tmp_path / f"mask{number}.dcm")
            assert_array_equal(read_frame(tmp_path / f"mask{number}.dcm").pixels, MASK * 255)
            assert read_frame(tmp_path / f"mask{number}.dcm").pixel_spacing_mm == pytest.approx((0.3, 0.2))

    def test_what_a_scanner_left_out_or_wrote_wrongly_does_not_stop_the_mask(self, tmp_path: Path) -> None:
        frame = write_dicom(tmp_path / "f.dcm", PICTURE)
        dataset = pydicom.dcmread(frame)
        del dataset.SOPInstanceUID, dataset.SOPClassUID, dataset.SeriesInstanceUID, dataset.ImageType
        with disable_value_validation():
            dataset.PatientAge = "about thirty"
            dataset.StudyDate = "1st May 2021"
            dataset.SoftwareVersions = "v" * 100
            dataset.SliceThickness = "0.12345678901234567890"
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        with disable_value_validation():
            dataset.save_as(frame, implicit_vr=True)
        write_mask(MASK, frame, tmp_path / "mask.dcm")
        assert_array_equal(read_frame(tmp_path / "mask.dcm").pixels, MASK * 255)

    def test_a_palettes_mask_is_gray(self, tmp_path: Path) -> None:
        table = (np.arange(256, dtype=np.uint16)[::-1] * 256).tobytes()
        palette: dict[str, Any] = {
            f"{colour}PaletteColorLookupTable{part}": value
            for colour in ("Red", "Green", "Blue")
            for part, value in (("Descriptor", [256, 0, 16]), ("Data", table))
        }
        frame = write_dicom(tmp_path / "f.dcm", PICTURE, photometric_interpretation="PALETTE COLOR", **palette)
        write_mask(MASK, frame, tmp_path / "mask.dcm")
        assert_array_equal(read_frame(tmp_path / "mask.dcm").pixels, MASK * 255)
        assert "RedPaletteColorLookupTableData" not in pydicom.dcmread(tmp_path / "mask.dcm")

    @pytest.mark.parametrize("zeros", [8, 100, 512])
    def test_a_file_padded_with_zeros(self, tmp_path: Path, zeros: int) -> None:
        """As some archives export: a reader takes the zeros for an element that a writer refuses."""
        frame = write_dicom(tmp_path / "f.dcm", PICTURE)
        frame.write_bytes(frame.read_bytes() + bytes(zeros))
        write_mask(MASK, frame, tmp_path / "mask.dcm")
        assert_array_equal(read_frame(tmp_path / "mask.dcm").pixels, MASK * 255)
        assert pydicom.dcmread(tmp_path / "mask.dcm").PatientID == "4711"


class TestErrors:
    @pytest.mark.parametrize("name", LOSSLESS_FORMATS)
    def test_a_full_disk_is_called_so_whatever_library_writes(self, tmp_path: Path, name: str) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], capture_output=True)
        if mounted.returncode != 0:
            pytest.skip("no right to mount a small disk")
        try:
            write, _ = LOSSLESS_FORMATS[name]
            frame = write(tmp_path / name, PICTURE)
            path = disk / f"mask{mask_suffix(frame)}"
            (disk / "rest").write_bytes(bytes(16 * 1024))
            with pytest.raises(OSError, match="No space left on device"):
                write_mask(MASK, frame, path)
            assert [file.name for file in disk.iterdir()] == ["rest"]
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_mask_of_another_size(self, tmp_path: Path) -> None:
        frame = write_picture(tmp_path / "frame.png", PICTURE)
        with pytest.raises(ValueError, match=r"shape \(64, 48\), the frame \(48, 64\); resize the mask first"):
            write_mask(MASK.T, frame, tmp_path / "mask.png")
        assert not (tmp_path / "mask.png").exists()

    def test_another_suffix(self, tmp_path: Path) -> None:
        frame = write_picture(tmp_path / "frame.jpg", PICTURE)
        with pytest.raises(ValueError, match=r"the mask of frame\.jpg must be a \.png file"):
            write_mask(MASK, frame, tmp_path / "mask.jpg")
