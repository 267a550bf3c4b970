"""What becomes of a run when the PACS or the network fails."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")
pytest.importorskip("dicomweb_client", reason="dicomweb-client is not installed: pip install fetal-monai[dicom]")

from fetal_monai.cli.main import main
from fetal_monai.dicomweb import UltrasoundStudy, client, open_client
from fetal_monai.files import read_csv_table
from tests.cli.interrupted import interrupted
from tests.dicomweb.between import Answer, Between, broken
from tests.dicomweb.conftest import UIDS
from tests.orthanc import orthanc

pytestmark = [pytest.mark.slow, orthanc]

JSON = {"Content-Type": "application/dicom+json"}
LOGIN_PAGE = Answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_WAIT_MS", 10)


def of_instance(path: str, name: str) -> bool:
    return path.endswith(f"/instances/{UIDS[name]}")


def measure(proxy: Between, tmp_path: Path, *arguments: str) -> int:
    return main(["measure", proxy.address, "--study", UIDS["study"], "-o", str(tmp_path / "out"), *arguments])


def rows(tmp_path: Path) -> dict[str, dict[str, str]]:
    """The rows by the files' names; of a loop, that of its last frame."""
    return {row["file"]: row for row in read_csv_table(tmp_path / "out" / "measurements.csv")[1]}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda answer: Answer(500, b""), "it answers 500 Internal Server Error."),
        (lambda answer: Answer(404, b""), "it answers 404 Not Found."),
        (broken, "the connection broke within an answer."),
        (lambda answer: replace(answer, content=answer.content[:-40_000]), "the number of bytes of pixel data is less"),
        (lambda answer: replace(answer, content=answer.content[:200]), "not that of a DICOMweb server"),
        (lambda answer: LOGIN_PAGE, "not that of a DICOMweb server"),
    ],
    ids=["500", "404", "broken connection", "truncated image", "truncated header", "login page"],
)
def test_an_image_that_cannot_be_retrieved_is_a_failed_row(
    proxy: Between, tmp_path: Path, temporary: Path, spoil: Callable[[Answer], Answer], reason: str
) -> None:
    proxy.spoil = lambda path, answer: spoil(answer) if of_instance(path, "still") else answer
    assert measure(proxy, tmp_path, "--report", "sr", "--store") == 1
    found = rows(tmp_path)
    assert {name: found[f"{UIDS[name]}.dcm"]["status"] for name in ("still", "loop", "regions")} == {
        "still": "failed",
        "loop": "measured",
        "regions": "measured",
    }
    assert reason.lower() in found[f"{UIDS['still']}.dcm"]["reason"].lower()
    assert sum(method == "POST" for method, *_ in proxy.requests) == 2
    assert not list(temporary.iterdir())


def test_another_image_than_the_one_asked_for_is_not_measured(proxy: Between, tmp_path: Path) -> None:
    content: dict[str, Answer] = {}

    def swap(path: str, answer: Answer) -> Answer:
        """Every image is the first that was asked for."""
        return content.setdefault("first", answer) if "/series/" in path else answer

    proxy.spoil = swap
    assert measure(proxy, tmp_path) == 1
    found = rows(tmp_path)
    assert sorted(row["status"] for row in found.values()) == ["failed", "failed", "measured"]
    assert sum("it gives another instance" in row["reason"] for row in found.values()) == 2


def test_ctrl_c_keeps_what_was_measured_and_removes_what_was_retrieved(
    proxy: Between, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_in_the_end(path: str, answer: Answer) -> Answer:
        if of_instance(path, "regions"):
            time.sleep(3)
        return answer

    proxy.spoil = slow_in_the_end
    monkeypatch.setenv("TMPDIR", str(temporary))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "fetal_monai", "measure", proxy.address, "--study", UIDS["study"], "-o", str(out)]
    interrupted([*command, "--batch-size", "1", "--quiet"], out / "measurements.csv", lines=2)
    assert rows(tmp_path)[f"{UIDS['still']}.dcm"]["status"] == "measured"
    assert not list(temporary.iterdir())


