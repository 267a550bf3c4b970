"""What a scanner and a PACS see of a node: dcmtk sends, Orthanc stores."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels import get_decoder
from pydicom.uid import JPEGLosslessSV1

pytest.importorskip("pynetdicom", reason="pynetdicom is not installed: pip install fetal-monai[dicom]")
pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE

from fetal_monai.cli.main import main
from fetal_monai.files import read_csv_table
from tests.dicom_report.content_tree import children, concept, number, path
from tests.dicom_report.test_reports import SIZES
from tests.node.running import AE_TITLE, RunningNode, dcmtk, running_node, started
from tests.node.stored_reports import PAIR, assert_one_pair_each, instance_uid, reports_by_source, titles
from tests.orthanc import Orthanc, orthanc, running_orthanc

pytestmark = [pytest.mark.slow, orthanc, dcmtk]

LOOP_CLASS = "1.2.840.10008.5.1.4.1.1.3.1"
MAX_BYTES = 1_000_000
TWO_GIGABYTES = 2 << 30


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running_orthanc(tmp_path_factory.mktemp("pacs") / "orthanc") as running:
        yield running


@pytest.fixture(scope="module")
def node(pacs: Orthanc, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    options = ["--accept", "SCANNER@127.0.0.0/8", "ELSEWHERE@192.0.2.1", "--max-object-size", str(MAX_BYTES / 1e6)]
    with running_node(tmp_path_factory.mktemp("node") / "queue", pacs.dicom_port, *options) as running:
        yield running


def test_it_answers_an_echo(node: RunningNode) -> None:
    assert node.echo().returncode == 0


@pytest.mark.parametrize(
    ("titles", "reason"),
    [
        ({"called": "OTHER"}, "Called AE Title Not Recognized"),
        ({"calling": "STRANGER"}, "Calling AE Title Not Recognized"),
        ({"calling": "ELSEWHERE"}, "Calling AE Title Not Recognized"),  # the title is right, the address is not
    ],
)
def test_a_wrong_title_or_address_is_rejected(node: RunningNode, titles: dict[str, str], reason: str) -> None:
    before = node.health()["rejected"]
    answer = node.echo(**titles)
    assert answer.returncode != 0
    assert reason in answer.stdout + answer.stderr
    assert node.health()["rejected"] == before + 1


@pytest.mark.parametrize("kind", ["still", "loop"])
def test_the_numbers_in_the_pacs_are_those_of_the_table(
    node: RunningNode,
    pacs: Orthanc,
    head: NDArray[np.uint8],
    images: Callable[..., list[Path]],
    tmp_path: Path,
    kind: str,
) -> None:
    loop = {"pixels": np.stack([np.roll(head, shift, axis=1) for shift in range(3)]), "SOPClassUID": LOOP_CLASS}
    (image,) = images(1, **(loop if kind == "loop" else {}))
    out = tmp_path / "out"
    assert main(["measure", str(image), "-o", str(out), "--quiet"]) == 0
    rows = read_csv_table(out / "measurements.csv")[1]
    frame = int(read_csv_table(out / "loops.csv")[1][0]["frame_to_report"]) if kind == "loop" else 0

    assert node.store(image).returncode == 0
    node.wait_until_idle()
    reports = {concept(report).meaning: report for report in reports_by_source(pacs)[instance_uid(image)]}
    assert sorted(reports) == sorted(PAIR)
    biometry = path(reports[PAIR[0]], "125002", "125005")
    (group,) = path(reports[PAIR[1]], "126010", "125007")
    for code, column in SIZES.items():
        expected = [(rows[frame][column], "mm")]
        assert [number(item) for each in biometry for item in children(each, code)] == expected
        assert [number(item) for item in children(group, code)] == expected
    assert {report.StudyInstanceUID for report in reports.values()} == {pydicom.dcmread(image).StudyInstanceUID}


def test_reports_are_sent_by_dicomweb(pacs: Orthanc, images: Callable[..., list[Path]], tmp_path: Path) -> None:
    files = images(2)
    address = f"dicomweb+http://127.0.0.1:{pacs.http_port}/dicom-web"
    with running_node(tmp_path / "queue", 104, "--send-to", address) as node:
        assert node.store(*files).returncode == 0
        assert node.wait_until_idle()["sent"] == 2
    assert_one_pair_each(pacs, files)


def test_two_hundred_images_from_four_associations(
    node: RunningNode, pacs: Orthanc, images: Callable[..., list[Path]]
) -> None:
    before, reported, unscaled = node.health(), images(12), images(188, regions=[])  # it is the reports that take time
    files = [*reported, *unscaled]
    with ThreadPoolExecutor(4) as senders:
        answers = list(senders.map(lambda first: node.store(*files[first::4]), range(4)))
    assert [answer.returncode for answer in answers] == [0] * 4
    after = node.wait_until_idle()
    assert [after[name] - before[name] for name in ("received", "sent", "unreported")] == [200, 12, 188]
    assert_one_pair_each(pacs, reported)


def test_an_image_that_comes_again_is_confirmed_and_not_measured_again(
    node: RunningNode, pacs: Orthanc, images: Callable[..., list[Path]]
) -> None:
    (image,) = images(1)
    assert node.store(image, image).returncode == 0
    first = node.wait_until_idle()
    assert node.store(image).returncode == 0
    assert node.wait_until_idle() == first
    assert_one_pair_each(pacs, [image])


def test_what_is_confirmed_and_sent_leaves_no_file(node: RunningNode, images: Callable[..., list[Path]]) -> None:
    node.store(*images(2))
    node.wait_until_idle()
    kept = {entry["name"] for entry in node.health()["reasons"] if entry["state"] == "failed"}
    files = [node.folder / "objects", node.folder / "reports"]
    node.wait_until(lambda _: {file.stem for folder in files for file in folder.iterdir()} == kept)


def test_two_gigabytes_are_refused_and_the_next_image_is_taken(
    node: RunningNode, pacs: Orthanc, images: Callable[..., list[Path]], tmp_path: Path
) -> None:
    before = node.health()
    (large,) = images(1, pixels=np.zeros((64, 64), np.uint8), NumberOfFrames=TWO_GIGABYTES >> 12)
    content = large.read_bytes()
    pixels = content.rindex(b"\xe0\x7f\x10\x00O")  # the last element: its tag, its type, and its length
    with large.open("rb+") as file:
        file.seek(pixels + 8)
        file.write(struct.pack("<I", TWO_GIGABYTES))
        file.truncate(pixels + 12 + TWO_GIGABYTES)  # without taking as much room on the disk
    (small,) = images(1)
    answer = node.store(large, small, options=("--no-halt",))
    assert re.findall(r"Store Response \((.+)\)", answer.stderr) == ["Error: CannotUnderstand", "Success"]
    after = node.wait_until_idle()
    assert (after["received"] - before["received"], after["rejected"] - before["rejected"]) == (1, 1)
    assert_one_pair_each(pacs, [small])


def test_a_truncated_association_leaves_nothing(node: RunningNode, images: Callable[..., list[Path]]) -> None:
    before, names = node.health(), set(node.folder.rglob("*"))
    (image,) = images(1)
    association = associated(node, image)
    send_half(association, image)
    association.dul.socket.socket.close()  # as if the cable were pulled
    association.abort()
    node.store(*images(1))
    after = node.wait_until_idle()
    assert after["received"] == before["received"] + 1
    node.wait_until(lambda _: set(node.folder.rglob("*")) == names)


def test_the_eleventh_association_at_once_is_rejected_for_now(
    node: RunningNode, images: Callable[..., list[Path]]
) -> None:
    (image,) = images(1)
    busy = [associated(node, image) for _ in range(10)]
    assert "Local Limit Exceeded" in node.echo().stderr
    for association in busy:
        association.release()
    node.wait_until(lambda _: node.echo().returncode == 0)


def associated(node: RunningNode, image: Path) -> Association:
    entity = AE("SCANNER")
    dataset = pydicom.dcmread(image)
    entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", node.port, ae_title=AE_TITLE)
    assert association.is_established
    return association


def send_half(association: Association, image: Path) -> None:
    """The first half of a C-STORE."""
    dataset = pydicom.dcmread(image)
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    with image.open("rb") as file:
        file.seek(132)
        request.DataSet = BytesIO(file.read())
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    parts = list(message.encode_msg(association.accepted_contexts[0].context_id, 16382))
    for part in parts[: len(parts) // 2]:
        association.dul.send_pdu(part)


@pytest.mark.parametrize(
    ("elements", "state", "reason"),
    [
        ({"regions": []}, "unreported", "unscaled: pixel spacing unknown"),
        ({"pixels": np.random.default_rng(1).integers(0, 9, (90, 120), np.uint8)}, "unreported", "(failed|check): "),
        ({"pixels": np.zeros((90, 120), np.uint8)}, "failed", "every pixel is 0"),
        ({"StudyInstanceUID": ""}, "unreported", "the DICOM file lacks StudyInstanceUID"),
        ({"Rows": 4711}, "failed", "cannot be read as a frame"),
    ],
    ids=["no spacing", "no head", "no content", "no study", "damaged"],
)
def test_what_is_not_reported_is_kept_with_its_reason(
    node: RunningNode,
    pacs: Orthanc,
    images: Callable[..., list[Path]],
    elements: dict[str, Any],
    state: str,
    reason: str,
) -> None:
    before = node.health()
    (image,) = images(1, **elements)
    assert node.store(image).returncode == 0
    after = node.wait_until_idle()
    assert after[state] == before[state] + 1
    entry = after["reasons"][0]
    assert (entry["number"], entry["state"]) == (after["received"], state)
    assert re.match(reason, entry["reason"])
    assert instance_uid(image) not in reports_by_source(pacs)
    assert (node.folder / "objects" / f"{entry['name']}.dcm").exists() == (state == "failed")


@pytest.mark.parametrize(
    ("converter", "options", "proposal"),
    [
        ("dcmconv", ("+ti",), "--propose-implicit"),
        ("dcmconv", ("+tb",), "--propose-big"),
        ("dcmconv", ("+td",), "--propose-deflated"),
        ("dcmcrle", (), "--propose-rle"),
        ("dcmcjpeg", ("+eb",), "--propose-jpeg8"),
        ("dcmcjpls", (), "--propose-jls-lossless"),
    ],
)
def test_every_transfer_syntax_that_can_be_decoded_is_accepted(
    node: RunningNode,
    pacs: Orthanc,
    images: Callable[..., list[Path]],
    tmp_path: Path,
    converter: str,
    options: tuple[str, ...],
    proposal: str,
) -> None:
    image = converted(images(1), tmp_path, converter, *options)
    assert node.store(image, options=(proposal,)).returncode == 0
    node.wait_until_idle()
    assert titles(reports_by_source(pacs)[instance_uid(image)]) == PAIR


def test_a_transfer_syntax_that_cannot_be_decoded_is_not_accepted(
    node: RunningNode, images: Callable[..., list[Path]], tmp_path: Path
) -> None:
    if get_decoder(JPEGLosslessSV1).is_available:
        pytest.skip("a decoder for JPEG Lossless is installed")
    before = node.health()
    image = converted(images(1), tmp_path, "dcmcjpeg", "+e1")
    assert node.store(image, options=("--propose-lossless", "--required")).returncode != 0
    assert node.health()["received"] == before["received"]


def converted(images: list[Path], folder: Path, converter: str, *options: str) -> Path:
    (image,) = images
    if shutil.which(converter) is None:
        pytest.skip(f"{converter} is not installed (Debian's package dcmtk)")
    path = folder / "converted.dcm"
    subprocess.run([converter, *options, str(image), str(path)], check=True)
    return path


def test_a_second_node_does_not_use_the_same_queue(node: RunningNode) -> None:
    with started(node.folder, 104) as (process, log_file):
        assert process.wait(timeout=60) == 2
    assert "is another node running with it?" in log_file.read_text()


def test_a_node_that_is_open_to_the_network_says_so(node: RunningNode, tmp_path: Path) -> None:
    with running_node(tmp_path / "queue", 104, "--host", "0.0.0.0") as open_to_all:
        assert "everyone who reaches this port is accepted" in open_to_all.log
    assert "everyone" not in node.log


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_the_log_names_no_patient(node: RunningNode, images: Callable[..., list[Path]]) -> None:
    (image,) = images(1, PatientBirthDate="SECRETDATE", PatientSex="SECRETSEX", StudyDate="SECRETSTUDYDATE")
    node.store(image)
    node.wait_until_idle()
    dataset = pydicom.dcmread(image)
    uids = [dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID]
    assert node.log.count(": received") > 1
    assert not re.search("secret|" + "|".join(map(re.escape, uids)), node.log, re.IGNORECASE)
