import math
import os
import re
import socket
import tempfile
import tracemalloc
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_monai.biometry import Ellipse
from fetal_monai.data.preparation.ellipse_label import (
    EllipseLabel,
    EllipseLabelError,
    read_ellipse_label,
    read_labelled_frame,
    write_ellipse_label,
)
from tests.frame_files import HEIGHT, WIDTH, asymmetric_picture, write_picture

DOCUMENT = Path(__file__).parents[3] / "docs" / "ellipse_labels.md"
NAMESPACE = {"": "urn:fetal-monai:ellipse-label:1", "xs": "http://www.w3.org/2001/XMLSchema"}

LABEL = """\
<?xml version="1.0" encoding="UTF-8"?>
<ellipse_label xmlns="urn:fetal-monai:ellipse-label:1" version="1">
  <image>
    <file_name>head.png</file_name>
    <width_px>64</width_px>
    <height_px>48</height_px>
  </image>
  <pixel_spacing>
    <row_mm>0.3</row_mm>
    <column_mm>0.2</column_mm>
  </pixel_spacing>
  <ellipse>
    <center_x_px>30.5</center_x_px>
    <center_y_px>20</center_y_px>
    <long_axis_px>40</long_axis_px>
    <short_axis_px>25</short_axis_px>
    <angle unit="deg">30</angle>
  </ellipse>
</ellipse_label>
"""
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def changed(old: str, new: str) -> str:
    assert LABEL.count(old) == 1, f"{old} must stand once in the label"
    return LABEL.replace(old, new)


@pytest.fixture(scope="module")
def schema() -> Iterator[xmlschema.XMLSchema]:
    with as_file(files("fetal_monai.data.preparation") / "ellipse_label.xsd") as path:
        yield xmlschema.XMLSchema(str(path))


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A port of this machine that tells whether anybody came."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    earlier = socket.getdefaulttimeout()
    socket.setdefaulttimeout(2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
    socket.setdefaulttimeout(earlier)


def test_label_is_read(tmp_path: Path) -> None:
    label = read_ellipse_label(written(tmp_path / "label.xml", LABEL))
    assert label.image_name == "head.png"
    assert label.shape == (48, 64)
    assert label.pixel_spacing_mm == (0.3, 0.2)
    ellipse = label.ellipse
    assert (ellipse.center_x, ellipse.center_y, ellipse.semi_axis_a, ellipse.semi_axis_b) == (30.5, 20, 20, 12.5)
    assert ellipse.angle_rad == pytest.approx(np.deg2rad(30), abs=1e-15)


def test_mask_is_where_the_implicit_equation_of_the_file_says(tmp_path: Path) -> None:
    label = read_ellipse_label(written(tmp_path / "label.xml", LABEL))
    y, x = np.mgrid[:48, :64]
    cos, sin = math.sqrt(3) / 2, 1 / 2  # of 30 degrees
    along, across = (x - 30.5) * cos + (y - 20) * sin, (y - 20) * cos - (x - 30.5) * sin
    inside = (along / 20) ** 2 + (across / 12.5) ** 2 < 1
    assert np.array_equal(label.ellipse.rasterise(label.shape), inside)


@pytest.mark.parametrize(("text", "angle_rad"), [('"rad">-0.5', math.pi - 0.5), ('"deg">-90', math.pi / 2)])
def test_angle_is_modulo_half_a_turn_in_its_own_unit(tmp_path: Path, text: str, angle_rad: float) -> None:
    label = read_ellipse_label(written(tmp_path / "label.xml", changed('"deg">30', text)))
    assert label.ellipse.angle_rad == pytest.approx(angle_rad, abs=1e-15)


def test_pixel_spacing_may_be_left_out(tmp_path: Path, schema: xmlschema.XMLSchema) -> None:
    path = tmp_path / "label.xml"
    text = re.sub(r"  <pixel_spacing>.*</pixel_spacing>\n", "", LABEL, flags=re.DOTALL)
    label = read_ellipse_label(written(path, text))
    assert label.pixel_spacing_mm is None
    write_ellipse_label(path, label)
    assert "spacing" not in path.read_text()
    assert schema.is_valid(str(path))
    assert read_ellipse_label(path) == label


lengths = st.floats(1e-5, 4e5)
labels = st.builds(
    lambda name, shape, center, axes, angle_rad, spacing: EllipseLabel(
        name, shape, Ellipse(center[0], center[1], max(axes), min(axes), angle_rad), spacing
    ),
    name=st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="/\\."), min_size=1, max_size=20),
    shape=st.tuples(st.integers(1, 65535), st.integers(1, 65535)),
    center=st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
    axes=st.tuples(lengths, lengths),
    angle_rad=st.floats(-100, 100),
    spacing=st.none() | st.tuples(lengths, lengths),
)


