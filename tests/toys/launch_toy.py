"""The launcher with a toy for its only experiment: python -m tests.toys.launch_toy ..."""

import sys
from pathlib import Path

import launch
from lecture_models.commands.invocation import House

launch.HOUSE = House(Path(__file__).resolve().parent)

if __name__ == "__main__":
    sys.exit(launch.main(sys.argv))
