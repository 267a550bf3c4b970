"""What the page looks like: contrast, sizes, names for screen readers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fetal_monai.page
from fetal_monai.measurement import HeadMeasurer
from tests.page.browser_page import wait_until_measured
from tests.page.served import serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

STYLE = (Path(fetal_monai.page.__file__).parent / "static" / "theme.css").read_text()
AA = 4.5  # WCAG 2.2, 1.4.3, for text of usual size


def colours(selector: str) -> dict[str, str]:
    block = STYLE[STYLE.index(f"{selector} {{") :].partition("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [":root", '[data-theme="light"]'])
def test_text_can_be_read_in_both_themes(theme: str) -> None:
    named = colours(theme)
    pairs = [(text, ground) for text in ("text", "quiet") for ground in ("ground", "raised", "hover")]
    pairs += [(text, "raised") for text in ("accent", "model", "person", "bad", "good")]
    pairs += [(text, "hover") for text in ("person", "bad", "good")]
    pairs += [("on-accent", "accent")]
    poor = {pair: contrast(named[pair[0]], named[pair[1]]) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < AA} == {}


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 720), (1024, 768)], ids=["laptop", "tablet"])
def test_everything_is_in_sight(
    frames: Path, load: Callable[[], HeadMeasurer], page: Page, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    with serve(frames, load, pixel_spacing_mm=0.15) as served:
        page.goto(served.address)
        wait_until_measured(page)
        for view in ("Measure", "Label", "Train"):
            page.get_by_role("tab", name=view).click()
            for name in ("#help", "#save", "#accept", "#next", "#hc", "#stage", "#zoom-in", "#contrast"):
                box = page.locator(name).bounding_box()
                assert box is not None, name
                assert min(box["x"], box["y"]) >= 0
                assert (box["x"] + box["width"], box["y"] + box["height"]) <= size or name == "#stage", (
                    view,
                    name,
                    box,
                )
                assert box["x"] + box["width"] <= size[0]
                assert box["y"] + box["height"] <= size[1]


@pytest.mark.slow
def test_every_control_has_a_name(frames: Path, load: Callable[[], HeadMeasurer], page: Page) -> None:
    with serve(frames, load) as served:
        page.goto(served.address)
        wait_until_shown = page.get_by_role("img", name="000_HC.png")
        wait_until_shown.wait_for()
        for view in ("Measure", "Label", "Train"):
            page.get_by_role("tab", name=view).click()
            described = page.locator("body").aria_snapshot()
            assert len(re.findall(r"^\s*- button \"", described, re.MULTILINE)) > 10
            for role in ("button", "textbox", "combobox", "slider", "spinbutton", "tab", "img", "listbox"):
                assert not re.search(rf"^\s*- {role}:?$", described, re.MULTILINE), (view, role)  # one without a name
