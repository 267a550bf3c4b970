"""Encryption and credentials."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")
pytest.importorskip("dicomweb_client", reason="dicomweb-client is not installed: pip install fetal-monai[dicom]")

from fetal_monai.cli.main import main
from fetal_monai.dicomweb import client, http_url
from fetal_monai.dicomweb.address import is_private
from tests.dicomweb.between import Answer, Between, between
from tests.dicomweb.conftest import UIDS
from tests.orthanc import orthanc, running_orthanc

TOKEN = "eyJhbGciOi.SECRETTOKEN.x-_~+/=="


@pytest.fixture(autouse=True)
def no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of whoever runs the tests."""
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.delenv("FETAL_MONAI_DICOMWEB_TOKEN", raising=False)
    monkeypatch.setattr(client, "_WAIT_MS", 10)


@pytest.fixture
def measure(tmp_path: Path) -> Callable[..., int]:
    def measure(address: str, *arguments: str) -> int:
        study = ["--study", UIDS["study"], "--quiet"]
        return main(["measure", address, *study, "-o", str(tmp_path / "out"), *arguments])

    return measure


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("dicomweb://pacs.example.org/dicom-web/", "https://pacs.example.org/dicom-web"),
        ("dicomweb://pacs:8443", "https://pacs:8443"),
        ("dicomweb+http://127.0.0.1:8042/a/b", "http://127.0.0.1:8042/a/b"),
    ],
)
def test_addresses(address: str, url: str) -> None:
    assert http_url(address) == url


@pytest.mark.parametrize(
    "address",
    [
        "dicomweb://",
        "dicomweb:///path",
        "https://pacs/x",
        "dicomweb://pacs:x",
        "dicomweb://pacs/?a=1",
        "dicomweb://p/#a",
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="expected the address of a DICOMweb server"):
        http_url(address)


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"~/\.netrc") as caught:
        http_url("dicomweb://jane:hunter2@pacs/dicom-web")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://pacs/x", True),
        ("http://localhost:1/x", True),
        ("http://127.0.0.9/x", True),
        ("http://[::1]/x", True),
        ("http://pacs/x", False),
        ("http://10.0.0.1/x", False),
        ("http://localhost.example.org/x", False),
    ],
)
def test_what_nobody_can_read(url: str, expected: bool) -> None:
    assert is_private(url) is expected


@pytest.mark.parametrize("given", ["token", "netrc"])
def test_credentials_are_not_sent_without_encryption(
    measure: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str,
) -> None:
    if given == "token":
        monkeypatch.setenv("FETAL_MONAI_DICOMWEB_TOKEN", TOKEN)
    else:
        netrc(tmp_path, monkeypatch, "pacs.invalid")
    assert measure("dicomweb+http://pacs.invalid/dicom-web") == 2
    assert "a token or password is not sent without encryption" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", " \n", "two words", "a\nb"])
def test_a_file_without_one_token(
    measure: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (tmp_path / "token").write_text(content)
    assert measure("dicomweb://pacs.invalid/x", "--token-file", str(tmp_path / "token")) == 2
    assert f"{tmp_path / 'token'}: expected one token" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dicomweb://pacs/x"], "and --study UID"),
        (["dicomweb://pacs/x", "frame.png", "--study", "1.2"], "give one server, without files"),
        (["frame.png", "--study", "1.2"], "--study and --series are of a server"),
        (["{exam}", "--store", "dicomweb://pacs/x"], "--store sends the reports of --report"),
        (["{exam}", "--report", "sr", "--store"], "--store: give the address of the server"),
        (["{exam}", "--report", "sr", "--store", "pacs"], "pacs: expected the address of a DICOMweb server"),
        (["dicomweb://pacs/x", "--study", "1/2"], "'1/2' is not a UID"),
        (["dicomweb://pacs/x", "--study", "1.2", "--ca-file", "none.pem"], "none.pem: no such file"),
        (["dicomweb://pacs/x", "--study", "1.2", "--token-file", "none.txt"], "none.txt"),
    ],
)
def test_options_that_do_not_fit(
    exam_files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    command = [argument.format(exam=exam_files / f"{UIDS['still']}.dcm") for argument in arguments]
    assert main(["measure", *command, "-o", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_the_extra_it_says_what_to_install(
    measure: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("fetal_monai.dicomweb")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dicomweb_client", None)
    assert measure("dicomweb://pacs.invalid/x") == 2
    assert "pip install 'fetal-monai[dicom]'" in capsys.readouterr().err


@orthanc
@pytest.mark.slow
@pytest.mark.parametrize("given", ["file", "environment"])
def test_a_bearer_token_is_sent_and_nowhere_shown(
    proxy: Between,
    measure: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    given: str,
) -> None:
    netrc(tmp_path, monkeypatch, "localhost")  # does not take its place
    proxy.spoil = lambda path, answer: answer if "/series/" not in path else Answer(403, b"")
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    if given == "environment":
        monkeypatch.setenv("FETAL_MONAI_DICOMWEB_TOKEN", TOKEN)
    assert measure(proxy.address, *(["--token-file", str(file)] if given == "file" else [])) == 1
    assert {authorization for *_, authorization in proxy.requests} == {f"Bearer {TOKEN}"}
    said = capsys.readouterr()
    assert "it answers 403 Forbidden" in said.err
    assert "SECRETTOKEN" not in said.err + said.out + caplog.text + (tmp_path / "out" / "measurements.csv").read_text()


@orthanc
@pytest.mark.slow
def test_a_token_is_for_one_server(
    proxy: Between, measure: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FETAL_MONAI_DICOMWEB_TOKEN", TOKEN)
    assert measure(proxy.address, "--report", "sr", "--store", "dicomweb://other.invalid/x") == 2
    assert "The token would be sent to two servers." in capsys.readouterr().err


def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    file = tmp_path / "netrc"
    file.write_text(f"machine {host} login jane password hunter2\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """One for localhost, which no authority signed, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, certificate, both = tmp_path / "key.pem", tmp_path / "certificate.pem", tmp_path / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(certificate.read_text() + key.read_text())
    return both


@orthanc
@pytest.mark.slow
def test_https_with_a_password(
    exam_files: Path,
    certificate: Path,
    measure: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    netrc(tmp_path, monkeypatch, "localhost")
    with (
        running_orthanc(tmp_path / "orthanc", user=("jane", "hunter2")) as server,
        between(server.url, certificate) as proxy,
    ):
        server.send(exam_files / f"{UIDS['still']}.dcm")
        assert measure(proxy.address) == 2
        assert "its certificate is not trusted" in capsys.readouterr().err
        # What the command names counts, not the environment.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "netrc"))
        trusted = ["--ca-file", str(certificate)]
        assert measure(proxy.address, *trusted, "--report", "sr", "--store") == 0
        assert len(server.instances("SR")) == 2
        monkeypatch.setenv("NETRC", str(tmp_path / "none"))
        assert measure(proxy.address, *trusted) == 2
        assert "it answers 401 Unauthorized" in capsys.readouterr().err


@orthanc
@pytest.mark.slow
def test_plain_http_goes_to_no_proxy(
    proxy: Between, measure: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could read what it passes on."""
    netrc(tmp_path, monkeypatch, "localhost")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    # The test's own requests to Orthanc are made by urllib, which read the environment before.
    assert measure(proxy.address) == 0
    assert {authorization for *_, authorization in proxy.requests} == {"Basic amFuZTpodW50ZXIy"}