def test_a_busy_server_is_asked_again(proxy: Between, tmp_path: Path) -> None:
    def busy_at_first(path: str, answer: Answer) -> Answer:
        first = [asked for _, asked, _ in proxy.requests].count(path) == 1
        return Answer(503, b"") if first and of_instance(path, "still") else answer

    proxy.spoil = busy_at_first
    assert measure(proxy, tmp_path) == 0


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(500, b""), "it answers 500 Internal Server Error."),
        (Answer(401, b""), "it answers 401 Unauthorized. Give a token by --token-file"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}), "it redirects elsewhere"),
        (LOGIN_PAGE, "its answer is not that of a DICOMweb server"),
        (Answer(200, b"[]", JSON), "is not on this server"),
        (Answer(200, b'[{"00080018": {"vr": "UI", "Value": ["../../etc/x"]}}]', JSON), "not that of a DICOMweb server"),
        (Answer(404, b""), "it answers 404 Not Found. Are the path and the UIDs right?"),
    ],
)
def test_a_search_that_fails_ends_the_command(
    proxy: Between, tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: Answer, message: str
) -> None:
    proxy.spoil = lambda path, _: answer
    assert measure(proxy, tmp_path) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_uid_that_is_a_path_is_refused(proxy: Between, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def evil(path: str, answer: Answer) -> Answer:
        return replace(answer, content=answer.content.replace(UIDS["still"].encode(), b"../../../tmp/evil"))

    proxy.spoil = evil
    assert measure(proxy, tmp_path) == 2
    assert "a SOP Instance UID of the study" in capsys.readouterr().err


def test_no_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"dicomweb+http://127.0.0.1:{free_port()}/dicom-web"
    assert main(["measure", address, "--study", "1.2", "-o", str(tmp_path / "out")]) == 2
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["limit=1", "offset=0"])
def test_an_answer_in_pages_is_read_to_its_end(proxy: Between, asked: str) -> None:
    """A server may send a part at once, or know no offset and send all again."""

    def changed(path: str) -> str:
        if asked == "offset=0":
            return path.partition("?")[0]
        return f"{path}{'&' if '?' in path else '?'}limit=1"

    proxy.asked = changed
    study = UltrasoundStudy(open_client(f"{proxy.url}/dicom-web"), UIDS["study"])
    assert study.instances == sorted(UIDS[name] for name in ("still", "loop", "regions"))
    assert len(proxy.requests) == (2 if asked == "offset=0" else 4)


def refuse_one(path: str, answer: Answer) -> Answer:
    """STOW's answer where one of several instances was refused (PS3.18, 10.5.3)."""
    if not path.endswith("/studies"):
        return answer
    content = json.loads(answer.content)
    stored = content["00081199"]["Value"]
    stored[0]["00081197"] = {"vr": "US", "Value": [0xA900]}
    return Answer(202, json.dumps(content | {"00081198": {"vr": "SQ", "Value": stored[:1]}}).encode(), JSON)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (refuse_one, "_obgyn.dcm not stored: {url}: it refuses them with the DICOM status A900."),
        (
            lambda path, answer: Answer(409, b"") if path.endswith("/studies") else answer,
            "_obgyn.dcm, {uid}_tid1500.dcm not stored: {url}: it answers 409 Conflict.",
        ),
        (
            lambda path, answer: broken(answer) if path.endswith("/studies") else answer,
            "_obgyn.dcm, {uid}_tid1500.dcm not stored: {url}: the connection broke within an answer.",
        ),
    ],
    ids=["one refused", "conflict", "broken connection"],
)
def test_a_report_that_is_not_stored_stays_on_disk(
    proxy: Between,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[str, Answer], Answer],
    message: str,
) -> None:
    proxy.spoil = spoil
    assert measure(proxy, tmp_path, "--report", "sr", "--store") == 1
    uid = UIDS["still"]
    expected = f"report failed: {uid}.dcm: {uid}" + message.format(url=f"{proxy.url}/dicom-web", uid=uid)
    assert expected in capsys.readouterr().err
    assert len(list((tmp_path / "out" / "reports").iterdir())) == 6
    assert {row["status"] for row in rows(tmp_path).values()} == {"measured"}


def test_a_dead_server_for_the_reports(proxy: Between, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dead = f"dicomweb+http://127.0.0.1:{free_port()}/dicom-web"
    assert measure(proxy, tmp_path, "--report", "sr", "--store", dead) == 1
    assert capsys.readouterr().err.count("not stored: ") == 3
    assert len(list((tmp_path / "out" / "reports").iterdir())) == 6


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