@given(labels)
@settings(deadline=None, max_examples=25)
def test_what_is_written_is_read_back_to_the_last_bit(schema: xmlschema.XMLSchema, label: EllipseLabel) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "label.xml")
        write_ellipse_label(path, label)
        assert read_ellipse_label(path) == label
        assert schema.is_valid(str(path))
        root = ET.parse(path).getroot()
        for name, value in (
            ("ellipse/center_x_px", label.ellipse.center_x),
            ("ellipse/long_axis_px", 2 * label.ellipse.semi_axis_a),
            ("ellipse/short_axis_px", 2 * label.ellipse.semi_axis_b),
            ("image/height_px", label.shape[0]),
        ):
            assert float(root.findtext(name, "", NAMESPACE)) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("frames/head.png", "<file_name>: is 'frames/head.png'; expected the name of the image file, without folder"),
        ("..", "<file_name>: is '..'"),
        (" head.png", "without blanks around it"),
        ("head\x00.png", "not well-formed"),
        ("head\udcff.png", "not well-formed"),
        ("h" * 5000, "h{190,200}\\.\\.\\.; expected"),
    ],
)
def test_label_that_the_schema_refuses_is_not_written(tmp_path: Path, name: str, message: str) -> None:
    path = tmp_path / "label.xml"
    with pytest.raises(EllipseLabelError, match=rf"label\.xml, line 4.*{message}"):
        write_ellipse_label(path, EllipseLabel(name, (48, 64), Ellipse(30, 20, 20, 12, 0)))
    assert list(tmp_path.iterdir()) == []


