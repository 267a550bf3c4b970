from __future__ import annotations

import csv
import logging
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pydicom
import pytest
import torch
from ignite.engine import Engine
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator
from monai.transforms import Compose, EnsureChannelFirstd, Lambdad, LoadImaged, MapTransform
from PIL import Image

from fetal_monai.biometry import Ellipse
from fetal_monai.data import FrameCollection, FrameDataset, Rejected, collect_frames, read_frame
from fetal_monai.files.csv_table import read_csv_table
from fetal_monai.handlers import MeasurementReport
from fetal_monai.reporting.measurement_row import MEASUREMENT_COLUMNS, SUBMISSION_COLUMNS
from fetal_monai.transforms import IsolateFrame, MeasureHeadd, SaveFrameMaskd, SaveHeadOverlayd
from fetal_monai.workflow import run_in_folder
from tests.frame_files import region, write_dicom, write_metaimage, write_picture

SHAPE = (200, 260)
ELLIPSE = Ellipse(130.0, 100.0, 80.0, 60.0, 0.3)


class ThresholdNetwork(torch.nn.Module):
    """White pixels are the head: the frames of these tests segment themselves."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if (image == 13).any():
            raise ArithmeticError("the network failed")
        head = (image > 100).float()
        return torch.cat([1 - head, head], dim=1)


def write_head(path: Path, ellipse: Ellipse | None = ELLIPSE, background: int = 20) -> Path:
    pixels = np.full(SHAPE, background, np.uint8)
    pixels[0, 0] = 21
    if ellipse is not None:
        pixels[ellipse.rasterise(SHAPE)] = 200
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_picture(path, pixels)


def run(
    collection: FrameCollection,
    output_dir: Path,
    batch_size: int = 2,
    *postprocessing: MapTransform,
    csv_format: str = "plain",
) -> SupervisedEvaluator:
    preprocessing = Compose([LoadImaged("image", reader="fetal_monai.data.FrameReader"), EnsureChannelFirstd("image")])
    dataset = FrameDataset(collection.frames, preprocessing, collection.rejected)
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(dataset, batch_size=batch_size),
        network=ThresholdNetwork(),
        postprocessing=IsolateFrame([Lambdad("pred", lambda pred: pred), MeasureHeadd("pred"), *postprocessing]),
        val_handlers=[MeasurementReport(collection, output_dir=output_dir, csv_format=csv_format)],
    )
    run_in_folder(output_dir, "inference", evaluator)
    return evaluator


def read(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = {row[(reader.fieldnames or [])[0]]: row for row in reader}
    return rows


def test_one_row_a_file_in_the_order_of_the_source(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for name in ("10.png", "9.png", "exam 2/1.png"):
        write_head(source / name)
    write_head(source / "5.png", ellipse=None)
    (source / "7.png").touch()
    run(collect_frames(source, pixel_spacing_mm=0.5), tmp_path / "out")

    rows = read(tmp_path / "out" / "measurements.csv")
    assert [(name, row["status"]) for name, row in rows.items()] == [
        ("5.png", "failed"),
        ("7.png", "failed"),
        ("9.png", "measured"),
        ("10.png", "measured"),
        ("exam 2/1.png", "measured"),
    ]
    assert "empty" in rows["5.png"]["reason"]
    assert "0 bytes" in rows["7.png"]["reason"]
    assert rows["5.png"]["head_circumference_mm"] == ""
    assert list(rows["9.png"]) == list(MEASUREMENT_COLUMNS)
    submission = read(tmp_path / "out" / "hc18_submission.csv")
    assert list(submission) == ["9.png", "10.png", "exam 2/1.png"]
    assert list(submission["9.png"]) == list(SUBMISSION_COLUMNS)


def test_the_numbers(tmp_path: Path) -> None:
    """Against the ellipse that was drawn, and the published check values' formulas by hand."""
    write_head(tmp_path / "in" / "f.png")
    table = tmp_path / "t.csv"
    table.write_text("filename,pixel_spacing_mm,gestational_age_days\nf.png,0.4,140\n")
    run(collect_frames(tmp_path / "in", table=table), tmp_path / "out")

    row = read(tmp_path / "out" / "measurements.csv")["f.png"]
    hc = 0.4 * ELLIPSE.perimeter
    expected = {
        "pixel_spacing_row_mm": 0.4,
        "pixel_spacing_column_mm": 0.4,
        "center_x_px": 130,
        "center_y_px": 100,
        "semi_axis_a_px": 80,
        "semi_axis_b_px": 60,
        "angle_rad": 0.3,
        "head_circumference_mm": hc,
        "biparietal_diameter_outer_to_outer_mm": 48,
        "occipitofrontal_diameter_mm": 64,
        "gestational_age_hadlock_days": 7 * (8.96 + 0.540 * hc / 10 + 0.0003 * (hc / 10) ** 3),
        "gestational_age_intergrowth_days": math.exp(0.05970 * math.log(hc) ** 2 + 6.409e-9 * hc**3 + 3.3258),
        "known_gestational_age_days": 140,
    }
    for column, value in expected.items():
        assert float(row[column]) == pytest.approx(value, rel=0.01), column
    assert row["gestational_age_hadlock"].startswith("20w+")
    # At 20 weeks the standard's mean is 172.48 mm and its deviation 7.440 mm.
    z_score = (float(row["head_circumference_mm"]) - 172.48) / 7.440
    assert float(row["head_circumference_centile"]) == pytest.approx(50 * (1 + math.erf(z_score / 2**0.5)), abs=0.2)
    assert (row["status"], row["reason"], row["pixel_spacing_source"]) == ("measured", "", "table")


