"""A cohort on one process, on a local Ray cluster, and on one whose workers are killed: rate, memory, same content.

    python -m benchmarks.cohort --frames 20000 --kills 5 --driver_kills 2 --output_dir cohort_benchmark

A few frames are simulated, then written many times as PNG and DICOM, each shifted by another number of pixels; one in a
hundred is broken in one of ten ways.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.generated_archive import write_archive

_POLL_S = 0.5
_SPACING = ["--pixel-spacing-mm", "0.15"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark, and write `cohort.json` with its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--frames", type=int, default=300, help="number of files (default: %(default)s)")
    add("--workers", type=int, nargs="+", default=[2], help="cores of the local clusters (default: 2)")
    add("--kills", type=int, default=0, help="workers to kill in one more run on the last of these clusters")
    add("--driver_kills", type=int, default=0, help="how often to kill the command of that run, and to repeat it")
    add("--output_dir", type=Path, required=True, help="folder of the frames and the results")
    options = parser.parse_args(arguments)
    folder: Path = options.output_dir
    archive = folder / "archive"
    if not archive.exists():
        write_archive(archive, options.frames)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
    figures: dict[str, Any] = {"frames": options.frames}
    figures["one process"] = _run(["measure", str(archive), *_SPACING, "-o", str(folder / "measure"), "--quiet"])
    for workers in options.workers:
        figures[f"cluster of {workers}"] = _run(_cohort(archive, folder / f"cohort_{workers}", workers))
    if options.kills or options.driver_kills:
        killed, whole = folder / "cohort_killed", folder / f"cohort_{options.workers[-1]}"
        parts = len(_parts(whole))
        after = [parts * (kill + 1) // (options.driver_kills + 1) for kill in range(options.driver_kills)]
        command = _cohort(archive, killed, options.workers[-1])
        runs = [_run(command, options.kills // len([*after, 0]), killed, stop) for stop in (*after, None)]
        figures["killed"] = {"seconds": [run["seconds"] for run in runs], "killed": [run["killed"] for run in runs]}
        figures["same content"] = _parts(killed) == _parts(whole)
    (folder / "cohort.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps({name: _brief(value) for name, value in figures.items()}, indent=2))


def _cohort(archive: Path, out: Path, workers: int) -> list[str]:
    return ["cohort", str(archive), str(out), *_SPACING, "--cores", str(workers), "--files-per-part", "64", "--quiet"]


def _run(command: Sequence[str], kills: int = 0, out: Path | None = None, stop: int | None = None) -> dict[str, Any]:
    """Run a command.

    Args:
        command: Of `fetal-monai`.
        kills: Number of workers to kill.
        out: Where it writes parts.
        stop: The number of parts at which to kill the command itself; None to let it end.

    Returns:
        The seconds, and the memory of all its processes over time, as pairs of seconds and MiB.
    """
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "fetal_monai", *command])
    memory: list[tuple[float, int]] = []
    killed: set[int] = set()
    while process.poll() is None:
        time.sleep(_POLL_S)
        family = list(_family(process.pid))
        memory.append((round(time.perf_counter() - began, 1), round(sum(map(_proportional_mib, family)))))
        if len(killed) < kills:
            killed |= _kill_one(set(family) - killed)
        if out is not None and stop is not None and len(_parts(out)) >= stop:
            process.kill()
    assert process.returncode in (0, 1) or stop is not None, f"{command} ended with {process.returncode}"
    return {"seconds": round(time.perf_counter() - began, 1), "killed": len(killed), "memory_mib": memory}


def _kill_one(family: Iterable[int]) -> set[int]:
    for process in family:
        with suppress(OSError):
            if Path(f"/proc/{process}/comm").read_text().startswith(("ray::MapWorker", "ray::FlatMap")):
                os.kill(process, signal.SIGKILL)
                return {process}
    return set()


def _family(process: int) -> Iterator[int]:
    """A process and all that it started, directly or not."""
    yield process
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _proportional_mib(process: int) -> float:
    """Memory of a process; what several share is divided among them."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _parts(folder: Path) -> dict[str, bytes]:
    return {part.name: part.read_bytes() for part in folder.glob("part-*.parquet")}


def _brief(value: Any) -> Any:
    if not isinstance(value, dict) or "memory_mib" not in value:
        return value
    used = [mib for _, mib in value["memory_mib"]]
    return {"seconds": value["seconds"], "most MiB": max(used, default=0)}


if __name__ == "__main__":
    main()
