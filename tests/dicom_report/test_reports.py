"""What the reports say, read by pydicom alone."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.coding import Code

pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")

from fetal_monai.biometry import Ellipse
from fetal_monai.data.io.cine.opening import open_cine
from fetal_monai.dicom_report import codes
from fetal_monai.measurement import HeadMeasurer
from tests.dicom_report.conftest import AGE_DAYS, KINDS, LOOP_CLASS, SOURCES, STUDY, Exam
from tests.dicom_report.content_tree import children, code, concept, items, number, path

pytestmark = pytest.mark.slow

SIZES = {
    "11984-2": "head_circumference_mm",
    "11820-8": "biparietal_diameter_outer_to_outer_mm",
    "11851-3": "occipitofrontal_diameter_mm",
}
GESTATIONAL_AGE, PERCENTILE = "18185-9", "125012"
STANDARD_CODES = [
    value
    for value in vars(codes).values()
    if isinstance(value, Code) and value.scheme_designator in ("DCM", "LN", "SCT")
]


@pytest.mark.parametrize("standard", STANDARD_CODES, ids=lambda standard: standard.meaning)
def test_standard_codes_are_those_of_pydicoms_dictionary(standard: Code) -> None:
    entries = concepts[standard.scheme_designator].values()
    meanings = {meanings[standard.value][0] for meanings in entries if standard.value in meanings}
    assert standard.meaning in meanings


@pytest.mark.parametrize("name", SOURCES)
def test_the_obstetric_report_has_the_numbers_of_the_table(exam: Exam, name: str) -> None:
    report, row = exam.report(name, "obgyn"), exam.row(name)
    assert concept(report) == codes.OBGYN_REPORT
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "5000"
    groups = path(report, "125002", "125005")
    assert [[concept(item).value for item in group.ContentSequence] for group in groups] == [
        ["11984-2", GESTATIONAL_AGE, PERCENTILE],
        ["11820-8"],
        ["11851-3"],
    ]
    for group in groups:
        size = group.ContentSequence[0]
        assert number(size) == (row[SIZES[concept(size).value]], "mm")
    _, age, percentile = groups[0].ContentSequence
    assert number(age) == (row["gestational_age_intergrowth_days"], "d")
    assert code(path(age, "121420")[0].ConceptCodeSequence) == codes.INTERGROWTH_AGE
    assert number(percentile) == (row["head_circumference_centile"], "%")
    assert code(path(percentile, "121420")[0].ConceptCodeSequence) == codes.INTERGROWTH_GROWTH
    assert [number(age) for age in children(percentile, GESTATIONAL_AGE)] == [(str(AGE_DAYS), "d")]


@pytest.mark.parametrize("name", SOURCES)
def test_the_comprehensive_report_has_the_numbers_of_the_table(exam: Exam, name: str) -> None:
    report, row = exam.report(name, "tid1500"), exam.row(name)
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    (group,) = path(report, "126010", "125007")
    sizes = {concept(item).value: number(item) for item in group.ContentSequence if item.ValueType == "NUM"}
    assert {value: sizes[value] for value in SIZES} == {value: (row[column], "mm") for value, column in SIZES.items()}
    ages = {code(path(age, "121420")[0].ConceptCodeSequence).value: number(age) for age in children(group, "18185-9")}
    assert ages == {
        "IG21_GA_BY_HC": (row["gestational_age_intergrowth_days"], "d"),
        "11932-1": (row["gestational_age_hadlock_days"], "d"),
    }
    assert sizes[PERCENTILE] == (row["head_circumference_centile"], "%")


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_belongs_to_the_study_of_its_source(exam: Exam, name: str, kind: str) -> None:
    source, report = exam.source(name), exam.report(name, kind)
    for keyword in ("StudyInstanceUID", "PatientID", "PatientName", *STUDY):
        assert report[keyword].value == source[keyword].value, keyword
    assert report.SeriesInstanceUID != source.SeriesInstanceUID
    assert report.SOPInstanceUID == report.file_meta.MediaStorageSOPInstanceUID != source.SOPInstanceUID
    assert report.SeriesDescription.startswith("AI") and "unverified" in report.SeriesDescription
    assert report.DeviceSerialNumber == exam.weights_sha256


def test_each_report_is_an_instance_of_its_own_and_each_kind_has_a_series(exam: Exam) -> None:
    reports = [exam.report(name, kind) for name in SOURCES for kind in KINDS]
    assert len({report.SOPInstanceUID for report in reports}) == len(reports)
    assert len({report.SeriesInstanceUID for report in reports}) == len(reports)  # the sources are in three series


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", ["obgyn", "tid1500"])
def test_every_reference_is_to_the_source_image_and_frame(exam: Exam, name: str, kind: str) -> None:
    source, report = exam.source(name), exam.report(name, kind)
    references = [item.ReferencedSOPSequence[0] for item in items(report) if item.ValueType == "IMAGE"]
    assert len(references) == 4  # of three measurements, and of the region or the image library
    for reference in references:
        assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert reference.ReferencedSOPClassUID == source.SOPClassUID
        assert reference.get("ReferencedFrameNumber") == (exam.frame_to_report + 1 if name == "loop" else None)
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    assert (study.StudyInstanceUID, series.SeriesInstanceUID) == (source.StudyInstanceUID, source.SeriesInstanceUID)
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedSOPSequence] == [source.SOPInstanceUID]


@pytest.mark.parametrize("kind", ["obgyn", "tid1500"])
def test_it_says_that_it_is_by_ai_and_not_verified(exam: Exam, kind: str) -> None:
    report = exam.report("loop", kind)
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    texts = Counter(item.TextValue for item in items(report) if item.ValueType == "TEXT")
    assert texts["Measured by software (artificial intelligence). Not verified by a person."] == 1
    assert texts[f"Measured on frame {exam.frame_to_report + 1} of 3, proposed for this loop."] == 1
    assert texts["fetal_monai bisenet"] >= 3
    assert texts[f"weights sha256: {exam.weights_sha256}"] == 3
    assert texts["pixel spacing: 0.2 x 0.2 mm (row x column), from the header"] == 3
    families = [code(item.ConceptCodeSequence) for item in items(report) if concept(item).value == "111000"]
    assert families == [codes.ARTIFICIAL_INTELLIGENCE] * 3


@pytest.mark.parametrize("name", SOURCES)
def test_the_ellipse_and_the_segmentation_cover_the_same_head(exam: Exam, name: str) -> None:
    mask = exam.report(name, "seg").pixel_array.astype(bool)
    (graphic,) = [item for item in items(exam.report(name, "tid1500")) if item.ValueType == "SCOORD"]
    assert graphic.GraphicType == "ELLIPSE"
    ends = np.reshape(graphic.GraphicData, (4, 2)) - 0.5  # of the long, then of the short axis
    (x, y), (dx, dy) = ends.mean(axis=0), ends[1] - ends[0]
    a, b = (np.hypot(*(ends[i + 1] - ends[i])) / 2 for i in (0, 2))
    drawn = Ellipse(x, y, a, b, np.arctan2(dy, dx))
    row = exam.row(name)
    assert [x, y, a, b] == pytest.approx(
        [float(row[column]) for column in ("center_x_px", "center_y_px", "semi_axis_a_px", "semi_axis_b_px")], abs=1e-3
    )
    inside = drawn.rasterise(mask.shape)
    assert np.count_nonzero(mask & inside) > 0.95 * np.count_nonzero(mask | inside)


def test_the_segmentation_of_a_loop_is_that_of_the_proposed_frame(exam: Exam) -> None:
    report, index = exam.report("loop", "seg"), exam.frame_to_report
    (groups,) = report.PerFrameFunctionalGroupsSequence
    (source,) = groups.DerivationImageSequence[0].SourceImageSequence
    assert source.ReferencedSOPInstanceUID == exam.source("loop").SOPInstanceUID
    assert (source.ReferencedSOPClassUID, source.ReferencedFrameNumber) == (LOOP_CLASS, index + 1)
    (pixels,) = [frame.pixels for frame in open_cine(exam.folder / "loop.dcm") if frame.index == index]
    expected = HeadMeasurer()(pixels, pixel_spacing_mm=0.2).mask
    assert expected is not None and np.array_equal(report.pixel_array.astype(bool), expected)


@pytest.mark.parametrize("name", SOURCES)
def test_the_secondary_capture_shows_the_frame_with_its_ellipse(exam: Exam, name: str) -> None:
    report: pydicom.Dataset = exam.report(name, "sc")
    picture = report.pixel_array
    assert picture.shape[2] == 3
    assert (picture == (255, 196, 0)).all(axis=2).sum() > 500  # the colour of the ellipse
    assert (report.ImageType[0], report.BurnedInAnnotation) == ("DERIVED", "YES")
    assert report.SourceImageSequence[0].ReferencedSOPInstanceUID == exam.source(name).SOPInstanceUID
    assert "Not verified" in report.DerivationDescription


def test_the_page_of_the_docs_lists_every_code() -> None:
    page = (
        (Path(__file__).parents[2] / "docs" / "dicom_reports.md").read_text(encoding="utf-8").partition("## Codes")[2]
    )
    used = [value for value in vars(codes).values() if isinstance(value, Code)]
    listed = re.findall(r"^\| (.+) \| (\S+) (\S+) \|$", page, flags=re.MULTILINE)
    assert [(each.meaning, each.scheme_designator, each.value) for each in used] == listed