def test_submission_in_millimetres_with_unequal_spacing(tmp_path: Path) -> None:
    write_head(tmp_path / "in" / "f.png")
    run(collect_frames(tmp_path / "in", pixel_spacing_mm=[0.6, 0.3]), tmp_path / "out")
    row = read(tmp_path / "out" / "hc18_submission.csv")["f.png"]
    expected = ELLIPSE.scaled(x_scale=0.3, y_scale=0.6)
    assert [float(row[column]) for column in SUBMISSION_COLUMNS[1:]] == pytest.approx(
        [expected.center_x, expected.center_y, expected.semi_axis_a, expected.semi_axis_b, expected.angle_rad],
        rel=0.01,
    )


def test_unknown_spacing_gives_no_millimetre(tmp_path: Path) -> None:
    write_head(tmp_path / "in" / "f.png")
    run(collect_frames(tmp_path / "in"), tmp_path / "out")
    row = read(tmp_path / "out" / "measurements.csv")["f.png"]
    assert row["status"] == "unscaled"
    assert "pixel spacing unknown: give it by the option" in row["reason"]
    assert float(row["semi_axis_a_px"]) == pytest.approx(80, rel=0.01)
    filled = {column for column, value in row.items() if value}
    assert not any(column.endswith("_mm") or "gestational" in column for column in filled)
    assert read(tmp_path / "out" / "hc18_submission.csv") == {}


class TestDoubtfulMeasurements:
    """Half of the head is beyond the frame's left edge."""

    CUT = Ellipse(-0.5, 100.0, 80.0, 60.0, 0.0)

    def measured(self, tmp_path: Path, spacing_mm: float | None) -> dict[str, str]:
        write_head(tmp_path / "in" / "cut.png", self.CUT)
        write_head(tmp_path / "in" / "whole.png")
        run(collect_frames(tmp_path / "in", pixel_spacing_mm=spacing_mm), tmp_path / "out")
        rows = read(tmp_path / "out" / "measurements.csv")
        assert rows["whole.png"]["status"] == ("unscaled" if spacing_mm is None else "measured")
        assert "check" not in rows["whole.png"]["reason"]
        assert float(rows["whole.png"]["ellipse_overlap"]) > 0.99
        return rows["cut.png"]

    def test_they_are_marked_with_the_figure_that_is_poor(self, tmp_path: Path) -> None:
        row = self.measured(tmp_path, 0.4)
        visible = float(row["visible_outline"])
        assert visible == pytest.approx(0.5, abs=0.02)
        assert row["status"] == "check"
        assert row["reason"] == f"check by eye: only {visible:.0%} of the ellipse's outline is inside the frame"
        assert float(row["head_circumference_mm"]) == pytest.approx(0.4 * self.CUT.perimeter, rel=0.02)
        assert list(read(tmp_path / "out" / "hc18_submission.csv")) == ["cut.png", "whole.png"]

    def test_a_doubt_comes_before_a_missing_spacing(self, tmp_path: Path) -> None:
        row = self.measured(tmp_path, None)
        assert row["status"] == "check"
        assert row["reason"].startswith("check by eye: only 5")
        assert "; pixel spacing unknown: give it by the option" in row["reason"]
        assert row["head_circumference_mm"] == ""


