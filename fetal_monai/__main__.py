"""The command line: python -m fetal_monai --help."""

import sys

from fetal_monai.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
