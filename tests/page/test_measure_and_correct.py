"""A frame is measured, its ellipse corrected by hand and accepted, in a real browser."""

from __future__ import annotations

import csv
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from fetal_monai.biometry import Ellipse
from fetal_monai.data import read_frame
from fetal_monai.measurement import HeadMeasurer
from tests.frame_files import numbered_picture, write_picture
from tests.page.browser_page import (
    circumference_mm,
    drag,
    expect_circumference,
    kept,
    place,
    saved,
    wait_until_measured,
)
from tests.page.conftest import PIXEL_MM
from tests.page.served import Served, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


@pytest.fixture
def served(frames: Path, load: Callable[[], HeadMeasurer]) -> Iterator[Served]:
    with serve(frames, load, pixel_spacing_mm=PIXEL_MM) as running:
        yield running


def model_of(served: Served, name: str = "000_HC.png") -> dict[str, Any]:
    """What the network measures on a frame."""
    measured: dict[str, Any] = served.request("GET", f"/api/files/{served.files()[name]}/frames/0/model").json
    return measured


def test_a_real_frame_is_measured_as_by_the_measurer(
    real_data: Path, tmp_path: Path, load: Callable[[], HeadMeasurer], page: Page
) -> None:
    hc18 = real_data / "hc18"
    with (hc18 / "test_set_pixel_size.csv").open() as file:
        row = next(csv.DictReader(file))
    (tmp_path / "frames").mkdir()
    frame = Path(shutil.copy(hc18 / "test_set" / row["filename"], tmp_path / "frames"))
    with serve(tmp_path / "frames", load, table=hc18 / "test_set_pixel_size.csv") as served:
        page.goto(served.address)
        wait_until_measured(page)
        expected = load()(read_frame(frame).pixels, float(row["pixel size(mm)"]))
        assert expected.head_circumference_mm == pytest.approx(circumference_mm(page), abs=0.051)
        assert page.locator("#bpd").inner_text() == f"{expected.biparietal_diameter_mm:.1f}"
        assert page.locator("#ofd").inner_text() == f"{expected.occipitofrontal_diameter_mm:.1f}"
        for name in ("gestational_age_hadlock", "gestational_age_intergrowth"):
            assert page.locator("#numbers").get_by_text(expected.row[name], exact=True).count()
        assert f"{expected.head_circumference_mm:.1f} mm" in str(page.locator("#chart").get_attribute("aria-label"))


def test_a_dragged_handle_changes_the_circumference_as_geometry_says(served: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(served.address)
    wait_until_measured(page)
    name = "000_HC.png"
    model = Ellipse(**model_of(served, name)["ellipse"])
    before = circumference_mm(page)
    # The end of the long axis that is to the right, pulled out along the axis.
    along = np.array([math.cos(model.angle_rad), math.sin(model.angle_rad)])
    along *= np.sign(along[0]) or 1
    end = [model.center_x, model.center_y] + along * model.semi_axis_a
    drag(page, place(page, *end), place(page, *(end + 24 * along)))
    expect(page.locator(".heading")).to_have_text("Drawn by hand, not yet accepted")
    saved(page)
    drawn = Ellipse(**kept(served, name)["annotation"]["ellipse"])
    # The other end stays where it is, and so does the short axis: the drag is exact to a pixel of the screen.
    assert drawn.semi_axis_a == pytest.approx(model.semi_axis_a + 12, abs=1)
    assert drawn.semi_axis_b == pytest.approx(model.semi_axis_b, abs=0.01)
    assert drawn.center_x == pytest.approx(model.center_x + 12 * along[0], abs=1)
    assert drawn.center_y == pytest.approx(model.center_y + 12 * along[1], abs=1)
    expect_circumference(page, drawn.perimeter * PIXEL_MM)
    assert circumference_mm(page) > before + 2


def test_the_centre_and_the_rotation_have_handles(served: Served, page: Page) -> None:
    page.goto(served.address)
    wait_until_measured(page)
    model = Ellipse(**model_of(served)["ellipse"])
    centre = place(page, model.center_x, model.center_y)
    drag(page, centre, (centre[0] + 20, centre[1] - 10))
    saved(page)
    moved = Ellipse(**kept(served, "000_HC.png")["annotation"]["ellipse"])
    scale = place(page, 1, 0)[0] - place(page, 0, 0)[0]
    assert moved.center_x == pytest.approx(model.center_x + 20 / scale, abs=0.6)
    assert moved.center_y == pytest.approx(model.center_y - 10 / scale, abs=0.6)
    assert moved.perimeter == pytest.approx(model.perimeter)

    # The handle to turn it is 30 px of the screen beyond the end of the short axis that is above.
    across = np.array([math.sin(model.angle_rad), -math.cos(model.angle_rad)])
    across *= -1 if model.angle_rad > math.pi / 2 else 1
    new_centre = np.array(place(page, moved.center_x, moved.center_y))
    handle = new_centre + across * (scale * moved.semi_axis_b + 30)
    turn = math.radians(15)
    turned_to = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) @ (handle - new_centre)
    drag(page, tuple(handle), tuple(new_centre + turned_to))
    saved(page)
    turned = Ellipse(**kept(served, "000_HC.png")["annotation"]["ellipse"])
    assert (turned.angle_rad - moved.angle_rad) % math.pi == pytest.approx(turn, abs=0.02)
    assert turned.perimeter == pytest.approx(moved.perimeter, rel=1e-6)
    assert turned.center_x == pytest.approx(moved.center_x, abs=0.6)