class TestDualDisplay:
    """The head in the right one of two pictures on a screen, which is the smaller one and has the smaller pixels."""

    LEFT, RIGHT, BEYOND = (0, 0, 299, 199), (300, 0, 559, 199), (0, 600, 800, 1400)

    def measured(self, tmp_path: Path, regions: list[pydicom.Dataset], center_x: float = 430.0) -> dict[str, str]:
        pixels = np.full((200, 560), 20, np.uint8)
        pixels[0, 0] = 21
        pixels[Ellipse(center_x, 100.0, 80.0, 60.0, 0.3).rasterise((200, 560))] = 200
        write_dicom(tmp_path / "f.dcm", pixels, regions)
        run(collect_frames(tmp_path / "f.dcm"), tmp_path / "out")
        return read(tmp_path / "out" / "measurements.csv")["f.dcm"]

    def test_the_scale_is_that_of_the_region_with_the_head(self, tmp_path: Path) -> None:
        regions = [region(0.48, 0.48, self.LEFT), region(0.4, 0.4, self.RIGHT), region(0.9, 0.9, self.BEYOND)]
        row = self.measured(tmp_path, regions)
        assert (row["status"], row["pixel_spacing_source"]) == ("measured", "header")
        assert (row["pixel_spacing_row_mm"], row["pixel_spacing_column_mm"]) == ("0.4", "0.4")
        assert float(row["head_circumference_mm"]) == pytest.approx(0.4 * ELLIPSE.perimeter, rel=0.01)

    @pytest.mark.parametrize(("left_mm", "center_x", "reason"), [(0.48, 300, "in none"), (0.4, 300, "")])
    def test_a_head_across_two_regions_has_a_scale_where_theirs_are_the_same(
        self, tmp_path: Path, left_mm: float, center_x: float, reason: str
    ) -> None:
        regions = [region(left_mm, left_mm, self.LEFT), region(0.4, 0.4, self.RIGHT)]
        row = self.measured(tmp_path, regions, center_x)
        assert row["status"] == ("unscaled" if reason else "measured")
        assert f"the ellipse lies {reason}; give it by the option" in row["reason"] or not reason
        assert (row["head_circumference_mm"] == "") == (row["pixel_spacing_source"] == "") == bool(reason)

    def test_the_reason_names_the_regions(self, tmp_path: Path) -> None:
        row = self.measured(tmp_path, [region(0.5, 0.4, (0, 0, 559, 199)), region(0.4, 0.4, self.RIGHT)])
        assert row["status"] == "unscaled"
        assert row["reason"] == (
            "pixel spacing unknown: the header states 2 calibrated ultrasound regions on 560 x 200 px (x 0 to 559, "
            "y 0 to 199: 0.5 x 0.4 mm; x 300 to 559, y 0 to 199: 0.4 x 0.4 mm), and the ellipse lies in several that "
            "differ in spacing; give it by the option pixel_spacing_mm or in a table, with override_pixel_spacing"
        )


def test_an_option_fills_gaps_in_a_folder_of_png_and_dicom(tmp_path: Path) -> None:
    picture = write_head(tmp_path / "in" / "a.png")
    pixels = np.asarray(Image.open(picture))
    write_dicom(tmp_path / "in" / "b.dcm", pixels, [region(0.4, 0.3, (0, 0, SHAPE[1] - 1, SHAPE[0] - 1))])
    write_metaimage(tmp_path / "in" / "c.mha", pixels, spacing=(0.2, 0.2))
    run(collect_frames(tmp_path / "in", pixel_spacing_mm=0.5), tmp_path / "out")
    rows = read(tmp_path / "out" / "measurements.csv")
    expected = {
        "a.png": (0.5 * ELLIPSE.perimeter, "option"),
        "b.dcm": (ELLIPSE.scaled(x_scale=0.3, y_scale=0.4).perimeter, "header"),
        "c.mha": (0.2 * ELLIPSE.perimeter, "header"),
    }
    assert {name: row["pixel_spacing_source"] for name, row in rows.items()} == {n: s for n, (_, s) in expected.items()}
    for name, (circumference_mm, _) in expected.items():
        assert float(rows[name]["head_circumference_mm"]) == pytest.approx(circumference_mm, rel=0.01), name


