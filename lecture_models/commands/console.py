"""Executes the launcher as the console script `lecture-models`."""

import runpy
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def main() -> None:
    """Executes `launch.py` with the words of the command line; ends the process with its exit code.

    An installed wheel holds the launcher and the experiments in `lecture_models/checkout/`, since a
    package with the name `experiments` could hide another project's. In a checkout both lie beside
    the package. The launcher puts its own folder on the path of this process.
    """
    runpy.run_path(str(launcher(_PACKAGE)), run_name="__main__")


def launcher(package: Path) -> Path:
    """Returns the launcher that belongs to a package folder."""
    installed = package / "checkout" / "launch.py"
    return installed if installed.is_file() else package.parent / "launch.py"
