"""What the tests do on the page, in the words of the one who does it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.page.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

# The page's policy lets no string be run as a script, and so no script of a test: places on the screen are computed
# here from the size of the frame and of the element that shows it, to which it is fitted.


def wait_until_measured(page: Page) -> None:
    """Wait for the figure of the head circumference."""
    from playwright.sync_api import expect

    expect(page.locator("#hc")).to_have_text(re.compile(r"\d"), timeout=20_000)


def circumference_mm(page: Page) -> float:
    """The figure on the page."""
    return float(page.locator("#hc").inner_text())


def expect_circumference(page: Page, expected_mm: float) -> None:
    """Wait until the figure is this one."""
    from playwright.sync_api import expect

    expect(page.locator("#hc")).to_have_text(f"{expected_mm:.1f}")


def place(page: Page, x: float, y: float, shape: tuple[int, int] = (540, 800)) -> tuple[float, float]:
    """The place on the screen of a point of the frame (H, W), px."""
    box = page.locator("#stage").bounding_box()
    assert box is not None
    height, width = shape
    scale = min(box["width"] / width, box["height"] / height)
    left = box["x"] + (box["width"] - scale * (width - 1)) / 2
    top = box["y"] + (box["height"] - scale * (height - 1)) / 2
    return left + scale * x, top + scale * y


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the mouse between two places on the screen."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
    page.mouse.move(*end, steps=3)
    page.mouse.up()


def saved(page: Page) -> None:
    """Wait until everything is on the server."""
    from playwright.sync_api import expect

    expect(page.locator("#saved")).to_have_text("All saved")


def kept(served: Served, name: str, index: int = 0) -> Mapping[str, Any]:
    """What the server keeps of a frame."""
    answer: Mapping[str, Any] = served.request("GET", f"/api/files/{served.files()[name]}/frames/{index}").json
    return answer
