"""A loop is played, measured frame by frame, and one of its frames accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from skimage.transform import rescale

from fetal_monai.data import open_cine
from fetal_monai.measurement import HeadMeasurer
from fetal_monai.measurement.loop_track import frame_to_report
from tests.frame_files import region, write_dicom
from tests.page.browser_page import circumference_mm, kept, saved, wait_until_measured
from tests.page.served import serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

ZOOMS = (0.8, 0.84, 0.88, 0.92, 0.96, 0.98, 1.0, 1.0, 0.98, 0.96, 0.92, 0.88)


@pytest.fixture
def loop(phantoms: list[Path], tmp_path: Path) -> Path:
    """A sweep through a head: it grows and shrinks again."""
    still = np.asarray(Image.open(phantoms[0]))
    frames = np.zeros((len(ZOOMS), *still.shape), np.uint8)
    for frame, zoom in zip(frames, ZOOMS, strict=True):
        zoomed = rescale(still, zoom, preserve_range=True)
        frame[: zoomed.shape[0], : zoomed.shape[1]] = zoomed
    folder = tmp_path / "frames"
    folder.mkdir()
    whole = region(0.15, 0.15, (0, 0, still.shape[1] - 1, still.shape[0] - 1))
    return write_dicom(folder / "loop.dcm", frames, [whole], FrameTime=40)


@pytest.mark.slow
def test_a_loop_has_a_curve_and_a_proposed_frame(loop: Path, load: Callable[[], HeadMeasurer], page: Page) -> None:
    from playwright.sync_api import expect

    expected = [load()(frame.pixels, 0.15).head_circumference_mm for frame in open_cine(loop)]
    with serve(loop.parent, load) as served:
        track = served.request("GET", f"/api/files/{served.files()['loop.dcm']}/loop").json
        assert track["circumference"] == pytest.approx(expected, abs=0.05)
        assert track["proposed"] == frame_to_report(expected, [True] * len(expected))
        page.goto(served.address)
        wait_until_measured(page)
        expect(page.locator("#at")).to_have_text(f"1 / {len(ZOOMS)}")
        expect(page.locator("#track")).to_have_attribute(
            "aria-label", re.compile(f"proposed frame {track['proposed'] + 1}")
        )
        page.keyboard.press("p")
        expect(page.locator("#at")).to_have_text(f"{track['proposed'] + 1} / {len(ZOOMS)}")
        wait_until_measured(page)
        assert circumference_mm(page) == pytest.approx(expected[track["proposed"]], abs=0.1)
        page.keyboard.press("Space")
        expect(page.locator("#play")).to_have_attribute("aria-label", "Stop")
        expect(page.locator("#at")).not_to_have_text(f"{track['proposed'] + 1} / {len(ZOOMS)}")
        page.keyboard.press("Space")
        page.keyboard.press("p")
        wait_until_measured(page)
        page.keyboard.press("Enter")
        saved(page)
        assert kept(served, "loop.dcm", track["proposed"])["annotation"]["decision"] == "accepted"
        assert kept(served, "loop.dcm", 0)["annotation"]["revision"] == 0
        page.keyboard.press("b")  # nothing of the network's leads the hand
        expect(page.locator("#track")).to_be_hidden()


def test_a_calibration_counts_for_the_whole_loop(loop: Path, load: Callable[[], HeadMeasurer]) -> None:
    write_dicom(loop, np.stack([frame.pixels.astype(np.uint8) for frame in open_cine(loop)]), [], FrameTime=40)
    with serve(loop.parent, load) as served:
        identifier = served.files()["loop.dcm"]
        assert served.request("GET", f"/api/files/{identifier}/loop").json["unit"] == "px"
        body = {"annotation": {"scale": {"pixel_spacing_mm": [0.2, 0.2]}}, "revision": 0}
        assert served.request("PUT", f"/api/files/{identifier}/frames/3/annotation", body).status == 200
        track = served.request("GET", f"/api/files/{identifier}/loop").json
        assert track["unit"] == "mm"
        model = served.request("GET", f"/api/files/{identifier}/frames/5/model").json
        assert track["circumference"][5] == pytest.approx(0.2 * model["perimeter_px"], rel=1e-4)
