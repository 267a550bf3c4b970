from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from fetal_monai.bundle import load_metadata, running_config


def test_the_running_config_is_the_merged_one() -> None:
    parser = ConfigParser(
        {"epochs": 100, "imports": ["$import fetal_monai"], "seen": "$fetal_monai.bundle.running_config()"}
    )
    parser.update({"epochs": 1})
    seen = parser.get_parsed_content("seen")
    assert seen["epochs"] == 1
    assert running_config() is None


def test_a_folder_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"{tmp_path} is no bundle.*metadata\.json.*--bundle_root"):
        load_metadata(tmp_path)
