"""Each line of what keeps the page safe, by real requests."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from fetal_monai.cli.main import main
from fetal_monai.measurement import HeadMeasurer
from tests.frame_files import asymmetric_picture, write_dicom, write_picture
from tests.page.served import MAX_UPLOAD_BYTES, Served, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "frames"
    made.mkdir()
    write_picture(made / "Doe^Jane.png", asymmetric_picture())
    return made


@pytest.fixture
def served(folder: Path, load: Callable[[], HeadMeasurer]) -> Iterator[Served]:
    with serve(folder, load) as running:
        yield running


@pytest.mark.parametrize("token", [None, "", "Bearer ", "Bearer wrong", "the-token-of-the-test-and-more"])
@pytest.mark.parametrize("path", ["/api/session", "/api/files", "/api/files/0/frames/0/picture", "/api/unknown"])
def test_nothing_is_told_without_the_token(served: Served, token: str | None, path: str) -> None:
    answer = served.request("GET", path, Authorization=token)
    assert answer.status == 401
    assert "Doe" not in answer.body.decode()


def test_the_token_is_in_no_address_that_the_server_receives(served: Served) -> None:
    assert served.request("GET", "/?token=the-token-of-the-test", Authorization=None).status == 200  # the empty page
    assert served.request("GET", "/api/files?token=the-token-of-the-test", Authorization=None).status == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}"])
def test_a_foreign_name_bound_to_this_computer_gets_nothing(served: Served, host: str) -> None:
    """DNS rebinding: the browser takes evil.example for the page's own server."""
    for path in ("/", "/api/files", "/static/main.js"):
        assert served.request("GET", path, Host=host.format(port=served.port)).status == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "http://localhost:{port}"])
def test_other_sites_can_post_nothing(served: Served, origin: str) -> None:
    identifier = served.files()["Doe^Jane.png"]
    body = {"annotation": {"categories": ["head"]}, "revision": 0}
    path, stated = f"/api/files/{identifier}/frames/0/annotation", origin.format(port=served.port)
    assert served.request("PUT", path, body, Origin=stated).status == 403
    assert served.request("POST", "/api/uploads", b"x", Origin=stated, X_File_Name="a.png").status == 403
    assert served.request("PUT", path, body, Origin=f"http://{served.host}").status == 200


def test_large_bodies_are_refused_whatever_their_header_says(served: Served, folder: Path) -> None:
    stated = served.request("POST", "/api/uploads", b"x" * (MAX_UPLOAD_BYTES + 1), X_File_Name="a.png")
    assert stated.status == 413
    chunks = (b"x" * 50_000 for _ in range(1 + MAX_UPLOAD_BYTES // 50_000))
    assert served.request("POST", "/api/uploads", chunks, X_File_Name="a.png").status == 413
    identifier = served.files()["Doe^Jane.png"]
    body = {"annotation": {"reason": "x" * 100_000}, "revision": 0}
    assert served.request("PUT", f"/api/files/{identifier}/frames/0/annotation", body).status == 413
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == ["Doe^Jane.png"]
    assert not list((folder / ".fetal_monai" / "uploads").iterdir())


@pytest.mark.parametrize(
    "path",
    [
        "/api/files/..%2F..%2Fsecret.png/frames/0/picture",
        "/api/files/../../secret.png/frames/0/picture",
        "/api/files/%2Fetc%2Fpasswd",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
    ],
)
def test_no_name_leads_out_of_the_folder(served: Served, folder: Path, path: str) -> None:
    write_picture(folder.parent / "secret.png", asymmetric_picture())
    answer = served.request("GET", path)
    assert answer.status == 404
    assert b"create_app" not in answer.body


def test_links_out_of_the_folder_are_not_followed(folder: Path, load: Callable[[], HeadMeasurer]) -> None:
    secret = write_picture(folder.parent / "secret.png", asymmetric_picture())
    (folder / "link.png").symlink_to(secret)
    (folder / "linked").symlink_to(folder.parent)
    (folder / "inside.png").symlink_to(folder / "Doe^Jane.png")
    with serve(folder, load) as served:
        assert served.files().keys() == {"Doe^Jane.png", "inside.png"}
        identifier = served.files()["Doe^Jane.png"]
        (folder / "Doe^Jane.png").unlink()
        (folder / "Doe^Jane.png").symlink_to(secret)  # after the page has listed it
        assert served.request("GET", f"/api/files/{identifier}/frames/0/picture").status == 404


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../evil.png", "evil.png"),
        ("..\\evil.png", "evil.png"),
        ("/etc/cron.d/evil.png", "evil.png"),
        ("C:\\evil.png", "evil.png"),
        (".hidden.png", "hidden.png"),
        ("a\nb.png", "a_b.png"),
        ("<img src=x>.png", "_img src=x_.png"),
    ],
)
def test_uploads_stay_in_the_folder_whatever_their_name(
    served: Served, folder: Path, name: str, expected: str, phantoms: list[Path]
) -> None:
    from urllib.parse import quote

    before = {path for path in folder.parent.rglob("*") if path.is_file()}
    content = write_picture(folder.parent / "content.png", asymmetric_picture()).read_bytes()
    answer = served.request("POST", "/api/uploads", content, X_File_Name=quote(name))
    assert answer.status == 200, answer.body
    assert {path for path in folder.parent.rglob("*") if path.is_file()} - before == {
        folder / expected,
        folder.parent / "content.png",
    }
    assert served.files()[expected] == answer.json["id"]


