import hashlib
import json
import os

import monai
import pytest

from fetal_monai.bundle_folder import bundle_folder
from fetal_monai.cli.main import main


def test_it_states_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["packages"]["monai"] == monai.__version__
    assert described["cpu"]["cores"] == os.cpu_count()
    assert described["devices"][0] == "cpu"
    weights = (bundle_folder("bisenet") / "models" / "model.pt").read_bytes()
    assert described["bundles"]["bisenet"]["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert described["bundles"]["soft_proposal"]["weights_sha256"] is None


def test_as_text_it_states_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    main(["info", "--json"])
    described = json.loads(capsys.readouterr().out)
    main(["info"])
    text = capsys.readouterr().out

    def check(part: dict[str, object]) -> None:
        for name, value in part.items():
            assert name in text
            if isinstance(value, dict):
                check(value)
            elif isinstance(value, str):
                assert value in text

    check(described)
