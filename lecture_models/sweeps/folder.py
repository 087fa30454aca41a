"""A sweep's folder: sweep.json says which sweep it holds, so that no other enters by accident."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models import files
from lecture_models.runs.folder import RunFolderError

FILE = "sweep.json"
# What Python and the system put there, beside what a sweep writes itself.
OWN = {"trials", "workers", "failures", "study.journal", "study.lock", "report.html", FILE}


class Identity(NamedTuple):
    """What makes a folder that of one sweep; `digest` is of all that its trials are made from."""

    experiment: str
    digest: str
    storage: str | None


def default_folder(root: Path, experiment: str, stem: str, digest: str) -> Path:
    """The same for the same sweep, so that the same command goes on with it."""
    return root / experiment / f"sweep-{stem}-{digest[:8]}"


def read(folder: Path, wanted: Identity) -> dict[str, Any] | None:
    """The record of this sweep, None in a new folder.

    Raises RunFolderError where the folder holds another sweep, or anything else.
    """
    path = folder / FILE
    if not path.exists():
        others = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        if [name for name in others if name not in OWN and not name.startswith(".")]:
            raise RunFolderError(
                f"{folder} holds files ({', '.join(others[:3])}) but no {FILE}; name a new folder"
            )
        return None
    try:
        record = json.loads(path.read_text("utf-8"))
        found = Identity(*(record[name] for name in Identity._fields))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{path} is damaged ({error}); name a new folder") from error
    if found.experiment != wanted.experiment:
        raise RunFolderError(
            f"{folder} holds a sweep of {found.experiment}, not of {wanted.experiment}"
        )
    if found.digest != wanted.digest:
        raise RunFolderError(
            f"{folder} holds another sweep of {found.experiment}, {record['name']}: its file, its "
            "flags or its seed differ; name a new folder"
        )
    if found.storage != wanted.storage:
        raise RunFolderError(
            f"{folder} holds this sweep with --storage={found.storage or '(its own file)'}, not "
            f"{wanted.storage or '(its own file)'}"
        )
    return record


def write(folder: Path, identity: Identity, record: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / FILE, {**identity._asdict(), **record})
