"""docs/bad_input.md quotes what a user reads: each message is made again, from the input that the page names."""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import torch
from ignite.engine import Engine
from monai.bundle import ConfigWorkflow
from pydicom.pixels import get_decoder
from pydicom.uid import JPEGLosslessSV1

from fetal_monai.biometry import measure_head
from fetal_monai.data import FrameStream, collect_frames, inspect_label_folder, load_datalist
from fetal_monai.data.frame_failure import failure_reason
from fetal_monai.files import write_csv_table
from fetal_monai.files.run_record import record_run
from fetal_monai.reporting.measurement_row import measurement_row
from fetal_monai.sharing.audit.__main__ import main as audit
from fetal_monai.tracking import RunTracker
from fetal_monai.weights.settings import write_settings
from fetal_monai.workflow.brief_errors import brief_message
from tests.data import test_bad_input as bad
from tests.data.io.cine.loops import noise_loop, write_video
from tests.data.io.test_pixel_limit import claim_size
from tests.frame_files import asymmetric_picture, write_dicom, write_metaimage, write_picture

REPOSITORY = Path(__file__).parents[1]
PICTURE = asymmetric_picture()
FRAMES = Path("frames")

Case = Callable[[], str]
CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    """Name the input as the page does."""

    def add(make: Case) -> Case:
        CASES[name] = make
        return make

    return add


def documented() -> dict[str, str]:
    """The messages of the page by their inputs."""
    page = (REPOSITORY / "docs" / "bad_input.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (`+) ?(.+?) ?\2 \| [^|]+ \|$", page, re.MULTILINE)
    return {name: message for name, _, message in rows}


