"""What is labelled on the page is saved as files that the project's other commands read."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from data_prep.ellipse_label import main as ellipse_label_command
from fetal_monai.biometry import Ellipse
from fetal_monai.data.preparation.ellipse_label import read_ellipse_label
from fetal_monai.measurement import HeadMeasurer
from tests.frame_files import numbered_picture, write_dicom
from tests.page.browser_page import drag, expect_circumference, place, saved, wait_until_measured
from tests.page.conftest import PIXEL_MM
from tests.page.served import Served, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

ELLIPSE = {"center_x": 401.5, "center_y": 262.25, "semi_axis_a": 210.125, "semi_axis_b": 160.0, "angle_rad": 0.375}


@pytest.fixture
def served(frames: Path, load: Callable[[], HeadMeasurer]) -> Iterator[Served]:
    with serve(frames, load, pixel_spacing_mm=PIXEL_MM) as running:
        yield running


def annotate(served: Served, name: str, frame: int = 0, revision: int = 0, **annotation: Any) -> dict[str, Any]:
    path = f"/api/files/{served.files()[name]}/frames/{frame}/annotation"
    answer = served.request("PUT", path, {"annotation": annotation, "revision": revision})
    assert answer.status == 200, answer.body
    kept: dict[str, Any] = answer.json
    return kept


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open() as file:
        return list(csv.DictReader(file))


def test_the_files_hold_what_was_accepted(served: Served, frames: Path, tmp_path: Path) -> None:
    for number, name in enumerate(sorted(served.files())):
        annotate(served, name, ellipse=ELLIPSE | {"center_x": 400 + number}, decision="accepted", person="AB")
    answer = served.request("POST", "/api/labels").json
    assert answer == {"folder": "labels_1", "ellipses": 3, "categories": 0, "skipped": 0, "problems": []}
    folder = frames / "labels_1"
    label = read_ellipse_label(folder / "ellipses" / "000_HC_png_ellipse.xml")
    expected = Ellipse(**ELLIPSE | {"center_x": 400})
    assert (label.image_name, label.shape, label.ellipse) == ("000_HC.png", (540, 800), expected)
    assert label.pixel_spacing_mm == (PIXEL_MM, PIXEL_MM)
    mask = np.asarray(Image.open(folder / "masks" / "000_HC_mask.png"))
    np.testing.assert_array_equal(mask > 0, expected.rasterise((540, 800)))
    row = rows_of(folder / "measurements.csv")[0]
    assert (row["file"], row["status"], row["accepted_by"]) == ("000_HC.png", "measured", "AB")
    assert float(row["head_circumference_mm"]) == pytest.approx(expected.perimeter * PIXEL_MM, rel=1e-5)
    assert float(row["model_head_circumference_mm"]) > 0
    # The command that prepares a training takes them.
    done = ellipse_label_command(
        [
            "prepare",
            "--images",
            str(frames),
            "--labels",
            str(folder / "ellipses"),
            "--output_dir",
            str(tmp_path / "set"),
        ]
    )
    assert done == 0
    listed = json.loads((tmp_path / "set" / "datalist.json").read_text())
    assert sum(len(listed[section]) for section in ("training", "validation", "test")) == 3


def test_what_was_saved_is_no_work(served: Served, frames: Path) -> None:
    before = served.files()
    annotate(served, "000_HC.png", ellipse=ELLIPSE, decision="accepted")
    assert served.request("POST", "/api/labels").json["folder"] == "labels_1"
    assert served.request("POST", "/api/labels").json["folder"] == "labels_2"
    assert {entry["name"]: entry["id"] for entry in served.request("POST", "/api/files").json} == before


def test_categories_and_skipped_frames_are_tables(served: Served, frames: Path) -> None:
    annotate(served, "000_HC.png", categories=["placenta", "head"])
    annotate(served, "001_HC.png", decision="skipped", reason="=SUM(A1)", person="CD")
    answer = served.request("POST", "/api/labels").json
    assert (answer["ellipses"], answer["categories"], answer["skipped"]) == (0, 1, 1)
    (row,) = rows_of(frames / "labels_1" / "categories.csv")
    assert row == {"filename": "000_HC.png", "frame": "0", "labels": "head, placenta"}
    (row,) = rows_of(frames / "labels_1" / "skipped.csv")
    assert (row["filename"], row["person"]) == ("001_HC.png", "CD")
    assert not row["reason"].startswith("=")


def test_a_frame_that_is_gone_is_reported_and_the_others_are_saved(served: Served, frames: Path) -> None:
    for name in ("000_HC.png", "001_HC.png"):
        annotate(served, name, ellipse=ELLIPSE, decision="accepted")
    (frames / "000_HC.png").write_bytes(b"damaged")
    answer = served.request("POST", "/api/labels").json
    assert answer["ellipses"] == 1
    assert answer["problems"][0].startswith("000_HC.png: ")
    statuses = [row["status"] for row in rows_of(frames / "labels_1" / "measurements.csv")]
    assert statuses == ["failed", "measured"]


def test_saved_whole_or_not_at_all(served: Served, frames: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert served.request("POST", "/api/labels").status == 422  # nothing is labelled
    annotate(served, "000_HC.png", ellipse=ELLIPSE, decision="accepted")
    (frames / "labels_1").write_text("in the way")
    assert served.request("POST", "/api/labels").json["folder"] == "labels_2"
    assert (frames / "labels_1").read_text() == "in the way"
    assert not list((frames / ".fetal_monai").glob("saving-*"))


def test_a_frame_of_a_loop_is_saved_as_an_image(frames: Path, load: Callable[[], HeadMeasurer]) -> None:
    write_dicom(frames / "7_loop.dcm", np.stack([numbered_picture(number) for number in range(4)]), FrameTime=40)
    with serve(frames, load) as served:
        small = {"center_x": 30, "center_y": 22, "semi_axis_a": 20, "semi_axis_b": 15, "angle_rad": 0}
        annotate(served, "7_loop.dcm", frame=2, ellipse=small, decision="accepted")
        assert served.request("POST", "/api/labels").json["ellipses"] == 1
        (label,) = (frames / "labels_1" / "ellipses").iterdir()
        read = read_ellipse_label(label)
        image = np.asarray(Image.open(frames / "labels_1" / "images" / read.image_name))
        np.testing.assert_array_equal(image, numbered_picture(2))
        assert read.ellipse == Ellipse(**small)


@pytest.mark.slow
def test_all_of_it_survives_the_death_of_the_server(frames: Path, page: Page) -> None:
    """Drawn, accepted and labelled in the browser; then the server is killed and started again."""
    from playwright.sync_api import expect

    command = [sys.executable, "-m", "fetal_monai", "page", str(frames), "--no-browser", "--port", "0"]
    command += ["--pixel-spacing-mm", str(PIXEL_MM)]

    with started(command) as (process, address):
        page.goto(address)
        page.get_by_label("Initials").fill("AB")
        page.locator("#stage").focus()
        wait_until_measured(page)
        page.keyboard.press("b")
        page.keyboard.press("1")
        page.keyboard.press("d")
        drag(page, place(page, 150, 200), place(page, 610, 330))
        page.keyboard.press("Enter")
        expect(page.locator(".row.accepted")).to_have_count(1)
        saved(page)
        process.kill()
    page.goto("about:blank")
    with started(command) as (_, address):
        page.goto(address)
        expect(page.locator(".heading")).to_contain_text("Accepted by AB")
        expect(page.locator("#progress-text")).to_have_text("1 of 3")
        page.keyboard.press("w")
        expect(page.get_by_role("dialog")).to_contain_text(re.compile("1 ellipses, 1 frames with categories"))
        (xml,) = (frames / "labels_1" / "ellipses").iterdir()
        ellipse = read_ellipse_label(xml).ellipse
        assert ellipse.center_x == pytest.approx(380, abs=0.5)
        assert ellipse.center_y == pytest.approx(265, abs=0.5)
        assert ellipse.semi_axis_a == pytest.approx(np.hypot(460, 130) / 2, abs=0.5)
        assert ellipse.angle_rad == pytest.approx(np.arctan2(130, 460), abs=0.005)
        expect_circumference(page, ellipse.perimeter * PIXEL_MM)


@contextmanager
def started(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and its address."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, next(line for line in process.stdout if line.startswith("http")).strip()
    finally:
        process.terminate()
        process.communicate()