def test_an_upload_replaces_no_other_file(served: Served, folder: Path) -> None:
    before = (folder / "Doe^Jane.png").read_bytes()
    other = write_picture(folder.parent / "other.png", asymmetric_picture(20, 30)).read_bytes()
    named = {"X_File_Name": "Doe%5EJane.png"}
    first = served.request("POST", "/api/uploads", other, **named).json["id"]
    assert served.request("POST", "/api/uploads", before, **named).json["id"] == served.files()["Doe^Jane.png"]
    assert served.request("POST", "/api/uploads", other, **named).json["id"] == first
    assert (folder / "Doe^Jane.png").read_bytes() == before
    assert served.files().keys() == {"Doe^Jane.png", "Doe^Jane_2.png"}


def test_what_is_no_frame_is_not_taken(served: Served, folder: Path) -> None:
    answer = served.request("POST", "/api/uploads", b"#!/bin/sh", X_File_Name="run.sh")
    assert answer.status == 422
    assert "run.sh: not a frame" in answer.json["detail"]
    assert not (folder / "run.sh").exists()


@pytest.mark.parametrize(
    "annotation",
    [
        {"ellipse": {"center_x": 1, "center_y": 1, "semi_axis_a": 1, "semi_axis_b": 2, "angle_rad": 0}},
        {"ellipse": {"center_x": 1e9, "center_y": 1, "semi_axis_a": 2, "semi_axis_b": 1, "angle_rad": 0}},
        {"decision": "accepted"},
        {"decision": "skipped", "reason": " "},
        {"categories": ["head", "background"]},
        {"categories": ["tail"]},
        {"scale": {"pixel_spacing_mm": [0, 1]}},
        {"file": "../../other.png"},
    ],
)
def test_impossible_annotations_are_refused(served: Served, annotation: dict[str, object]) -> None:
    identifier = served.files()["Doe^Jane.png"]
    path = f"/api/files/{identifier}/frames/0/annotation"
    assert served.request("PUT", path, {"annotation": annotation, "revision": 0}).status == 422
    kept = served.request("GET", f"/api/files/{identifier}/frames/0").json["annotation"]
    assert kept["revision"] == 0


def test_every_answer_forbids_scripts_and_frames_of_others(served: Served) -> None:
    for path in ("/", "/static/main.js", "/api/session", "/api/unknown"):
        headers = served.request("GET", path).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


@pytest.mark.slow
def test_names_of_patients_are_in_no_address_and_no_log(
    folder: Path, page: Page, load: Callable[[], HeadMeasurer], caplog: pytest.LogCaptureFixture
) -> None:
    from playwright.sync_api import expect

    image = Image.fromarray(np.zeros((40, 60), np.uint8))
    image.save(folder / "<img src=x onerror=alert(1)>.png")
    write_dicom(folder / "Doe^Jane.dcm", asymmetric_picture())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with caplog.at_level(logging.DEBUG), serve(folder, load) as served:
        page.goto(served.address)
        expect(page.locator(".row")).to_have_count(3)
        expect(page.locator(".row").filter(has_text="<img src=x onerror=alert(1)>.png")).to_be_visible()  # as text
        for _ in range(3):
            page.keyboard.press("j")
            expect(page.locator("#stage")).not_to_have_attribute("aria-label", "No frame is open")
        expect(page.locator(".row img[src^=blob]")).to_have_count(2)
        assert "token" not in page.url
    assert len(asked) > 10
    assert not [address for address in asked if "doe" in address.lower() or "token" in address.partition("#")[0]]
    assert "doe" not in caplog.text.lower()


@pytest.mark.slow
def test_the_command_prints_no_more_than_the_address(folder: Path, tmp_path: Path) -> None:
    """The server of the command, asked for a file that cannot be read and for one that does not exist."""
    (folder / "Doe^John.png").write_bytes(b"no picture")
    shutil.copy(folder / "Doe^Jane.png", folder / "Doe^Jim.png")
    command = [sys.executable, "-m", "fetal_monai", "page", str(folder), "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        port, _, token = lines[1].strip().removeprefix("http://127.0.0.1:").partition("/#token=")
        assert len(token) >= 32
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", int(port)), timeout=2):
            pass  # it listens on no other address of this computer
        server = Served(int(port), None)  # type: ignore[arg-type]
        bearer = {"Authorization": f"Bearer {token}"}
        answer = server.request("GET", "/api/files", **bearer)
        assert [entry["name"] for entry in answer.json] == ["Doe^Jane.png", "Doe^Jim.png", "Doe^John.png"]
        identifier = answer.json[2]["id"]
        unreadable = server.request("GET", f"/api/files/{identifier}/frames/0/picture", **bearer)
        assert unreadable.status == 422
        assert "export or copy it again" in unreadable.json["detail"]
        assert server.request("GET", "/api/files/0123456789abcdef", **bearer).status == 404
    finally:
        process.terminate()
        rest = process.communicate()[0]
    assert rest.strip() == ""


def test_a_second_server_on_one_folder_is_refused(
    served: Served, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["page", str(folder), "--no-browser", "--port", "0"]) == 2
    assert "another page has this folder open" in capsys.readouterr().err
