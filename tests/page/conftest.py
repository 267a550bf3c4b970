from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fetal_monai.measurement import HeadMeasurer
from fetal_monai.phantom import write_phantoms

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PIXEL_MM = 0.15


@pytest.fixture(scope="session")
def load() -> Callable[[], HeadMeasurer]:
    """Loads the network once, for all servers."""
    return cache(HeadMeasurer)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three simulated frames of 800x540 px."""
    folder = tmp_path_factory.mktemp("phantoms")
    write_phantoms(folder, count=1, test_count=3, seed=4)
    return sorted((folder / "test_set").glob("*_HC.png"))


@pytest.fixture
def frames(phantoms: list[Path], tmp_path: Path) -> Path:
    """A folder with the simulated frames."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for phantom in phantoms:
        shutil.copy(phantom, folder)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    sync_api.expect.set_options(timeout=30_000)  # for machines with much else to do
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of 1280x720 px. No script may fail in it, and it may ask no other server."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    opened, problems = context.new_page(), []
    context.on("weberror", lambda failed: problems.append(str(failed.error)))
    context.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url.partition("://")[2].partition(":")[0]))
    yield opened
    context.close()
    assert not problems
    assert {host for host in asked if "/" not in host} <= {"127.0.0.1"}
