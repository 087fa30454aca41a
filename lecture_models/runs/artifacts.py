"""Defines the folders and names of the files that the evaluations of a run write.

An artifact lies in `FOLDER/NAME_STEP.SUFFIX` in the run's folder, such as
`images/samples_00002000.png`, or under a file name of its own, as the frames of a film do. The
lines of metrics.jsonl name every artifact. Whoever writes, reads, lists or removes artifacts does
it through this module; other files in the same folders belong to the user.
"""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from lecture_models.runs.json_values import as_object

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
ARRAYS = ArtifactKind("arrays", ".npy")
KINDS = (IMAGES, SOUNDS, SCORES, ANIMATIONS, DATA_TABLES, ARRAYS)
FOLDERS = frozenset(kind.folder for kind in KINDS)
RECORDED = "artifacts"  # In a line of metrics.jsonl: by name, the file and its caption.


def artifact_path(
    run_folder: Path, kind: ArtifactKind, name: str, step: int, file_name: str = ""
) -> Path:
    """Returns the path of an artifact. Raises ValueError if a name holds a slash.

    Args:
        run_folder: folder of the run.
        kind: kind of the artifact.
        name: name of the artifact.
        step: the step at which it was made.
        file_name: name of its file without the ending; "" for NAME_STEP.
    """
    if "/" in name + file_name:
        raise ValueError("its name holds a slash, which a file name must not")
    return run_folder / kind.folder / f"{file_name or f'{name}_{step:08d}'}{kind.suffix}"


def recorded_files(record: dict[str, Any]) -> dict[str, PurePosixPath]:
    """Returns the files that a line of metrics.jsonl names, below the run's folder, by artifact.

    A path that no artifact can have, such as one outside of the run's folder, is skipped.
    """
    artifacts = as_object(record.get(RECORDED)).items()
    files = {name: PurePosixPath(str(as_object(about).get("file"))) for name, about in artifacts}
    return {name: file for name, file in files.items() if kind_of(file) is not None}


def kind_of(file: PurePosixPath) -> ArtifactKind | None:
    """Returns the kind of a file below the run's folder; None for what no artifact can be."""
    of_folder = (kind for kind in KINDS if (kind.folder, file.name) == file.parts)
    return next((kind for kind in of_folder if file.suffix == kind.suffix), None)


def artifact_files(
    run_folder: Path, kind: ArtifactKind, records: Iterable[dict[str, Any]]
) -> dict[str, SteppedFiles]:
    """Returns the artifacts of one kind by name, each in the order of steps.

    Old runs did not record their artifacts; there the names of files tell name and step.

    Args:
        run_folder: folder of the run.
        kind: kind of the artifacts.
        records: the lines of metrics.jsonl.
    """
    found: dict[str, dict[int, Path]] = {}
    unrecorded, is_old = set(), True
    for record in records:
        is_old = is_old and RECORDED not in record
        if RECORDED not in record and "eval" in record:
            unrecorded.add(record["step"])
        for name, file in recorded_files(record).items():
            if kind_of(file) == kind and (run_folder / file).is_file():
                found.setdefault(name, {})[record["step"]] = run_folder / file
    if is_old or unrecorded:
        for name, stepped in stepped_files(run_folder / kind.folder, kind.suffix).items():
            for step, path in stepped:
                if is_old or step in unrecorded:
                    found.setdefault(name, {}).setdefault(step, path)
    return {name: sorted(found[name].items()) for name in sorted(found)}


def stepped_files(folder: Path, suffix: str) -> dict[str, SteppedFiles]:
    """Returns the files NAME_STEP`suffix` of a folder by name, each in the order of steps.

    Files with another name are skipped; a folder that does not exist has no files.
    """
    files: dict[str, SteppedFiles] = {}
    for path in sorted(folder.glob(f"*{suffix}")):
        match = re.fullmatch(r"(.+)_([0-9]{1,18})", path.name.removesuffix(suffix))
        if match and not path.name.startswith(".") and path.is_file():
            files.setdefault(match[1], []).append((int(match[2]), path))
    return {name: sorted(stepped) for name, stepped in files.items()}
