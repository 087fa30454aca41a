"""The launcher of a house of toys, for processes that tests start and kill."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[0] = str(ROOT)

import launch  # noqa: E402
from lecture_models.commands.invocation import House  # noqa: E402

launch.HOUSE = House(Path(__file__).resolve().parent)

if __name__ == "__main__":
    sys.exit(launch.main(sys.argv))
