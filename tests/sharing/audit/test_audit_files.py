from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import fetal_monai
from fetal_monai.sharing.audit.__main__ import main
from fetal_monai.sharing.audit.audit_entry import AuditEntry
from fetal_monai.sharing.audit.bundle_audit import audit_bundle
from fetal_monai.sharing.audit.weights_file import GLOBALS

BUNDLES = sorted(path for path in (Path(__file__).parents[3] / "bundles").iterdir() if path.is_dir())
CONFIG = json.dumps({"network_def": {"_target_": "UNet"}})


class MakesFolder:
    """Its pickle creates a folder when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True)
    (folder / "configs" / "train.json").write_text(CONFIG)
    return folder


def refusals(path: Path) -> list[AuditEntry]:
    return [entry for entry in audit_bundle(path) if entry.refused]


def saved(content: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


class TestOurBundles:
    @pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
    def test_are_clean(self, folder: Path, tmp_path: Path) -> None:
        # The output of a training in a working copy is not part of the bundle.
        copy = shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("output"))
        entries = audit_bundle(copy)
        assert [entry for entry in entries if entry.refused] == []
        assert {"target", "expression", "import", "path", "logging"} <= {entry.kind for entry in entries}

    def test_are_clean_as_a_zip_that_carries_what_it_needs(self, tmp_path: Path) -> None:
        package = Path(fetal_monai.__file__).parent
        packed = tmp_path / "x_v0.1.0.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (BUNDLES[0] / "configs").iterdir():
                archive.write(path, f"x/configs/{path.name}")
            for name in ("networks/bisenet.py", "data/preparation/ellipse_label.xsd"):
                archive.write(package / name, f"x/fetal_monai/{name}")
        assert refusals(packed) == []
        with zipfile.ZipFile(packed, "a") as archive:
            archive.writestr("x/fetal_monai/networks/vgg.py", "import os")
        assert [entry.file for entry in refusals(packed)] == ["fetal_monai/networks/vgg.py"]


class TestOpenVino:
    GRAPH = '<net version="11"><layers><layer id="0" type="{}" version="{}"/></layers></net>'

    def write(self, bundle: Path, graph: str, numbers: bytes) -> Path:
        (bundle / "models" / "m.xml").write_text(graph)
        (bundle / "models" / "m.bin").write_bytes(numbers)
        return bundle

    def test_a_graph_of_known_operations_passes(self, bundle: Path) -> None:
        assert not refusals(self.write(bundle, self.GRAPH.format("Relu", "opset1"), bytes(8)))

    def test_an_operation_of_an_extension_is_refused(self, bundle: Path) -> None:
        (refused,) = refusals(self.write(bundle, self.GRAPH.format("Shell", "extension"), bytes(8)))
        assert (refused.file, refused.what) == ("models/m.xml", "Shell")

    @pytest.mark.parametrize("protocol", [0, 2, 5])
    def test_a_pickle_beside_the_graph_is_refused(self, bundle: Path, protocol: int) -> None:
        hidden = pickle.dumps(MakesFolder(bundle / "made"), protocol)
        assert refusals(self.write(bundle, self.GRAPH.format("Relu", "opset1"), hidden))

    def test_other_xml_is_refused(self, bundle: Path) -> None:
        assert refusals(self.write(bundle, "<project/>", bytes(8)))


class TestWeights:
    STATE = torch.nn.BatchNorm2d(3).state_dict()

    @pytest.mark.parametrize("legacy", [False, True])
    @pytest.mark.parametrize(
        "content",
        [
            STATE,
            {"network": STATE, "epoch": 3, "lr": 0.1, "half": torch.zeros(2, dtype=torch.bfloat16)},
            torch.nn.Parameter(torch.zeros(2)),
        ],
        ids=["state", "checkpoint", "parameter"],
    )
    def test_a_state_dict_is_clean(self, bundle: Path, content: Any, legacy: bool) -> None:
        file = bundle / "models" / "model.pt"
        file.write_bytes(saved(content, _use_new_zipfile_serialization=not legacy))
        torch.load(file, weights_only=True)
        assert refusals(bundle) == []

    def test_what_is_allowed_torch_allows_too(self, tmp_path: Path) -> None:
        names = sorted(GLOBALS)
        content = b"\x80\x02(" + b"".join(f"c{name}\n".replace(" ", "\n").encode() for name in names) + b"t."
        with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
            archive.writestr("model/data.pkl", content)
            archive.writestr("model/version", "3\n")
        assert torch.serialization.get_unsafe_globals_in_checkpoint(tmp_path / "model.pt") == []

    @pytest.mark.parametrize("name", ["model.pt", "model.pkl", "model.txt", "model.weights"])
    @pytest.mark.parametrize("legacy", [False, True])
    def test_a_program_is_refused_and_not_run(self, bundle: Path, tmp_path: Path, name: str, legacy: bool) -> None:
        file = bundle / "models" / name
        content = {"weights": torch.zeros(2), "extra": MakesFolder(tmp_path / "marker")}
        file.write_bytes(saved(content, _use_new_zipfile_serialization=not legacy))
        assert f"{os.mkdir.__module__} mkdir" in {entry.what for entry in refusals(bundle)}
        assert not (tmp_path / "marker").exists()
        torch.load(file, weights_only=False)
        assert (tmp_path / "marker").is_dir()

    def test_a_name_that_the_pickle_computes_is_refused(self, bundle: Path, tmp_path: Path) -> None:
        (bundle / "models" / "model.pkl").write_bytes(pickle.dumps(MakesFolder(tmp_path / "marker"), protocol=4))
        assert "STACK_GLOBAL" in {entry.what for entry in refusals(bundle)}

    def test_what_runs_before_a_broken_end_is_refused(self, bundle: Path, tmp_path: Path) -> None:
        content = pickle.dumps(MakesFolder(tmp_path / "marker"), protocol=2)[:-1] + b"\xff"
        (bundle / "models" / "model.pkl").write_bytes(content)
        assert {f"{os.mkdir.__module__} mkdir", "broken"} <= {entry.what for entry in refusals(bundle)}

    def test_what_follows_a_pickle_is_refused(self, bundle: Path) -> None:
        (bundle / "models" / "model.pkl").write_bytes(pickle.dumps({}, protocol=2) + b"more")
        assert [entry.why for entry in refusals(bundle)] == ["something follows the pickle"]

    def test_torchscript_is_called_a_program(self, bundle: Path) -> None:
        torch.jit.save(torch.jit.script(torch.nn.Identity()), bundle / "models" / "model.ts")
        assert any("TorchScript" in entry.why for entry in refusals(bundle))

    def test_a_zip_with_two_directories_is_refused(self, bundle: Path, tmp_path: Path) -> None:
        """Python reads the second; torch uses the offset in the end record, and may read the first."""
        hostile = saved(MakesFolder(tmp_path / "marker"))
        (bundle / "models" / "model.pt").write_bytes(hostile + saved(self.STATE))
        assert any("another directory" in entry.why for entry in refusals(bundle))

    def test_safetensors_pass_only_as_such(self, bundle: Path) -> None:
        file = bundle / "models" / "model.safetensors"
        header = json.dumps({"__metadata__": {}}).encode()
        file.write_bytes(struct.pack("<Q", len(header)) + header)
        assert refusals(bundle) == []
        file.write_bytes(pickle.dumps({}))
        assert [entry.file for entry in refusals(bundle)] == ["models/model.safetensors"]


LOGGING = """\
[loggers]
keys=root
[handlers]
keys=console
[formatters]
keys=plain
[logger_root]
level=INFO
handlers=console
[handler_console]
class={handler}
args={args}
{more}
[formatter_plain]
format=%(asctime)s %(message)s
{formatter}
"""


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"args": "(__import__('os').system('true'),)"}, "handler_console#args"),
        ({"args": "(os.environ,)"}, "handler_console#args"),
        ({"args": "(sys.stdout.__class__,)"}, "handler_console#args"),
        ({"args": "[x for x in ()]"}, "handler_console#args"),
        ({"args": "('%(more)s',)"}, "handler_console#args"),
        ({"handler": "FileHandler", "args": "('/root/.bashrc',)"}, "handler_console#args"),
        ({"handler": "FileHandler", "args": "('configs/train.json', 'w')"}, "handler_console#args"),
        ({"handler": "handlers.RotatingFileHandler", "args": "('cucim.py',)"}, "handler_console#args"),
        ({"handler": "logging.FileHandler", "args": "(1,)"}, "handler_console#args"),
        ({"handler": "FileHandler", "args": "()", "more": "kwargs={'filename': 'a.py'}"}, "handler_console#kwargs"),
        ({"handler": "FileHandler", "more": "kwargs={**{'filename': 'a.py'}}"}, "handler_console#kwargs"),
        ({"formatter": "defaults={'x': exit()}"}, "formatter_plain#defaults"),
        ({"formatter": '[formatter_x]\nformat={"x": "$1"}'}, "formatter_x#format"),
        ({"formatter": "[other]\nclass=exit()"}, "other#class"),
        ({"handler": "eval"}, "handler_console#class"),
        ({"handler": "handlers.SocketHandler"}, "handler_console#class"),
        ({"handler": "__import__('os').system"}, "handler_console#class"),
        ({"more": "kwargs={'stream': open('x', 'w')}"}, "handler_console#kwargs"),
        ({"formatter": "class=subprocess.Popen"}, "formatter_plain#class"),
        ({"formatter": "[DEFAULT]\nkwargs=exit()"}, "handler_console#kwargs"),
        ({}, None),
        ({"handler": "logging.handlers.RotatingFileHandler", "args": "('output/x.log', 'a', 10000)"}, None),
    ],
)
def test_logging_conf(bundle: Path, options: dict[str, str], place: str | None) -> None:
    plain = {"handler": "StreamHandler", "args": "(sys.stdout,)", "more": "", "formatter": ""}
    (bundle / "configs" / "logging.conf").write_text(LOGGING.format(**{**plain, **options}))
    found = {entry.place for entry in refusals(bundle)}
    assert place in found if place else found == set()


class TestArchives:
    @staticmethod
    def _packed(folder: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
        path = folder / "x_v1.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x/configs/train.json", CONFIG)
            for member, content in members:
                archive.writestr(member, content, zipfile.ZIP_DEFLATED)
        return path

    @staticmethod
    def _link(name: str) -> zipfile.ZipInfo:
        member = zipfile.ZipInfo(name)
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        return member

    def test_a_plain_one_is_clean(self, tmp_path: Path) -> None:
        entries = audit_bundle(self._packed(tmp_path, ("x/docs/README.md", b"# x")))
        assert [(entry.file, entry.what, entry.refused) for entry in entries] == [("configs/train.json", "UNet", False)]

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("x/../../evil.py", "leads out"),
            ("/etc/cron.d/x", "absolute"),
            ("C:/x.json", "absolute"),
            ("x\\..\\y.json", "leads out"),
            ("x/a\x1b[2Jb.md", "differently"),
            ("x/configs/TRAIN.json", "twice"),
        ],
    )
    def test_an_evil_name_is_refused(self, tmp_path: Path, name: str, why: str) -> None:
        assert any(why in entry.why for entry in refusals(self._packed(tmp_path, (name, b"{}"))))

    def test_a_link_is_refused(self, tmp_path: Path) -> None:
        found = refusals(self._packed(tmp_path, (self._link("x/models"), b"/etc")))
        assert [(entry.place, entry.why) for entry in found] == [("x/models", "a link")]

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_second_entry_of_the_same_name_is_refused(self, tmp_path: Path) -> None:
        found = refusals(self._packed(tmp_path, ("x/configs/train.json", b'{"x": "$1"}')))
        assert any("twice" in entry.why for entry in found)

    def test_a_bomb_is_refused_unread(self, tmp_path: Path) -> None:
        found = refusals(self._packed(tmp_path, ("x/configs/a.json", bytes(4 * 2**20))))
        assert [entry.place for entry in found] == ["x/configs/a.json"]
        assert "250 times" in found[0].why

    def test_a_spoilt_entry_is_refused(self, tmp_path: Path) -> None:
        path = self._packed(tmp_path)
        content = bytearray(path.read_bytes())
        content[50:60] = bytes(10)
        path.write_bytes(content)
        assert any("cannot be judged" in entry.why for entry in refusals(path))

    def test_a_zip_in_a_zip_is_refused(self, tmp_path: Path) -> None:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("a.json", "{}")
        found = refusals(self._packed(tmp_path, ("x/docs/more.txt", inner.getvalue())))
        assert [entry.file for entry in found] == ["docs/more.txt"]


class TestOtherFiles:
    @pytest.mark.parametrize(
        "name",
        [
            *("scripts/__init__.py", "torch.py", "fetal_monai/__init__.py", "a.so", "a", "matplotlibrc", ".git/config"),
            *("a.dist-info/entry_points.txt", "a.egg-info/entry_points.txt", "a.EGG/EGG-INFO/entry_points.txt"),
        ],
    )
    def test_what_may_be_code_is_refused(self, bundle: Path, name: str) -> None:
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_text("import os")
        assert [entry.file for entry in refusals(bundle)] == [name]

    def test_a_link_is_refused_and_not_followed(self, bundle: Path, tmp_path: Path) -> None:
        (tmp_path / "secret.json").write_text('{"x": "$1"}')
        (bundle / "configs" / "a.json").symlink_to(tmp_path / "secret.json")
        entries = [entry for entry in audit_bundle(bundle) if entry.file == "configs/a.json"]
        assert [(entry.kind, entry.refused) for entry in entries] == [("link", True)]


class TestCommand:
    def test_a_clean_bundle(self, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([str(bundle)]) == 0
        assert f"{bundle}: clean, 1 entries" in capsys.readouterr().out

    def test_a_hostile_bundle(self, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (bundle / "configs" / "a.json").write_text('{"x": "$torch.os.abort() #\\u001b[2J"}')
        assert main([str(bundle)]) == 1
        out = capsys.readouterr().out
        assert "1 of 2 entries REFUSED" in out.splitlines()[0]
        assert out.splitlines()[2].startswith("REFUSED")  # below the header, before what is allowed
        assert "\x1b" not in out  # nothing in a bundle steers the terminal

    def test_json(self, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--format", "json", str(bundle)]) == 0
        (report,) = json.loads(capsys.readouterr().out)
        assert report["clean"] is True
        assert report["entries"][0]["place"] == "network_def#_target_"

    @pytest.mark.parametrize("content", [None, b"no zip"])
    def test_what_is_no_bundle(self, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "x.zip"
        if content:
            path.write_bytes(content)
        assert main([str(path)]) == 2
        assert str(path) in capsys.readouterr().err

    def test_from_within_the_bundle(
        self, bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(bundle / "configs")
        assert main([str(bundle)]) == 2
        assert "Change to another directory" in capsys.readouterr().err

    def test_help_is_quick_and_teaches(self) -> None:
        command = [sys.executable, "-X", "importtime", "-m", "fetal_monai.sharing.audit", "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "exit code" in done.stdout
        assert "| monai" not in done.stderr
