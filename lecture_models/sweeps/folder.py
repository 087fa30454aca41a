"""Guards a sweep's folder: sweep.json says which sweep it holds, so that no other one enters."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models import files
from lecture_models.runs.reader import RunFolderError
from lecture_models.sweeps.address import without_password

FILE = "sweep.json"
# A folder with other files than these belongs to something else.
SWEEP_FILES = {
    *("trials", "workers", "failures", "study.journal", "study.lock", "report.html", FILE),
}


class SweepIdentity(NamedTuple):
    """Identifies a sweep.

    Attributes:
        experiment: name of the experiment.
        digest: hash of everything that determines the trials.
        storage: address of the database without its password; None for a journal in the folder.
    """

    experiment: str
    digest: str
    storage: str | None


def default_folder(root: Path, experiment: str, stem: str, digest: str) -> Path:
    """Returns the folder of a sweep, so that repeating the same command continues it."""
    return root / experiment / f"sweep-{stem}-{digest[:8]}"


def read(folder: Path, expected: SweepIdentity) -> dict[str, Any] | None:
    """Returns the record of the expected sweep; None if the folder is new.

    Raises RunFolderError if the folder holds another sweep or anything else.
    """
    path = folder / FILE
    if not path.exists():
        names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        if [name for name in names if name not in SWEEP_FILES and not name.startswith(".")]:
            raise RunFolderError(
                f"{folder} holds files ({', '.join(names[:3])}) but no {FILE}; name a new folder"
            )
        return None
    try:
        record = json.loads(path.read_text("utf-8"))
        recorded = SweepIdentity(*(record[name] for name in SweepIdentity._fields))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{path} is damaged ({error}); name a new folder") from error
    if recorded.experiment != expected.experiment:
        raise RunFolderError(
            f"{folder} holds a sweep of {recorded.experiment}, not of {expected.experiment}"
        )
    if recorded.digest != expected.digest:
        raise RunFolderError(
            f"{folder} holds another sweep of {recorded.experiment}, {record['name']}: its file, "
            "flags or seed differ; name a new folder"
        )
    if without_password(recorded.storage) != expected.storage:
        raise RunFolderError(
            f"{folder} holds this sweep with --storage={recorded.storage or '(its own file)'}, not "
            f"{expected.storage or '(its own file)'}"
        )
    return record


def write(folder: Path, identity: SweepIdentity, record: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / FILE, {**identity._asdict(), **record})