def test_handles_are_exact_after_zoom_and_pan(served: Served, page: Page) -> None:
    page.goto(served.address)
    wait_until_measured(page)
    model = Ellipse(**model_of(served)["ellipse"])
    box = page.locator("#stage").bounding_box()
    assert box is not None
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    page.keyboard.press("+")  # about the middle, by a quarter
    page.keyboard.press("Control+ArrowRight")  # the picture goes 40 px to the left
    centre = middle + 1.25 * (np.array(place(page, model.center_x, model.center_y)) - middle) - [40, 0]
    drag(page, tuple(centre), tuple(np.add(centre, [-30, 15])))
    saved(page)
    scale = 1.25 * (place(page, 1, 0)[0] - place(page, 0, 0)[0])
    moved = Ellipse(**kept(served, "000_HC.png")["annotation"]["ellipse"])
    assert moved.center_x == pytest.approx(model.center_x - 30 / scale, abs=0.6)
    assert moved.center_y == pytest.approx(model.center_y + 15 / scale, abs=0.6)
    assert moved.semi_axis_a == pytest.approx(model.semi_axis_a)


def test_accept_keeps_what_both_said_and_goes_on(served: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(served.address)
    page.get_by_label("Initials").fill("AB")
    page.locator("#stage").focus()
    wait_until_measured(page)
    before = circumference_mm(page)
    page.keyboard.press("Alt+Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press(".")
    page.keyboard.press("Enter")
    expect(page.locator("#row-" + served.files()["001_HC.png"])).to_have_attribute("aria-selected", "true")
    saved(page)
    annotation = kept(served, "000_HC.png")["annotation"]
    model, person = Ellipse(**annotation["model"]["ellipse"]), Ellipse(**annotation["ellipse"])
    assert (annotation["decision"], annotation["person"]) == ("accepted", "AB")
    assert annotation["time"].startswith("20")
    assert annotation["model"]["head_circumference_mm"] == pytest.approx(before, abs=0.051)
    assert annotation["model"]["bundle"] == "bisenet"
    assert len(annotation["model"]["weights_sha256"]) == 64
    assert person.semi_axis_a == pytest.approx(model.semi_axis_a + 5)
    assert person.center_y == pytest.approx(model.center_y + 10)
    assert (person.angle_rad - model.angle_rad) % math.pi == pytest.approx(math.radians(1))
    page.keyboard.press("k")
    expect(page.locator(".heading")).to_contain_text("Accepted by AB")
    expect(page.locator("#numbers")).to_contain_text(f"{before:.1f} mm")  # the model's, beside the person's
    page.keyboard.press("r")
    expect(page.locator(".heading")).to_have_text("Measured by the model")
    expect_circumference(page, model.perimeter * PIXEL_MM)
    page.keyboard.press("Control+z")
    expect(page.locator(".heading")).to_contain_text("Accepted by AB")


def test_nothing_is_lost_when_the_server_dies(
    frames: Path, page: Page, load: Callable[[], HeadMeasurer], served: Served
) -> None:
    """What is saved is on disk, and what is drawn while the server is away stays in the browser."""
    from playwright.sync_api import expect

    page.goto(served.address)
    wait_until_measured(page)
    page.keyboard.press("ArrowRight")
    saved(page)
    page.route("**/annotation", lambda route: route.abort())
    page.keyboard.press("ArrowDown")
    expect(page.locator("#saved")).to_contain_text("kept in this browser")
    page.on("dialog", lambda dialog: dialog.accept())
    page.unroute("**/annotation")
    page.reload()  # before it was tried again
    expect(page.locator(".heading")).to_have_text("Drawn by hand, not yet accepted")
    saved(page)
    drawn = kept(served, "000_HC.png")
    model = model_of(served)["ellipse"]
    assert drawn["annotation"]["ellipse"]["center_x"] == pytest.approx(model["center_x"] + 1)
    assert drawn["annotation"]["ellipse"]["center_y"] == pytest.approx(model["center_y"] + 1)


def test_what_could_not_be_saved_belongs_to_its_folder(
    frames: Path, load: Callable[[], HeadMeasurer], page: Page
) -> None:
    """Another folder with a file of the same name, at the same address."""
    from playwright.sync_api import expect

    with serve(frames, load) as served:
        page.goto(served.address)
        page.route("**/annotation", lambda route: route.fulfill(status=500, body="{}"))
        expect(page.locator(".heading")).to_have_text("No scale: no millimetres")
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator("#saved")).to_contain_text("kept in this browser")
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("about:blank")
    page.unroute("**/annotation")
    other = Path(shutil.copytree(frames, frames.with_name("other"), ignore=shutil.ignore_patterns(".fetal_monai")))
    for folder, heading in ((other, "No scale: no millimetres"), (frames, "Drawn by hand, not yet accepted")):
        with serve(folder, load, port=served.port) as again:
            page.goto(again.address)
            expect(page.locator(".heading")).to_have_text(heading)
            page.goto("about:blank")


def test_a_second_tab_does_not_overwrite_the_first(served: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(served.address)
    wait_until_measured(page)
    other = page.context.new_page()
    other.goto(served.address)
    wait_until_measured(other)
    page.keyboard.press("Shift+ArrowRight")
    saved(page)
    first = kept(served, "000_HC.png")["annotation"]
    other.keyboard.press("Shift+ArrowLeft")
    expect(other.locator("#notice")).to_contain_text("changed in another tab")
    assert kept(served, "000_HC.png")["annotation"] == first
    expect(other.locator(".heading")).to_have_text("Drawn by hand, not yet accepted")
    other.keyboard.press("ArrowDown")  # on the version that it shows now
    saved(other)
    second = kept(served, "000_HC.png")["annotation"]
    assert second["ellipse"]["center_x"] == first["ellipse"]["center_x"]
    assert second["ellipse"]["center_y"] == first["ellipse"]["center_y"] + 1


def test_a_file_is_chosen_for_an_empty_folder(
    tmp_path: Path, phantoms: list[Path], load: Callable[[], HeadMeasurer], page: Page
) -> None:
    from playwright.sync_api import expect

    small = write_picture(tmp_path / "head.png", np.asarray(Image.open(phantoms[0]))[::2, ::2])
    with serve(tmp_path / "frames", load, pixel_spacing_mm=2 * PIXEL_MM) as served:
        page.goto(served.address)
        expect(page.locator("#notice")).to_contain_text("The folder is empty")
        mask = write_picture(tmp_path / "head_mask.png", np.asarray(Image.open(small)))
        page.locator("#choose").set_input_files([small, Path(__file__), mask])
        wait_until_measured(page)
        expect(page.locator("#notice")).to_contain_text(f"{Path(__file__).name}: not a frame")
        expect(page.locator("#notice")).to_contain_text("head_mask.png: named as a mask")
        assert (tmp_path / "frames" / "head.png").read_bytes() == small.read_bytes()
        expect(page.locator(".row")).to_have_count(1)
        shutil.copy(small, tmp_path / "frames" / "copied.png")
        page.reload()
        expect(page.locator(".row")).to_have_count(2)


def test_a_file_that_cannot_be_read_is_listed_with_its_reason(served: Served, frames: Path, page: Page) -> None:
    from playwright.sync_api import expect

    (frames / "000_HC.png").write_bytes(b"no picture")
    page.goto(served.address)
    expect(page.locator("#notice")).to_contain_text("export or copy it again")
    expect(page.locator(".row.failed")).to_have_count(1)
    expect(page.locator("#accept")).to_be_disabled()
    page.keyboard.press("j")
    wait_until_measured(page)
    expect(page.locator("#accept")).to_be_enabled()


def test_a_frame_without_a_scale_is_calibrated_by_a_line(
    frames: Path, load: Callable[[], HeadMeasurer], page: Page
) -> None:
    from playwright.sync_api import expect

    with serve(frames, load) as served:
        page.goto(served.address)
        expect(page.locator(".heading")).to_have_text("No scale: no millimetres")
        assert not any(map(str.isdigit, page.locator("#hc").inner_text()))
        page.keyboard.press("c")
        drag(page, place(page, 100, 100), place(page, 100, 300))
        expect(page.get_by_role("dialog")).to_contain_text("How long is this line")
        page.keyboard.type("40")
        page.keyboard.press("Enter")
        wait_until_measured(page)
        saved(page)
        spacing = kept(served, "000_HC.png")["annotation"]["scale"]["pixel_spacing_mm"]
        assert spacing == [pytest.approx(0.2, rel=0.01)] * 2
        model = model_of(served)
        expect_circumference(page, model["perimeter_px"] * spacing[0])
        expect(page.locator("#numbers")).to_contain_text("calibration")
        page.keyboard.press("l")
        drag(page, place(page, 200, 200), place(page, 500, 200))
        expect(page.locator("#reading")).to_contain_text(f"{300 * spacing[0]:.0f}.")


def test_a_dating_scan_gives_the_centile(served: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(served.address)
    wait_until_measured(page)
    page.get_by_label("Gestational age from a dating scan").fill("24+3")
    page.keyboard.press("Enter")
    expect(page.locator("#numbers")).to_contain_text("Centile at dating scan")
    row = model_of(served)["row"]
    assert row["known_gestational_age_days"] == 171
    expect(page.locator("#numbers")).to_contain_text(f"{row['head_circumference_centile']:.1f}")


def test_two_thousand_files_are_quick(tmp_path: Path, load: Callable[[], HeadMeasurer], page: Page) -> None:
    """The list draws only what is in sight, and the next frame is asked for ahead."""
    from playwright.sync_api import expect

    folder = tmp_path / "many"
    folder.mkdir()
    picture = write_picture(folder / "0000_HC.png", numbered_picture(0))
    for number in range(1, 2000):
        os.link(picture, folder / f"{number:04}_HC.png")
    with serve(folder, load, pixel_spacing_mm=PIXEL_MM) as served:
        page.goto(served.address)
        expect(page.locator("#progress-text")).to_have_text("0 of 2000")
        assert page.locator(".row").count() < 40
        asked: list[str] = []
        expect(page.locator("#stage")).to_have_attribute("aria-label", re.compile("^0000_HC.png"))
        page.wait_for_load_state("networkidle")
        page.on("request", lambda request: asked.append(request.url))
        page.keyboard.press("j")
        expect(page.locator("#stage")).to_have_attribute("aria-label", re.compile("^0001_HC.png"))
        second, third = served.files()["0001_HC.png"], served.files()["0002_HC.png"]
        assert not [address for address in asked if second in address and "thumbnail" not in address]
        assert [address for address in asked if third in address and "picture" in address]
        page.get_by_label("Filter the work list by name").fill("1999")
        expect(page.locator(".row")).to_have_count(1)
