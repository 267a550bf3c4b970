from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from fetal_monai.workflow import load_metadata
from fetal_monai.workflow.running import running_parser


def test_the_running_parser_holds_the_merged_config() -> None:
    parser = ConfigParser(
        {
            "epochs": 100,
            "imports": ["$from fetal_monai.workflow.running import running_parser"],
            "seen": "$running_parser()",
        }
    )
    parser.update({"epochs": 1})
    seen = parser.get_parsed_content("seen")
    assert seen is parser
    assert seen["epochs"] == 1
    assert running_parser() is None


def test_a_folder_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"{tmp_path} is not a bundle.*metadata\.json.*--bundle_root"):
        load_metadata(tmp_path)