def test_out_of_a_standards_range_the_head_is_measured_all_the_same(tmp_path: Path) -> None:
    write_head(tmp_path / "in" / "f.png")
    run(collect_frames(tmp_path / "in", pixel_spacing_mm=0.2), tmp_path / "out")  # HC 88 mm
    row = read(tmp_path / "out" / "measurements.csv")["f.png"]
    assert row["status"] == "measured"
    assert row["gestational_age_hadlock"].startswith("13w+")
    assert row["gestational_age_intergrowth"] == row["gestational_age_intergrowth_days"] == ""
    assert "INTERGROWTH-21st" in row["reason"]


def test_what_a_person_looks_for_is_in_the_first_columns(tmp_path: Path) -> None:
    write_head(tmp_path / "in" / "f.png")
    run(collect_frames(tmp_path / "in", pixel_spacing_mm=0.4), tmp_path / "out")
    row = read(tmp_path / "out" / "measurements.csv")["f.png"]
    assert list(row)[:4] == ["file", "frame", "status", "head_circumference_mm"]
    assert row["frame"] == "0"
    assert row["gestational_age"] == row["gestational_age_intergrowth"]
    assert row["gestational_age_basis"].startswith("INTERGROWTH-21st from the HC")


def test_a_known_age_is_the_one_to_use_even_where_nothing_is_measured(tmp_path: Path) -> None:
    write_head(tmp_path / "in" / "1.png")
    write_head(tmp_path / "in" / "2.png", ellipse=None)
    table = tmp_path / "t.csv"
    table.write_text("filename,pixel_spacing_mm,gestational_age_days\n1.png,0.4,150\n2.png,0.4,150\n")
    run(collect_frames(tmp_path / "in", table=table), tmp_path / "out")
    rows = read(tmp_path / "out" / "measurements.csv")
    assert [row["status"] for row in rows.values()] == ["measured", "failed"]
    for row in rows.values():
        assert row["gestational_age"] == "21w+3d"
        assert row["gestational_age_basis"].startswith("dating scan")


class TestPersonalData:
    """The patient and the study of a DICOM frame are in the table, and nowhere else."""

    STATED: ClassVar[dict[str, str]] = {
        "patient_id": "=4711",
        "study_date": "2026-11-21",
        "study_instance_uid": "1.2.840.99.1",
        "sop_instance_uid": "not a uid",
    }

    def written(self, path: Path, pixels: np.ndarray) -> None:
        stated: dict[str, Any] = {"PatientID": "=4711", "StudyDate": "20261121", "StudyInstanceUID": "1.2.840.99.1"}
        regions = [region(0.4, 0.4, (0, 0, SHAPE[1] - 1, SHAPE[0] - 1))]
        write_dicom(path, pixels, regions, "MONOCHROME2", None, **stated)
        uid = pydicom.dcmread(path).SOPInstanceUID.encode()
        path.write_bytes(path.read_bytes().replace(uid, b"not a uid".ljust(len(uid), b"\0")))

    def test_they_are_in_the_rows_of_dicom_frames_measured_or_not(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
    ) -> None:
        head = np.asarray(Image.open(write_head(tmp_path / "in" / "a.png")))
        empty = np.asarray(Image.open(write_head(tmp_path / "empty.png", ellipse=None)))
        self.written(tmp_path / "in" / "b.dcm", head)
        self.written(tmp_path / "in" / "c.dcm", empty)
        with caplog.at_level(logging.DEBUG):
            collection = collect_frames(tmp_path / "in", pixel_spacing_mm=0.4)
            run(collection, tmp_path / "out")

        _, rows = read_csv_table(tmp_path / "out" / "measurements.csv")
        assert [row["status"] for row in rows] == ["measured", "measured", "failed"]
        assert not any(rows[0][column] for column in self.STATED)
        for row in rows[1:]:
            assert {column: row[column] for column in self.STATED} == self.STATED

        elsewhere = (
            caplog.text + repr(collection) + repr(collection.frames) + repr(read_frame(tmp_path / "in" / "b.dcm"))
        )
        elsewhere += "".join(str(warning.message) for warning in recwarn)
        elsewhere += (tmp_path / "out" / "hc18_submission.csv").read_text()
        assert "b.dcm" in elsewhere
        assert not any(value in elsewhere for value in self.STATED.values())


