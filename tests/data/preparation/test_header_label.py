from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fetal_monai.data import FrameError, LabelError, read_header_labels
from tests.frame_files import asymmetric_picture, write_labelled, write_metaimage, write_nifti, write_picture


@pytest.mark.parametrize("name", ["frame.mha", "frame.mhd"])
@pytest.mark.parametrize("key", ["Label", "Labels", "LABELS"])
def test_metaimage_keeps_labels_as_itk_writes_them(tmp_path: Path, name: str, key: str) -> None:
    path = write_labelled(tmp_path / name, 255, **{key: " placenta,LIMBS"})

    assert read_header_labels(path) == ("limbs", "placenta")


@pytest.mark.parametrize("name", ["frame.nii", "frame.nii.gz"])
def test_nifti_keeps_labels_in_its_description_only(tmp_path: Path, name: str) -> None:
    path = write_labelled(tmp_path / name, ITK_FileNotes="Labels = Placenta, Limbs")
    assert read_header_labels(path) == ("limbs", "placenta")
    assert bytes(nib.load(path).header["descrip"]).startswith(b"Labels = Placenta, Limbs")

    lost = write_labelled(tmp_path / f"lost-{name}", Labels="Placenta, Limbs")
    with pytest.raises(LabelError, match=r"descrip has no 'Label' or 'Labels'.*or give a CSV table"):
        read_header_labels(lost)


def test_an_unknown_label_names_file_label_known_ones_and_the_nearest(tmp_path: Path) -> None:
    path = write_labelled(tmp_path / "scan7.mha", Label="Spline")

    with pytest.raises(LabelError, match=r"scan7\.mha: the label 'spline' is unknown.*head, thorax.*mean 'spine'\?"):
        read_header_labels(path)


def test_a_header_without_label_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"frame\.mhd: the header has no 'Label' or 'Labels'; add it"):
        read_header_labels(write_metaimage(tmp_path / "frame.mhd", asymmetric_picture()))
    with pytest.raises(LabelError, match=r"frame\.nii: descrip has no 'Label'"):
        read_header_labels(write_nifti(tmp_path / "frame.nii", asymmetric_picture()))


def test_other_kinds_of_file_need_a_table(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"frame\.png: only the headers of \.mha, .*give a CSV table"):
        read_header_labels(write_picture(tmp_path / "frame.png", np.zeros((4, 4), np.uint8)))


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "frame.nii.gz").write_bytes(b"\x1f\x8b\x08\x00 not a gzip stream")
    with pytest.raises(FrameError, match=r"frame\.nii\.gz: cannot be read as a frame"):
        read_header_labels(tmp_path / "frame.nii.gz")
    with pytest.raises(FileNotFoundError, match=r"none\.mha: no such file"):
        read_header_labels(tmp_path / "none.mha")


def test_the_published_frame_has_both_its_labels(real_data: Path) -> None:
    assert read_header_labels(real_data / "frustum" / "image.mhd") == ("limbs", "placenta")
