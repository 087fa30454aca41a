"""Reads the records of a run: the files config.json, summary.json and metrics.jsonl of its folder.

No other module parses these files. Each file is missing, damaged (for a stated reason) or intact.
Names of experiments, fields and metrics that have changed since the run are translated to today's
names while reading.

Reports read leniently: they show the `content` that could be read and skip the rest. Commands that
depend on a record read strictly: `require()` raises RunFolderError with one line.
"""

import json
import math
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.runs import renames
from lecture_models.runs.json_values import as_list, as_object

CONFIG = "config.json"
SUMMARY = "summary.json"
METRICS = "metrics.jsonl"
REPORT = "report.html"
CHECKPOINTS = "checkpoints"  # A folder.
METRIC_GROUPS = ("train", "eval")
_CONFIG_TYPES = {
    "experiment": str,
    "config": dict,
    "data": list,
    "sessions": list,
    "command": str,
    "preset": str,
    "started": str,
    "wandb": dict,
}
_SUMMARY_TYPES = {"status": str, "step": int, "metrics": dict}
_FOREIGN = "is not the record of a lecture-models run"
_TYPE_NAMES = {str: "a string", dict: "an object", list: "an array", int: "an integer"}


class RunFolderError(Exception):
    """Tells the user, in one line, why a folder cannot be read or used as the folder of a run."""


class RecordFile(NamedTuple):
    """Holds what was found in one JSON file of a run.

    Attributes:
        path: the file.
        exists: False if the file is missing.
        content: the JSON object; {} if the file is missing or does not hold one. In a damaged file
            its values may be missing or have any type.
        damage: what is wrong with the file, to follow its path in a message; "" if nothing is.
    """

    path: Path
    exists: bool
    content: dict[str, Any]
    damage: str

    @property
    def intact(self) -> dict[str, Any]:
        """Returns the content of an undamaged file, and {} otherwise."""
        return {} if self.damage else self.content

    @property
    def is_foreign(self) -> bool:
        """Returns True if another program wrote the file."""
        return self.damage.startswith(_FOREIGN)

    def require(self) -> dict[str, Any]:
        """Returns the content. Raises RunFolderError if the file is missing or damaged."""
        if not self.exists:
            raise RunFolderError(f"{self.path} does not exist")
        if self.damage:
            raise RunFolderError(f"{self.path} {self.damage}")
        return self.content


class MetricsFile(NamedTuple):
    """Holds the lines of metrics.jsonl that could be read.

    Attributes:
        path: the file.
        records: the JSON object of each intact line, in the order of the file. `step` is an
            integer; everything else may be missing or have any type.
        lines: the bytes of each of these lines, without the line break.
        num_damaged: the number of lines that are not JSON objects with a step, such as the last
            line of a process that was killed while it wrote.
        damage: why the file as a whole cannot be read; "" if it can be read or is missing.
    """

    path: Path
    records: list[dict[str, Any]]
    lines: list[bytes]
    num_damaged: int
    damage: str

    def require(self) -> "MetricsFile":
        """Returns itself. Raises RunFolderError if the file as a whole cannot be read."""
        if self.damage:
            raise RunFolderError(f"{self.path} {self.damage}")
        return self


def read_config(folder: Path) -> RecordFile:
    """Reads config.json: what was run, on which data, and in which sessions."""
    found = read_object(folder / CONFIG)
    if not found.exists or found.damage:
        return found
    content = dict(found.content)
    if isinstance(content.get("experiment"), str):
        content["experiment"] = renames.current_experiment(content["experiment"])
        if isinstance(content.get("config"), dict):
            content["config"] = renames.current_config(content["experiment"], content["config"])
    if isinstance(content.get("data"), list):
        content["data"] = [renames.current_source(source) for source in content["data"]]
    return found._replace(content=content, damage=_config_damage(content))


def read_summary(folder: Path) -> RecordFile:
    """Reads summary.json: how far the run came, and its last metrics."""
    found = read_object(folder / SUMMARY)
    if not found.exists or found.damage:
        return found
    content = dict(found.content)
    for name in ("metrics", "texts"):
        if isinstance(content.get(name), dict):
            content[name] = _with_current_names(content[name])
    return found._replace(content=content, damage=_summary_damage(content))


