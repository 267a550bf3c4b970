"""What the command line of a node understands."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.cli.main import main
from fetal_monai.node.settings import Caller, Peer


@given(
    st.from_regex(r"[A-Z0-9_]{1,16}", fullmatch=True),
    st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True),
    st.integers(1, 65535),
)
def test_a_peer_is_read_as_it_is_written(title: str, host: str, port: int) -> None:
    peer = Peer(title, host, port)
    assert Peer.parse(str(peer)) == peer


@pytest.mark.parametrize(
    "text", ["PACS", "PACS@host", "@host:104", "PACS@host:0", "PACS@host:70000", "A" * 17 + "@h:1"]
)
def test_what_is_no_peer_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Peer.parse(text)


@pytest.mark.parametrize(
    ("caller", "title", "address", "expected"),
    [
        ("SCANNER", "SCANNER", "203.0.113.9", True),
        ("SCANNER", "OTHER", "203.0.113.9", False),
        ("SCANNER@192.0.2.1", "SCANNER", "192.0.2.1", True),
        ("SCANNER@192.0.2.1", "SCANNER", "192.0.2.2", False),
        ("SCANNER@192.0.2.7/24", "SCANNER", "192.0.2.2", True),
        ("SCANNER@192.0.2.1", "SCANNER", "::ffff:192.0.2.1", True),
        ("SCANNER@192.0.2.1", "SCANNER", "2001:db8::1", False),
        ("SCANNER@192.0.2.1", "SCANNER", "no address", False),
    ],
)
def test_who_may_call(caller: str, title: str, address: str, expected: bool) -> None:
    assert Caller.parse(caller).is_calling(title, address) is expected


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--send-to", "PACS@host", "expected AE@HOST:PORT"),
        ("--accept", "SCANNER@scanner.local", "expected AE or AE@ADDRESS"),
        ("--ae-title", "A title that is too long", "expected 1 to 16 ASCII characters"),
        ("--max-object-size", "-1", "expected a positive number"),
    ],
)
def test_an_option_that_cannot_be_understood_is_explained(
    option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["node", "--send-to", "PACS@host:104", option, value])
    assert message in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("fetal_monai.node.", "pynetdicom"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    assert main(["node", "--send-to", "PACS@host:104"]) == 2
    assert "pip install 'fetal-monai[dicom]'" in capsys.readouterr().err
