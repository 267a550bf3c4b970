"""Commands in processes of their own, forked from one that has imported what `conftest.py` preloads."""

import os
import runpy
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from torch.multiprocessing import ProcessExitedException, ProcessRaisedException, start_processes


def run_forked(module: str, *arguments: str, cwd: Path, ranks: int = 1, exit_code: int = 0) -> str:
    """Do what `python -m module arguments` does, without the seconds of importing; return the output.

    Several ranks get the environment of `torchrun`.

    Raises:
        AssertionError: A process ended with another exit code. The others are ended.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    environment = {**os.environ}
    if ranks > 1:
        environment |= {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output.txt")
        try:
            start_processes(
                _run, (module, arguments, cwd, environment, output), nprocs=ranks, start_method="forkserver"
            )
            ended = 0
        except (ProcessExitedException, ProcessRaisedException) as error:
            ended = getattr(error, "exit_code", 1)
        assert ended == exit_code, f"{module} {' '.join(arguments)}\n{output.read_text()[-9000:]}"
        return output.read_text()


def _run(rank: int, module: str, arguments: tuple[str, ...], cwd: Path, env: Mapping[str, str], output: Path) -> None:
    os.environ.clear()  # it is the server's, as old as the server
    os.environ.update(env)
    if "WORLD_SIZE" in env:
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
    with output.open("a") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    os.chdir(cwd)
    sys.path.insert(0, str(cwd))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