@pytest.mark.parametrize("name", documented())
def test_the_page_quotes_what_is_said(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundles").symlink_to(REPOSITORY / "bundles")
    quoted = re.escape(documented()[name]).replace("…", ".+")
    assert re.fullmatch(quoted, CASES[name]().replace(f"{tmp_path}/", ""))


def test_every_case_is_documented() -> None:
    assert CASES.keys() == documented().keys()


# A file of a batch: the reason in its row.


def rejected(folder: Path = FRAMES, **options: Any) -> str:
    """Why a file is no frame, beside a good frame that is measured."""
    good = str(write_picture(folder / "good.png", PICTURE))
    collection = collect_frames(folder, **options)
    assert good in [frame["image"] for frame in collection.frames]
    (failed,) = collection.rejected
    return failed.reason


def bad_file(name: str, make: Callable[[Path], object]) -> Case:
    def reason() -> str:
        FRAMES.mkdir()
        make(FRAMES / name)
        return rejected()

    return reason


def metaimage(**spacing: tuple[float, float]) -> Callable[[Path], object]:
    return lambda path: write_metaimage(path, PICTURE, **spacing)


def zero_spacing(path: Path) -> None:
    content = write_metaimage(path, PICTURE).read_bytes()
    path.write_bytes(re.sub(rb"ElementSpacing = [^\n]+", b"ElementSpacing = 0 0", content))


def undecodable_dicom(path: Path) -> None:
    if get_decoder(JPEGLosslessSV1).is_available:
        pytest.skip("a decoder for JPEG Lossless is installed")
    dataset = pydicom.dcmread(write_dicom(path, PICTURE))
    dataset.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8" + bytes(100)])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.save_as(path)


def not_utf_8(path: Path) -> None:
    Path(os.fsdecode(os.fsencode(path.parent) + b"/\xff.png")).write_bytes(write_picture(path, PICTURE).read_bytes())
    path.unlink()


CASES |= {
    "an empty file": bad_file("scan.png", bad.empty),
    "a text file with the suffix of a picture": bad_file("scan.jpg", bad.text),
    "a link to a file that is gone": bad_file("scan.png", bad.directory_entry_without_target),
    "a truncated PNG": bad_file("scan.png", bad.truncated_picture),
    "a truncated JPEG": bad_file("scan.jpg", bad.truncated_picture),
    "a truncated DICOM file": bad_file("scan.dcm", bad.truncated_dicom),
    "a truncated MetaImage": bad_file("scan.mha", bad.truncated_metaimage),
    "a truncated or altered `.nii.gz`": bad_file("scan.nii.gz", bad.nifti_with_a_wrong_checksum),
    "NaN or infinite pixels": bad_file("scan.nii", bad.nan_nifti),
    "a frame of one grey level": bad_file("scan.png", bad.black),
    "a volume (3-D)": bad_file("scan.nii", bad.volume_nifti),
    "a loop, in a bundle that measures stills": bad_file("scan.dcm", bad.cine_dicom),
    "a DICOM file without pixels": bad_file("scan.dcm", bad.report_dicom),
    "a compressed DICOM file without a decoder for it": bad_file("scan.dcm", undecodable_dicom),
    "a MetaImage header without its data file": bad_file("scan.mhd", lambda path: bad.header_without_data_file(path)),
    "a header with a spacing of zero": bad_file("scan.mha", zero_spacing),
    "a header with an absurd spacing": bad_file("scan.mha", metaimage(spacing=(1e30, 0.2))),
    "too many pixels (a gzip bomb, too)": bad_file(
        "scan.png", lambda path: claim_size(write_picture(path, PICTURE), 13000, 13000)
    ),
    "a name that is not UTF-8": bad_file("scan.png", not_utf_8),
}


@case("two names that differ in case only")
def two_names() -> str:
    FRAMES.mkdir()
    write_picture(FRAMES / "scan.png", PICTURE)
    write_picture(FRAMES / "SCAN.PNG", PICTURE)
    return rejected()


@case("a video that is cut off")
def video() -> str:
    path = write_video(Path("loop.avi"), noise_loop())
    path.write_bytes(path.read_bytes()[:20_000])
    stream = FrameStream(path)
    assert len(list(stream)) > 1
    (failed,) = stream.rejected
    return failed.reason


@case("a frame without a pixel spacing")
def no_spacing() -> str:
    rows, columns = np.mgrid[:90, :120]
    head = measure_head(((columns - 60) / 50) ** 2 + ((rows - 45) / 38) ** 2 <= 1)
    row = measurement_row(head, known_age_days=None, spacing_source="")
    assert row["status"] == "unscaled"
    return str(row["reason"])


@case("a name that a spreadsheet would run")
def formula() -> str:
    write_csv_table(Path("table.csv"), ["file"], [["=cmd.png"]])
    return Path("table.csv").read_text().splitlines()[1]


# The table of `--table`.


def table(text: str) -> str:
    FRAMES.mkdir()
    Path("spacings.csv").write_text(text)
    return rejected(table="spacings.csv")


CASES |= {
    "a row without its image": lambda: table("filename,pixel_spacing_mm\ngone.png,0.2\n"),
    "a row with an impossible spacing": lambda: one_of_two("filename,pixel_spacing_mm\nscan.png,0\n"),
    "a row with a decimal comma": lambda: one_of_two('filename,pixel_spacing_mm\nscan.png,"0,2"\n'),
    "two rows for one image": lambda: one_of_two("filename,pixel_spacing_mm\nscan.png,0.2\nscan.png,0.3\n"),
}


def one_of_two(text: str) -> str:
    FRAMES.mkdir()
    write_picture(FRAMES / "scan.png", PICTURE)
    Path("spacings.csv").write_text(text)
    return rejected(table="spacings.csv")


def ended(action: Callable[[], object]) -> str:
    """The last line of a command that an error ends."""
    with pytest.raises(BaseException) as raised:
        action()
    message = brief_message(raised.value)
    assert message is not None, raised.value
    return message


@case("semicolons instead of commas")
def semicolons() -> str:
    write_picture(Path("scan.png"), PICTURE)
    Path("spacings.csv").write_text("filename;pixel_spacing_mm\nscan.png;0,2\n")
    return ended(lambda: collect_frames("scan.png", table="spacings.csv"))


# What ends a command.


def inference(**overrides: Any) -> str:
    config = "bundles/bisenet/configs/inference.json"
    paths = {"bundle_root": "bundles/bisenet", "dataset_dir": "frames", "output_dir": "results"}

    def run() -> None:
        workflow = ConfigWorkflow(config, logging_file=False, **paths | overrides)
        workflow.initialize()
        workflow.run()

    return ended(run)


def empty_folder() -> str:
    FRAMES.mkdir()
    return inference()


def one_frame() -> None:
    FRAMES.mkdir()
    write_picture(FRAMES / "scan.png", PICTURE)


CASES |= {
    "a folder that does not exist": inference,
    "a folder without frames": empty_folder,
    "a misspelt override": lambda: inference(pixel_spacing=0.12),
    "another size than the training's": lambda: inference(spatial_size=[128, 192]),
}


@case("weights that do not exist")
def no_weights() -> str:
    one_frame()
    return inference(weights="model.pt")


@case("a spacing with a decimal comma")
def comma() -> str:
    one_frame()
    return inference(pixel_spacing_mm="0,12")


@case("weights of another bundle")
def others() -> str:
    torch.save({}, "model.pt")
    write_settings(Path("model.pt"), {"bundle": "dilated_unet", "network": "DilatedUNet", "options": {}})
    return inference(weights="model.pt")


@case("a damaged file of weights")
def damaged() -> str:
    one_frame()
    shutil.copy("bundles/bisenet/models/model.pt", "model.pt")
    bad.cut(Path("model.pt"))
    return inference(weights="model.pt")


@case("`torchrun` for an inference")
def torchrun() -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORLD_SIZE", "2")
        return inference()


@case("an output folder that is a file")
def output_file() -> str:
    one_frame()
    Path("results").touch()
    return inference()


@case("an output folder in use")
def in_use() -> str:
    one_frame()
    Path("results").mkdir()
    with record_run(Path("results"), "inference_files.txt"):
        return inference()


@case("no prepared data set")
def not_prepared() -> str:
    Path("data").mkdir()
    return ended(lambda: load_datalist("data", "training"))


@case("a full disk")
def full() -> str:
    with pytest.raises(OSError, match="No space") as raised, Path("/dev/full").open("w") as device:
        device.write("a mask" * 10_000)
    with pytest.raises(SystemExit) as stopped:
        failure_reason(raised.value, "frames/scan.png")
    return str(stopped.value)


@case("Ctrl-C")
def interrupt() -> str:
    def stop() -> None:
        raise KeyboardInterrupt

    return ended(stop)


# Training, tracking, sharing.


@case("an unknown label")
def label() -> str:
    FRAMES.mkdir()
    write_picture(FRAMES / "scan.png", PICTURE)
    (FRAMES / "labels.csv").write_text("filename,labels,patient\nscan.png,haed,1\n")
    (problem,) = inspect_label_folder(FRAMES).problems
    return f"{problem.file}: {problem.detail}"


def tracked(uri: str) -> str:
    """The warning of a run whose store cannot be used."""
    engine, log = Engine(lambda engine, batch: None), MemoryHandler(capacity=100)
    engine.logger = logging.Logger("tracked")
    engine.logger.addHandler(log)
    log.setLevel(logging.WARNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        RunTracker("bundles/bisenet", "inference", "results", {}).attach(engine)
        assert engine.run([0]).epoch == 1
    (warning,) = log.buffer
    return warning.getMessage().splitlines()[0]


@case("an MLflow store that is half created")
def half_created() -> str:
    with closing(sqlite3.connect("mlruns.db")) as connection:
        connection.execute("CREATE TABLE _alembic_tmp_tags (key VARCHAR(250))")
    return tracked("sqlite:///mlruns.db")


@case("an MLflow store that another program keeps locked")
def locked() -> str:
    with closing(sqlite3.connect("mlruns.db", isolation_level="EXCLUSIVE")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        return tracked("sqlite:///mlruns.db")


@case("an MLflow store in a folder that is a file")
def no_folder() -> str:
    Path("mlruns").touch()
    return tracked("sqlite:///mlruns/mlruns.db")


@case("a malicious bundle")
def malicious() -> str:
    Path("theirs/configs").mkdir(parents=True)
    Path("theirs/configs/inference.json").write_text("{\"run\": \"$__import__('os').system('id')\"}")
    with redirect_stdout(io.StringIO()) as printed:
        assert audit(["theirs"]) == 1
    return printed.getvalue().splitlines()[0]