VALUES = {
    "negative axis": ("<long_axis_px>40", "<long_axis_px>-40", 15, "is '-40'; expected the full length of the longer"),
    "zero axis": ("<short_axis_px>25", "<short_axis_px>0", 16, "is '0'; expected the full length of the shorter"),
    "axis whose half is zero": ("<short_axis_px>25", "<short_axis_px>5e-324", 16, "is '5e-324'; expected"),
    "no number": ("<long_axis_px>40", "<long_axis_px>wide", 15, "is 'wide'; expected"),
    "no value": ("<long_axis_px>40", "<long_axis_px>", 15, "is ''; expected"),
    "decimal comma": ("<long_axis_px>40", "<long_axis_px>40,5", 15, "is '40,5'; expected"),
    "Python's own number": ("<long_axis_px>40", "<long_axis_px>4_0", 15, "is '4_0'; expected"),
    "NaN axis": ("<long_axis_px>40", "<long_axis_px>NaN", 15, "is 'NaN'; expected"),
    "NaN centre": ("<center_x_px>30.5", "<center_x_px>NaN", 13, "is 'NaN'; expected the column of the centre"),
    "infinite axis": ("<long_axis_px>40", "<long_axis_px>INF", 15, "is 'INF'; expected"),
    "infinite centre": ("<center_y_px>20", "<center_y_px>-INF", 14, "is '-INF'; expected the row of the centre"),
    "overflowing axis": ("<long_axis_px>40", "<long_axis_px>1e999", 15, "is '1e999'; expected"),
    "swapped axes": ("<long_axis_px>40", "<long_axis_px>20", 15, "is 20, shorter than <short_axis_px> 25"),
    "no unit": (' unit="deg"', "", 17, '\'unit\'; expected the angle .* with unit="rad" or unit="deg"'),
    "unknown unit": ('"deg"', '"grad"', 17, "unit='grad'.*; expected the angle"),
    "NaN angle": ('"deg">30', '"rad">NaN', 17, "is 'NaN'; expected the angle"),
    "degrees called radians": ('"deg">30', '"rad">30', 17, "is 30 rad, more than one turn"),
    "no width": (
        "    <width_px>64</width_px>\n",
        "",
        5,
        "<height_px>: is in the place of <width_px>; expected",
    ),
    "no height": ("    <height_px>48</height_px>\n", "", 3, "<image>: ends without <height_px>; expected the number"),
    "half a pixel": ("<width_px>64", "<width_px>64.5", 5, "is '64.5'; expected the number of columns, a whole number"),
    "huge image": ("<width_px>64", "<width_px>999999999", 5, "is '999999999'; expected .* to 65535"),
    "digits without end": ("<width_px>64", "<width_px>" + "9" * 9000, 5, "is '9{190,}.*; expected"),
    "zero spacing": ("<row_mm>0.3", "<row_mm>0", 9, "is '0'; expected the distance from one row to the next in mm"),
    "unknown element": ("  </ellipse>", "  <tilt>3</tilt></ellipse>", 18, "<tilt>: is not allowed in <ellipse>"),
    "two ellipses": ("</ellipse_label>", "<ellipse/></ellipse_label>", 19, "<ellipse>"),
    "text between": ("  <image>", "  <image>head", 3, "character data between child elements"),
    "unknown attribute": ("  <image>", "  <image id='3'>", 3, "'id' attribute not allowed"),
    "path": (">head.png", ">../../head.png", 4, "without folder"),
    "Windows path": (">head.png", ">C:\\head.png", 4, "without folder"),
    "other version": ('version="1">', 'version="2">', 2, "'version' has a fixed value '1'"),
    "other namespace": ("ellipse-label:1", "ellipse-label:9", 2, 'expected the root <ellipse_label xmlns="urn:fetal'),
    "other root": (LABEL, "<annotation/>", 1, "<annotation>: .*expected the root <ellipse_label"),
    "foreign type": ("<long_axis_px>", f'<long_axis_px {XSI} xsi:type="anything">', 2, "cannot be checked: .*anything"),
    "nil": ("<long_axis_px>40", f'<long_axis_px {XSI} xsi:nil="true">', 15, "<long_axis_px>: "),
}


@pytest.mark.parametrize("kind", VALUES)
def test_error_names_file_line_field_and_mend(tmp_path: Path, kind: str) -> None:
    old, new, line, message = VALUES[kind]
    path = written(tmp_path / "label.xml", changed(old, new))
    with pytest.raises(EllipseLabelError, match=message) as caught:
        read_ellipse_label(path)
    assert str(caught.value).startswith(f"{path}, line {line}, <")
    assert str(caught.value).endswith("Correct the file or write it again.")
    assert len(str(caught.value)) < 700


