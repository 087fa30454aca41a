"""Lists the runs of a lecture, each once, and the folder of each."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from lecture_models.lectures.lecture import Item, Lecture

PRESETS = ("smoke", "default")


class LectureRun(NamedTuple):
    """Describes one run of a lecture.

    Attributes:
        experiment: name of the experiment.
        flags: its flags, without those of preset and folder.
        preset: "smoke" or "default".
        folder: the run's folder, which follows from the fields above.
    """

    experiment: str
    flags: tuple[str, ...]
    preset: str
    folder: Path

    @property
    def title(self) -> str:
        """Returns the experiment with its flags."""
        return " ".join([self.experiment, *self.flags])

    @property
    def arguments(self) -> list[str]:
        """Returns the arguments of `launch.py` that start or continue the run."""
        preset = [] if self.preset == "default" else [f"--preset={self.preset}"]
        return [
            f"--experiment={self.experiment}",
            *preset,
            *self.flags,
            f"--workdir={self.folder}",
        ]


def run_of(item: Item, preset: str, workdir: Path) -> LectureRun | None:
    """Returns the run of an item; None for a table, and for what does not run.

    Lectures that have the same run share its folder.
    """
    command = item.smoke if preset == "smoke" and item.smoke else item.run
    words = shlex.split(command)
    if not words or not words[0].startswith("--experiment="):
        return None
    experiment, flags = words[0].partition("=")[2], tuple(words[1:])
    name = "-".join([experiment, *(flag.lstrip("-") for flag in flags)])
    return LectureRun(experiment, flags, preset, workdir / preset / re.sub(r"[^\w=.,-]", "_", name))


def runs_of(lecture: Lecture, preset: str, workdir: Path) -> list[LectureRun]:
    """Returns the runs of a lecture in the order of the slides, each once."""
    runs = (run_of(item, preset, workdir) for item in lecture.items)
    return list(dict.fromkeys(run for run in runs if run is not None))


def command_of(item: Item, program: str) -> str:
    """Returns the command that a reader types for an item; "" if nothing runs."""
    return f"python {program} {item.run}" if item.run else ""
