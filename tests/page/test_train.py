"""Frames are labelled in the browser, a network is trained on them, and a frame is measured with it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fetal_monai.measurement import HeadMeasurer
from fetal_monai.phantom import write_phantoms
from tests.page.browser_page import saved, wait_until_measured
from tests.page.conftest import PIXEL_MM
from tests.page.served import Served, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

FRAMES = 10


@pytest.fixture
def served(tmp_path: Path, load: Callable[[], HeadMeasurer]) -> Iterator[Served]:
    write_phantoms(tmp_path / "phantoms", count=1, test_count=FRAMES, seed=2)
    (tmp_path / "frames").mkdir()
    for path in (tmp_path / "phantoms" / "test_set").glob("*_HC.png"):
        shutil.copy(path, tmp_path / "frames")
    with serve(tmp_path / "frames", load, pixel_spacing_mm=PIXEL_MM) as running:
        yield running


def test_too_few_exams_are_refused(served: Served) -> None:
    answer = served.request("POST", "/api/training", {"epochs": 1})
    assert answer.status == 422
    assert "No usable frame" in answer.json["detail"]
    assert served.request("POST", "/api/training", {"epochs": 0}).status == 422
    assert served.request("POST", "/api/training", {"epochs": 1, "size": "../train.json"}).status == 422
    assert served.request("PUT", "/api/network", {"number": 7}).status == 404
    assert not list((served.workspace.folder.state / "trainings").iterdir())


@pytest.mark.slow
def test_ten_labels_train_a_network_that_then_measures(served: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(served.address)
    for number in range(FRAMES):
        expect(page.locator("#stage")).to_have_attribute("aria-label", f"{number:03}_HC.png, 800 by 540 pixels")
        wait_until_measured(page)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
    expect(page.locator("#progress-text")).to_have_text(f"{FRAMES} of {FRAMES}")
    saved(page)
    model = f"/api/files/{served.files()['000_HC.png']}/frames/0/model"
    before = served.request("GET", model).json["row"]["head_circumference_mm"]

    page.get_by_role("tab", name="Train").click()
    expect(page.locator("#train-labels")).to_contain_text(f"{FRAMES} accepted ellipses train bisenet")
    page.get_by_label("Epochs", exact=True).fill("2")
    page.locator("#size").select_option("128x64")
    page.get_by_role("button", name="Train on these labels").click()
    expect(page.locator("#train-command")).to_contain_text("monai.bundle run training")
    expect(page.locator("#train-state")).to_contain_text("finished after 2 epochs", timeout=240_000)
    expect(page.locator("#train-curve")).to_have_attribute("aria-label", re.compile("^Training curve, 2 epochs"))
    for curve in ("loss", "dice"):
        assert str(page.locator(f"#train-curve .{curve}").get_attribute("d")).count("L") == 1
    (datalist,) = served.workspace.folder.state.glob("trainings/*/data/datalist.json")
    listed = json.loads(datalist.read_text())
    assert sum(len(listed[section]) for section in ("training", "validation", "test")) == FRAMES

    page.get_by_label("training 1").check()
    expect(page.locator("#network-state")).to_have_text("Measures with training 1.", timeout=120_000)
    assert served.request("GET", "/api/training").json["networks"][1] == {"number": 1, "used": True}
    identifier = served.files()["000_HC.png"]
    measured = served.request("GET", model).json
    trained = served.workspace.measuring.measurer
    assert trained.bundle.spatial_size == (64, 128)
    expected = trained(served.workspace.open(identifier).pixels(0), PIXEL_MM)
    assert measured["row"]["status"] == expected.status
    assert measured["row"].get("head_circumference_mm") == pytest.approx(expected.head_circumference_mm)
    assert measured["row"].get("head_circumference_mm") != pytest.approx(before, abs=1e-3)