class TestForASpreadsheet:
    """Semicolons, decimal commas and a byte order mark."""

    def test_the_same_values_as_in_the_plain_table(self, tmp_path: Path) -> None:
        write_head(tmp_path / "in" / "Müller.png", Ellipse(130.0, 100.0, 80.0, 60.0, 2.8))
        (tmp_path / "in" / "a,b;c.png").touch()
        collection = collect_frames(tmp_path / "in", pixel_spacing_mm=0.4)
        for name in ("plain", "excel"):
            run(collection, tmp_path / name, csv_format=name)
        excel = tmp_path / "excel" / "measurements.csv"
        assert excel.read_bytes().startswith(b"\xef\xbb\xbffile;frame;status;head_circumference_mm;")
        assert excel.read_bytes().count(b"\xef\xbb\xbf") == 1
        columns, rows = read_csv_table(excel, delimiter=";")
        assert (columns, rows[1]["angle_rad"][:2]) == (list(MEASUREMENT_COLUMNS), "2,")
        _, plain = read_csv_table(tmp_path / "plain" / "measurements.csv")
        numbers = {column for column in columns if column.endswith(("_mm", "_px", "_rad", "_days", "_centile"))}
        numbers |= {"ellipse_overlap", "visible_outline", "mean_probability"}
        for expected, row in zip(plain, rows, strict=True):
            assert row == {
                column: value.replace(".", ",") if column in numbers else value for column, value in expected.items()
            }
        submissions = [(tmp_path / name / "hc18_submission.csv").read_bytes() for name in ("plain", "excel")]
        assert submissions[0] == submissions[1]

    def test_a_killed_run_leaves_rows_of_the_same_form(self, tmp_path: Path) -> None:
        (tmp_path / "1.png").touch()
        report = MeasurementReport(collect_frames(tmp_path / "1.png"), output_dir=tmp_path / "out", csv_format="excel")
        report.clear(Engine(lambda engine, batch: None))
        _, (row,) = read_csv_table(tmp_path / "out" / "measurements.csv", delimiter=";")
        assert (row["file"], row["status"]) == ("1.png", "failed")

    def test_an_unknown_form_is_an_error_that_names_the_known_ones(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="csv_format is 'exel'; expected one of plain, excel"):
            MeasurementReport(FrameCollection([], [], tmp_path), output_dir=tmp_path / "out", csv_format="exel")


def test_centile_only_with_an_age_from_elsewhere(tmp_path: Path) -> None:
    write_head(tmp_path / "in" / "f.png")
    run(collect_frames(tmp_path / "in", pixel_spacing_mm=0.4), tmp_path / "out")
    assert read(tmp_path / "out" / "measurements.csv")["f.png"]["head_circumference_centile"] == ""


def test_when_the_run_fails_the_rows_so_far_are_kept_and_the_error_is_seen(tmp_path: Path) -> None:
    for number in (1, 2, 4):
        write_head(tmp_path / "in" / f"{number}.png")
    write_head(tmp_path / "in" / "3.png", background=13)
    (tmp_path / "in" / "5.png").touch()
    with pytest.raises(ArithmeticError, match="the network failed"):
        run(collect_frames(tmp_path / "in", pixel_spacing_mm=0.4), tmp_path / "out", batch_size=1)
    rows = read(tmp_path / "out" / "measurements.csv")
    assert {name: row["status"] for name, row in rows.items()} == {
        "1.png": "measured",
        "2.png": "measured",
        "5.png": "failed",
    }
    assert list(read(tmp_path / "out" / "hc18_submission.csv")) == ["1.png", "2.png"]