BOMB = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
HOSTILE = {
    "billion laughs": (f'<!DOCTYPE e [<!ENTITY l0 "lol">{BOMB}]>{LABEL.partition("?>")[2]}', "document type"),
    "external entity": (
        f'<!DOCTYPE e [<!ENTITY x SYSTEM "http://HOST/x">]>{LABEL.partition("?>")[2].replace("head.png", "&x;")}',
        "document type",
    ),
    "parameter entity": (
        f'<!DOCTYPE e [<!ENTITY % x SYSTEM "http://HOST/x"> %x;]>{LABEL.partition("?>")[2]}',
        "document type",
    ),
    "external DTD": (f'<!DOCTYPE ellipse_label SYSTEM "http://HOST/x.dtd">{LABEL.partition("?>")[2]}', "document type"),
    "undeclared entity": (LABEL.replace("head.png", "&x;"), "undefined entity"),
    "included file": (
        LABEL.replace("<image>", '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="http://HOST/x"/><image>'),
        "is in the place of <image>",
    ),
    "deep nesting": ("<a>" * 30_000, "more than 3 levels"),
    "many elements": (LABEL.replace("</ellipse>", "</ellipse>" + "<a/>" * 5_000), "<a>: is not allowed"),
    "unknown encoding": (LABEL.replace("UTF-8", "klingon"), "unknown encoding: klingon"),
    "no text encoding": (LABEL.replace("UTF-8", "zlib"), "cannot be decoded"),
    "not XML": ("The head is in the middle.", "is not well-formed XML"),
    "cut off": (LABEL[:400], "is not well-formed XML"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_file_is_refused_without_harm(tmp_path: Path, listener: socket.socket, kind: str) -> None:
    text, message = HOSTILE[kind]
    path = written(tmp_path / "label.xml", text.replace("HOST", f"127.0.0.1:{listener.getsockname()[1]}"))
    tracemalloc.start()
    try:
        with pytest.raises(EllipseLabelError, match=rf"label\.xml, line \d+.*{message}.*; expected .*Correct the file"):
            read_ellipse_label(path)
        # The bomb would take gigabytes; the elements take 3 MB.
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_schema_that_a_label_points_to_is_not_fetched(tmp_path: Path, listener: socket.socket) -> None:
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    hint = f'{XSI} xsi:schemaLocation="urn:fetal-monai:ellipse-label:1 http://{host}/a.xsd urn:b http://{host}/b.xsd"'
    path = written(tmp_path / "label.xml", changed('version="1">', f'version="1" {hint}>'))
    assert read_ellipse_label(path).shape == (48, 64)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "label.xml"
    path.touch()
    os.truncate(path, 100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(EllipseLabelError, match=r"label\.xml: has more than 100000 bytes.*right file"):
            read_ellipse_label(path)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_empty_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(EllipseLabelError, match=r"label\.xml: the file is empty"):
        read_ellipse_label(written(tmp_path / "label.xml", ""))


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.xml"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe, tmp_path / "missing.xml"):
        with pytest.raises(FileNotFoundError, match="no such file; check the path"):
            read_ellipse_label(path)


def test_other_encodings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "label.xml"
    path.write_text(LABEL.replace("UTF-8", "UTF-16").replace("head", "Schädel"), encoding="utf-16")
    assert read_ellipse_label(path).image_name == "Schädel.png"


def test_frame_of_a_label_must_have_its_size(tmp_path: Path) -> None:
    label = read_ellipse_label(written(tmp_path / "label.xml", LABEL))
    with pytest.raises(FileNotFoundError, match=r"head\.png: no such file, but a label names it"):
        read_labelled_frame(label, tmp_path)
    write_picture(tmp_path / "head.png", asymmetric_picture(WIDTH, HEIGHT))
    with pytest.raises(EllipseLabelError, match=r"head\.png: is 48x64 px .*its label says 64x48 px"):
        read_labelled_frame(label, tmp_path)
    picture = asymmetric_picture(HEIGHT, WIDTH)
    write_picture(tmp_path / "head.png", picture)
    assert np.array_equal(read_labelled_frame(label, tmp_path)[1].pixels, picture)


def test_documented_example_is_a_label(tmp_path: Path, schema: xmlschema.XMLSchema) -> None:
    (example,) = re.findall(r"^```xml\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    path = written(tmp_path / "label.xml", example)
    assert schema.is_valid(str(path))
    label = read_ellipse_label(path)
    assert (label.image_name, label.shape) == ("000_HC.png", (540, 800))
    assert label.ellipse == Ellipse(409.4, 377.8, 110.8, 92.75, math.radians(113.8))


def test_document_and_schema_tell_of_the_same_elements() -> None:
    root = ET.fromstring((files("fetal_monai.data.preparation") / "ellipse_label.xsd").read_text())
    elements = {element.attrib["name"] for element in root.iterfind(".//xs:element", NAMESPACE)}
    assert len(elements) == 14
    (example,) = re.findall(r"^```xml\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"<(\w+)", example)) == elements