def read_metrics(folder: Path, max_lines: int | None = None) -> MetricsFile:
    """Reads metrics.jsonl.

    If the file has more than `max_lines` lines, only every n-th line, the last one and the lines
    of evaluations are read.
    """
    path = folder / METRICS
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return MetricsFile(path, [], [], 0, "")
    except OSError as error:
        return MetricsFile(path, [], [], 0, f"cannot be read: {error.strerror}")
    lines = [line for line in content.split(b"\n") if line.strip()]
    if max_lines is not None:
        lines = _sample(lines, max_lines)
    parsed = _parse_lines(lines)
    intact = [index for index, record in enumerate(parsed) if _is_metrics_record(record)]
    records = [parsed[index] for index in intact]
    if any(f'{mark}{name}"'.encode() in content for name in renames.METRICS for mark in '"/'):
        records = [_with_current_metrics(record) for record in records]
    return MetricsFile(
        path, records, [lines[index] for index in intact], len(lines) - len(intact), ""
    )


def read_object(path: Path) -> RecordFile:
    """Reads any file that holds one JSON object."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return RecordFile(path, False, {}, "")
    except OSError as error:
        return RecordFile(path, True, {}, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return RecordFile(path, True, {}, "is damaged: it is not UTF-8 text")
    except (ValueError, RecursionError) as error:
        return RecordFile(path, True, {}, f"is damaged: it is not JSON ({error})")
    if not isinstance(content, dict):
        return RecordFile(path, True, {}, "is damaged: it does not hold a JSON object")
    return RecordFile(path, True, content, "")


def _config_damage(content: dict[str, Any]) -> str:
    missing = [name for name in _CONFIG_TYPES if name not in content]
    if missing:
        return f"{_FOREIGN}: it has no {', '.join(missing[:3])}"
    if damage := _wrong_type(content, _CONFIG_TYPES):
        return damage
    if not all(isinstance(session, dict) for session in content["sessions"]):
        return "is damaged: sessions must hold objects only"
    for source in map(as_object, content["data"]):
        files = source.get("files")
        hashes = [as_object(file).get("sha256") for file in as_list(files)]
        if "dataset" not in source or not isinstance(files, list) or None in hashes:
            return "is damaged: each entry of data must have a dataset, and files with a sha256"
    return ""


def _summary_damage(content: dict[str, Any]) -> str:
    missing = [name for name in _SUMMARY_TYPES if name not in content]
    if missing:
        return f"is damaged: it has no {', '.join(missing)}"
    return _wrong_type(content, _SUMMARY_TYPES)


def _wrong_type(content: dict[str, Any], types: dict[str, type]) -> str:
    for name, kind in types.items():
        if type(content[name]) is not kind:
            value = reprlib.repr(content[name])
            return f"is damaged: {name} is {value}; it must be {_TYPE_NAMES[kind]}"
    return ""


def _sample(lines: list[bytes], max_lines: int) -> list[bytes]:
    every = math.ceil(len(lines) / max_lines)
    if every <= 1:
        return lines
    last = len(lines) - 1
    return [
        line for index, line in enumerate(lines) if (last - index) % every == 0 or b'"eval"' in line
    ]


def _parse_lines(lines: Sequence[bytes]) -> list[Any]:
    """Returns the value of each line, None for a damaged one.

    Parsing all lines as one JSON array takes a third of the time of parsing each.
    """
    try:
        parsed = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        parsed = []
    return parsed if len(parsed) == len(lines) else [_parse(line) for line in lines]


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_metrics_record(record: Any) -> bool:
    return isinstance(record, dict) and type(record.get("step")) is int


def _with_current_metrics(record: dict[str, Any]) -> dict[str, Any]:
    named = {
        group: _with_current_names(record[group])
        for group in (*METRIC_GROUPS, "texts")
        if isinstance(record.get(group), dict)
    }
    return record | named


def _with_current_names(values: dict[str, Any]) -> dict[str, Any]:
    return {renames.current_metric(name): value for name, value in values.items()}
