"""Run bundles with MONAI, one after the other, and print which of them created the folder `marked`; see the test."""

import contextlib
import importlib
import json
import logging
import os
import sys
import warnings
from pathlib import Path

from monai.bundle import run


def main() -> None:
    """Read a list of folders and configs from standard input."""
    warnings.simplefilter("ignore")
    done = {}
    for folder, configs in json.load(sys.stdin):
        os.chdir(folder)
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        # Errors after the folder was created do not matter.
        with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(BaseException):
            run(run_id="run", config_file=configs)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)
        logging.shutdown()
        sys.path.remove(folder)
        for module in [name for name in sys.modules if name.split(".")[0] == "cucim"]:
            del sys.modules[module]
        done[folder] = Path("marked").is_dir()
    print(json.dumps(done))


if __name__ == "__main__":
    main()
