from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.generated_archive import write_archive
from fetal_monai.data.frame_source import open_frame_source
from fetal_monai.data.rejected import Rejected

pytestmark = pytest.mark.slow


def test_an_archive_of_both_formats_with_one_broken_file_in_a_hundred(tmp_path: Path) -> None:
    write_archive(tmp_path, 300)
    source = open_frame_source([tmp_path])
    items = list(source)
    assert len(items) == len(source.files) == 300
    assert Counter(file.suffix for file in source.files) == {".png": 150, ".dcm": 150}
    assert [item.file.stem for item in items if isinstance(item, Rejected)] == ["0000000", "0000101", "0000200"]
    pictures = [item.frame.pixels.tobytes() for item in items if not isinstance(item, Rejected)]
    assert len(set(pictures)) == 297
