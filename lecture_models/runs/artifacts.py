"""Defines the folders and names of the files that the evaluations of a run write.

An artifact lies in `FOLDER/NAME_STEP.SUFFIX` in the run's folder, such as
`images/samples_00002000.png`. Whoever writes, reads, lists or removes artifacts does it through
this module.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SteppedFiles = list[tuple[int, Path]]  # A step and the file of that step, in the order of steps.


class ArtifactKind(NamedTuple):
    """Describes one kind of artifact: its folder in the run's folder, and the suffix of its files.

    `suffix` includes the dot.
    """

    folder: str
    suffix: str


IMAGES = ArtifactKind("images", ".png")
SOUNDS = ArtifactKind("sounds", ".wav")
SCORES = ArtifactKind("scores", ".mid")
ANIMATIONS = ArtifactKind("animations", ".gif")
DATA_TABLES = ArtifactKind("data_tables", ".csv")
KINDS = (IMAGES, SOUNDS, SCORES, ANIMATIONS, DATA_TABLES)
FOLDERS = frozenset(kind.folder for kind in KINDS)


def artifact_path(run_folder: Path, kind: ArtifactKind, name: str, step: int) -> Path:
    """Returns the path of an artifact. Raises ValueError if `name` holds a slash."""
    if "/" in name:
        raise ValueError("its name holds a slash, which a file name must not")
    return run_folder / kind.folder / f"{name}_{step:08d}{kind.suffix}"


def artifact_files(run_folder: Path, kind: ArtifactKind) -> dict[str, SteppedFiles]:
    """Returns the artifacts of one kind by name, each in the order of steps."""
    return stepped_files(run_folder / kind.folder, kind.suffix)


def stepped_files(folder: Path, suffix: str) -> dict[str, SteppedFiles]:
    """Returns the files NAME_STEP`suffix` of a folder by name, each in the order of steps.

    Files with another name are skipped; a folder that does not exist has no files.
    """
    files: dict[str, SteppedFiles] = {}
    for path in sorted(folder.glob(f"*{suffix}")):
        match = re.fullmatch(r"(.+)_(\d+)", path.name.removesuffix(suffix))
        if match and not path.name.startswith("."):
            files.setdefault(match[1], []).append((int(match[2]), path))
    return {name: sorted(stepped) for name, stepped in files.items()}


def artifacts_after(run_folder: Path, step: int) -> Iterator[Path]:
    """Yields the artifacts of later steps, of all kinds."""
    for kind in KINDS:
        for stepped in artifact_files(run_folder, kind).values():
            yield from (path for artifact_step, path in stepped if artifact_step > step)


def half_written(run_folder: Path) -> Iterator[Path]:
    """Yields the temporary files that a killed process left beside the artifacts."""
    for kind in KINDS:
        yield from (run_folder / kind.folder).glob(".*.*")
