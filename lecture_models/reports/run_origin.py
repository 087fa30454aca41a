"""Gathers the origin of a run for its report: config, commands, commit, machine and data."""

import json
from typing import Any

from lecture_models.runs.arguments import in_folder
from lecture_models.runs.json_values import as_list, as_object
from lecture_models.runs.provenance import shown_commit
from lecture_models.runs.recorded_run import RecordedRun


def sources(run: RecordedRun) -> list[dict[str, Any]]:
    """Returns the recorded data sources of a run."""
    return [source for source in as_list(run.record.get("data")) if isinstance(source, dict)]


def settings(config: dict[str, Any]) -> dict[str, str]:
    """Returns the fields of a Config as texts."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in config.items()
    }


def commands(run: RecordedRun) -> dict[str, str]:
    """Returns the commands that start and resume the run, by their headings.

    No command resumes a run that its sweep has pruned, or one that diverged and would do so again.
    """
    shown = {}
    if command := run.record.get("command"):
        shown["Command"] = str(command)
    is_given_up = run.summary.get("status") == "pruned" or run.summary.get("diverged") is True
    if (resume := run.record.get("resume_command")) and not is_given_up:
        shown["Command to resume"] = in_folder(str(resume), run.folder)
    return shown


def environment(run: RecordedRun) -> dict[str, str]:
    """Returns commit, time, sessions, device and versions, as far as they are recorded."""
    if not run.record:
        return {}
    rows = {
        "commit": shown_commit(as_object(run.record.get("git"))),
        "started": run.record.get("started"),
        "sessions": _sessions(run.record),
        "device": _lines(run.record.get("device")),
        "versions": _lines(run.record.get("versions")),
    }
    return {name: str(value) for name, value in rows.items() if value}


def _sessions(config: dict[str, Any]) -> str:
    """Returns the start and commit of each session; "" for a run that was never resumed."""
    lines = [
        f"{session.get('started', '')} {str(as_object(session.get('git')).get('commit', ''))[:10]}"
        for session in map(as_object, as_list(config.get("sessions")))
    ]
    return "\n".join(lines) if len(lines) > 1 else ""


def _lines(values: Any) -> str:
    return "\n".join(f"{name} {value}" for name, value in as_object(values).items())


def data_sources(run: RecordedRun) -> list[dict[str, Any]]:
    """Returns each data source with its files and their SHA-256."""
    return [
        {
            "name": f"{source.get('dataset', '')}: {source.get('source', '')}",
            "files": [
                {"path": str(file.get("path", "")), "sha256": str(file.get("sha256", ""))}
                for file in as_list(source.get("files"))
                if isinstance(file, dict)
            ],
        }
        for source in sources(run)
    ]