def test_rejected_rows_of_one_name_are_all_told(tmp_path: Path) -> None:
    collection = FrameCollection(
        [], [Rejected(tmp_path / "t.csv", "row 1"), Rejected(tmp_path / "t.csv", "row 2")], tmp_path
    )
    run(collection, tmp_path / "out")
    content = (tmp_path / "out" / "measurements.csv").read_text().splitlines()
    assert [line.rstrip(",") for line in content[1:]] == ["t.csv,,failed,,,,,,row 1", "t.csv,,failed,,,,,,row 2"]


def test_summary(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_head(tmp_path / "in" / "1.png")
    write_head(tmp_path / "in" / "2.png", ellipse=None)
    with caplog.at_level(logging.INFO, logger="fetal_monai"):
        run(collect_frames(tmp_path / "in", pixel_spacing_mm=0.4), tmp_path / "out")
    table = tmp_path / "out" / "measurements.csv"
    assert f"Measured 1 frames; 0 to check, 0 without pixel spacing, 1 failed. Table: {table}" in caplog.text


def test_counts_are_metrics_of_the_run(tmp_path: Path) -> None:
    write_head(tmp_path / "in" / "1.png")
    write_head(tmp_path / "in" / "2.png", ellipse=None)
    collection = collect_frames(tmp_path / "in", pixel_spacing_mm=0.4)
    metrics = run(collection, tmp_path / "out").state.metrics
    assert metrics == {"frames_measured": 1, "frames_check": 0, "frames_unscaled": 0, "frames_failed": 1}


def test_a_second_run_starts_anew(tmp_path: Path) -> None:
    write_head(tmp_path / "in" / "1.png")
    collection = collect_frames(tmp_path / "in", pixel_spacing_mm=0.4)
    for _ in range(2):
        run(collection, tmp_path / "out")
    assert len((tmp_path / "out" / "measurements.csv").read_text().splitlines()) == 2


def test_several_ranks_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ignite.distributed as idist

    monkeypatch.setattr(idist, "get_world_size", lambda: 2)
    report = MeasurementReport(FrameCollection([], [], tmp_path), output_dir=tmp_path / "out")
    with pytest.raises(RuntimeError, match="works in one process; run the inference without torchrun"):
        report.attach(Engine(lambda engine, batch: None))


def test_an_evaluator_that_does_not_run_leaves_the_earlier_table(tmp_path: Path) -> None:
    (tmp_path / "measurements.csv").write_text("earlier")
    rejected = [Rejected(tmp_path / "1.png", "no image")]
    report = MeasurementReport(FrameCollection([], rejected, tmp_path), output_dir=tmp_path)
    report.attach(Engine(lambda engine, batch: None))
    assert (tmp_path / "measurements.csv").read_text() == "earlier"


def test_no_frame_at_all_still_gives_a_table(tmp_path: Path) -> None:
    """MONAI skips the run of an empty data set."""
    (tmp_path / "1.png").touch()
    run(collect_frames(tmp_path / "1.png"), tmp_path / "out")
    assert read(tmp_path / "out" / "measurements.csv")["1.png"]["status"] == "failed"
    assert read(tmp_path / "out" / "hc18_submission.csv") == {}


class TestOneFrameFails:
    """Whatever goes wrong with one frame is its row, and the frames behind it are measured."""

    def test_a_file_that_is_gone_or_damaged_after_it_was_taken_in(self, tmp_path: Path) -> None:
        for number in range(1, 6):
            write_head(tmp_path / "in" / f"{number}.png")
        collection = collect_frames(tmp_path / "in", pixel_spacing_mm=0.4)
        (tmp_path / "in" / "1.png").unlink()
        (tmp_path / "in" / "4.png").write_bytes(b"no picture")
        evaluator = run(collection, tmp_path / "out")
        for _ in range(2):
            rows = read(tmp_path / "out" / "measurements.csv")
            assert [row["status"] for row in rows.values()] == ["failed", "measured", "measured", "failed", "measured"]
            assert rows["1.png"]["reason"] == "no such file; check the path."
            assert rows["4.png"]["reason"].startswith("cannot be read as a frame")
            assert len((tmp_path / "out" / "measurements.csv").read_text().splitlines()) == 1 + 5
            evaluator.run()

    def test_no_frame_is_left(self, tmp_path: Path) -> None:
        write_head(tmp_path / "in" / "1.png")
        collection = collect_frames(tmp_path / "in")
        (tmp_path / "in" / "1.png").unlink()
        run(collection, tmp_path / "out")
        assert [row["status"] for row in read(tmp_path / "out" / "measurements.csv").values()] == ["failed"]

    def test_what_is_found_cannot_be_saved(self, tmp_path: Path) -> None:
        names = ["1.png", f"2{'x' * 250}.png", "3.png"]
        for name in names:
            write_head(tmp_path / "in" / name)
        collection = collect_frames(tmp_path / "in", pixel_spacing_mm=0.4)
        savers = [
            SaveFrameMaskd("pred", output_dir=tmp_path / "masks"),
            SaveHeadOverlayd("pred", output_dir=tmp_path / "overlays"),
        ]
        run(collection, tmp_path / "out", 2, *savers)
        rows = read(tmp_path / "out" / "measurements.csv")
        assert [(name, row["status"]) for name, row in rows.items()] == [
            (names[0], "measured"),
            (names[1], "failed"),
            (names[2], "measured"),
        ]
        assert "give the frame a shorter name" in rows[names[1]]["reason"]
        assert list(read(tmp_path / "out" / "hc18_submission.csv")) == [names[0], names[2]]
        assert {path.name for path in (tmp_path / "overlays").iterdir()} == {"1_overlay.png", "3_overlay.png"}

    def test_figures_that_are_out_of_all_bounds(self, tmp_path: Path) -> None:
        for name in ("1.png", "2.png"):
            write_head(tmp_path / "in" / name)
        collection = collect_frames(tmp_path / "in", pixel_spacing_mm=0.4)
        collection.frames[0]["pixel_spacing_mm"] = [1e300, 1e300]
        run(collection, tmp_path / "out")
        rows = read(tmp_path / "out" / "measurements.csv")
        assert rows["2.png"]["status"] == "measured"
        assert not rows["1.png"]["gestational_age_hadlock"]

    def test_a_full_disk_is_not_one_frames_failure(self, tmp_path: Path) -> None:
        for number in (1, 2, 3):
            write_head(tmp_path / "in" / f"{number}.png", background=20 + number)

        class FillDisk(MapTransform):
            def __call__(self, data: dict) -> dict:
                if data["image"].max() and (data["image"] == 22).any():
                    Path("/dev/full").write_text("a mask")
                return data

        collection = collect_frames(tmp_path / "in", pixel_spacing_mm=0.4)
        with pytest.raises(SystemExit) as stopped:
            run(collection, tmp_path / "out", 1, FillDisk("pred"))
        assert str(stopped.value) == (
            f"the output folder: No space left on device. The run stops at {tmp_path / 'in' / '2.png'}; what was "
            "written before is kept. Make room, or choose another output folder, and run again."
        )
        assert list(read(tmp_path / "out" / "measurements.csv")) == ["1.png"]

    def test_in_a_worker_process_a_failure_would_be_lost(self, tmp_path: Path) -> None:
        write_head(tmp_path / "1.png")
        collection = collect_frames(tmp_path)
        loader = DataLoader(FrameDataset(collection.frames, Compose([]), collection.rejected), num_workers=1)
        with pytest.raises(RuntimeError, match="set num_workers to 0"):
            next(iter(loader))


def test_a_run_that_is_killed_leaves_a_whole_table_in_the_order_of_the_work(tmp_path: Path) -> None:
    """Each batch's rows are appended when it ends: the file is looked at in between, as a kill would find it."""
    for name in ("1.png", "2.png"):
        write_head(tmp_path / "in" / name)
    (tmp_path / "in" / "3.png").touch()
    table, found = tmp_path / "out" / "measurements.csv", []

    class Look(MapTransform):
        def __call__(self, data: dict) -> dict:
            found.append((table.stat().st_ino, list(read(table))))
            return data

    run(collect_frames(tmp_path / "in", pixel_spacing_mm=0.4), tmp_path / "out", 1, Look("pred"))
    assert [names for _, names in found] == [["3.png"], ["3.png", "1.png"]]
    assert found[0][0] == found[1][0], "the table was written anew, not appended to"
    assert list(read(table)) == ["1.png", "2.png", "3.png"]
