"""Launches toy experiments, in processes that tests start and kill."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[0] = str(ROOT)

import launch  # noqa: E402
from lecture_models.commands.invocation import Checkout  # noqa: E402

launch.CHECKOUT = Checkout(Path(__file__).resolve().parent)

if __name__ == "__main__":
    sys.exit(launch.main(sys.argv))
