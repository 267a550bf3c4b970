import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.sharing.subpackage_init import exports, is_reduced, reduced

SUBPACKAGE_INIT = '''"""Frames on disk."""

from fetal_monai.data.io.frame import FRAME_SUFFIXES, Frame, read_frame
from fetal_monai.data.io.mask_file import (
    mask_suffix as suffix,
    write_mask,
)

__all__ = ["FRAME_SUFFIXES", "Frame", "read_frame", "suffix", "write_mask"]
'''
NAMES = sorted(exports(SUBPACKAGE_INIT) or ())


def test_some_names_and_their_imports_stay() -> None:
    assert reduced(SUBPACKAGE_INIT, {"suffix", "Frame"}) == (
        '"""Frames on disk."""\n\n'
        "from fetal_monai.data.io.frame import Frame\n"
        "from fetal_monai.data.io.mask_file import mask_suffix as suffix\n\n"
        '__all__ = ["Frame", "suffix"]\n'
    )


@given(st.sets(st.sampled_from(NAMES)))
def test_it_binds_what_it_lists_and_is_known_again(names: set[str]) -> None:
    text = reduced(SUBPACKAGE_INIT, names)
    bound = [alias.asname or alias.name for node in ast.walk(ast.parse(text)) for alias in getattr(node, "names", ())]
    assert sorted(bound) == sorted(names)
    assert set(exports(text) or ()) == names
    assert is_reduced(text.encode(), SUBPACKAGE_INIT)
    assert reduced(text, names) == text


@pytest.mark.parametrize("text", ["import os\n", "from x import y\ny()\n", "from .x import y\n", "if y:\n    x = 1\n"])
def test_what_does_more_than_import_cannot_be_reduced(text: str) -> None:
    assert exports(text) is None
    with pytest.raises(ValueError, match="only a file of imports can be reduced"):
        reduced(text, [])


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"only to names that it exports: .*'read_frame'"):
        reduced(SUBPACKAGE_INIT, {"atomic_path"})


CUT = reduced(SUBPACKAGE_INIT, {"Frame", "suffix"})


@pytest.mark.parametrize(
    "hostile",
    [
        CUT.replace("\n\n__all__", "\nfrom os import system\n\n__all__"),
        CUT.replace("import Frame\n", "import Frame, FRAME_SUFFIXES\n"),
        CUT.replace("import Frame\n", "import read_frame as Frame\n"),
        CUT.replace("io.frame", "io.nifti"),
        CUT.replace('"Frame", "suffix"', '"Frame", "suffix", "system"'),
        CUT.replace('"Frame", "suffix"', '"Frame"'),
        CUT.replace('"Frame", "suffix"', '"Frame", exit()'),
        CUT.replace('"suffix"]\n', '"suffix"]; exit()\n'),
        CUT.replace('"""Frames', 'f"""{exit()}'),
        CUT + "exit()\n",
        CUT + "\n",
        CUT.replace("\n", "\r\n"),
        "exit()\n" + CUT,
        f"exit()\n__all__ = {json.dumps('x' * 9)}\n",
        "__all__ = " + "[" * 100_000,
        "",
    ],
)
def test_whatever_else_is_in_it_is_noticed(hostile: str) -> None:
    assert not is_reduced(hostile.encode(), SUBPACKAGE_INIT)


def test_bytes_that_are_no_text() -> None:
    assert not is_reduced(b"\xff\n__all__ = []\n", SUBPACKAGE_INIT)
