"""Frames are labelled by hand, without the model, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fetal_monai.biometry import Ellipse
from fetal_monai.measurement import HeadMeasurer
from tests.page.browser_page import drag, kept, place, saved, wait_until_measured
from tests.page.conftest import PIXEL_MM
from tests.page.served import Served, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


@pytest.fixture
def served(frames: Path, load: Callable[[], HeadMeasurer]) -> Iterator[Served]:
    with serve(frames, load, pixel_spacing_mm=PIXEL_MM) as running:
        yield running


@pytest.fixture
def labelling(served: Served, page: Page) -> Page:
    page.goto(served.address)
    wait_until_measured(page)
    page.keyboard.press("b")
    return page


def test_an_ellipse_is_drawn_from_nothing(served: Served, labelling: Page) -> None:
    from playwright.sync_api import expect

    expect(labelling.locator(".heading")).to_have_text("No ellipse yet")  # the model's is not shown
    expect(labelling.locator("#hc")).not_to_have_text(re.compile(r"\d"))
    labelling.keyboard.press("d")
    drag(labelling, place(labelling, 200, 270), place(labelling, 600, 270))
    wait_until_measured(labelling)
    saved(labelling)
    drawn = Ellipse(**kept(served, "000_HC.png")["annotation"]["ellipse"])
    assert drawn.center_x == pytest.approx(400, abs=1)
    assert drawn.center_y == pytest.approx(270, abs=1)
    assert drawn.semi_axis_a == pytest.approx(200, abs=1)


def test_by_keyboard_alone(served: Served, labelling: Page) -> None:
    from playwright.sync_api import expect

    labelling.keyboard.press("d")
    labelling.keyboard.press("d")
    wait_until_measured(labelling)
    labelling.keyboard.press("Shift+ArrowLeft")
    labelling.keyboard.press("Enter")
    expect(labelling.locator("#row-" + served.files()["001_HC.png"])).to_have_attribute("aria-selected", "true")
    saved(labelling)
    annotation = kept(served, "000_HC.png")["annotation"]
    assert annotation["decision"] == "accepted"
    assert annotation["ellipse"]["center_x"] == pytest.approx(399.5 - 10)


def test_categories_by_key(served: Served, labelling: Page) -> None:
    from playwright.sync_api import expect

    for key in ("6", "1"):
        labelling.keyboard.press(key)
    saved(labelling)
    assert kept(served, "000_HC.png")["annotation"]["categories"] == ["head", "placenta"]
    expect(labelling.get_by_role("button", name="placenta")).to_have_attribute("aria-pressed", "true")
    labelling.keyboard.press("7")  # none of the others
    saved(labelling)
    assert kept(served, "000_HC.png")["annotation"]["categories"] == ["background"]
    labelling.keyboard.press("Control+z")
    expect(labelling.get_by_role("button", name="placenta")).to_have_attribute("aria-pressed", "true")
    saved(labelling)
    assert kept(served, "000_HC.png")["annotation"]["categories"] == ["head", "placenta"]
    expect(labelling.locator("#progress-text")).to_have_text("1 of 3")


def test_skip_needs_a_reason(served: Served, labelling: Page) -> None:
    from playwright.sync_api import expect

    labelling.keyboard.press("s")
    labelling.keyboard.press("Escape")
    assert kept(served, "000_HC.png")["annotation"]["revision"] == 0
    labelling.keyboard.press("s")
    labelling.keyboard.type("text on the head")
    labelling.keyboard.press("Enter")
    expect(labelling.locator(".row.skipped")).to_have_count(1)
    saved(labelling)
    annotation = kept(served, "000_HC.png")["annotation"]
    assert (annotation["decision"], annotation["reason"]) == ("skipped", "text on the head")
    expect(labelling.locator("#progress-text")).to_have_text("1 of 3")
    labelling.keyboard.press("u")  # on the frame before
    expect(labelling.locator("#progress-text")).to_have_text("0 of 3")
    expect(labelling.locator("#row-" + served.files()["000_HC.png"])).to_have_attribute("aria-selected", "true")
    saved(labelling)
    assert kept(served, "000_HC.png")["annotation"]["decision"] == ""
