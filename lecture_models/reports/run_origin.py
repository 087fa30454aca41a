"""Where a run came from: config, command, commit, machine, data, protocols."""

from typing import Any

from lecture_models.reports.html import section, table, text
from lecture_models.runs.provenance import shown_commit
from lecture_models.runs.reader import Run, as_list, as_object


def sources(run: Run) -> list[dict[str, Any]]:
    return [source for source in as_list(run.config.get("data")) if isinstance(source, dict)]


def settings(run: Run) -> str:
    return section("Config", table(as_object(run.config.get("config")).items()))


def environment(run: Run) -> str:
    config = run.config
    rows = {
        "commit": shown_commit(as_object(config.get("git"))),
        "started": config.get("started"),
        "sessions": _sessions(config),
        "device": _pairs(config.get("device")),
        "versions": _pairs(config.get("versions")),
    }
    commands = [
        f"<h3>{title}</h3><pre>{text(config[key])}</pre>"
        for key, title in (("command", "Command"), ("resume_command", "To go on with it"))
        if config.get(key)
    ]
    rest = table((name, value) for name, value in rows.items() if value)
    return section("Environment", "".join(commands) + rest if config else "")


def _sessions(config: dict[str, Any]) -> str:
    """When the run was taken up again, and at which commit; nothing for a single session."""
    lines = [
        f"{each.get('started', '')} {str(as_object(each.get('git')).get('commit', ''))[:10]}"
        for each in map(as_object, as_list(config.get("sessions")))
    ]
    return "\n".join(lines) if len(lines) > 1 else ""


def data(run: Run) -> str:
    cards = []
    for source in sources(run):
        files = [
            f'<tr><td class="mono">{text(file.get("path", ""))}</td>'
            f'<td class="mono hash">{text(file.get("sha256", ""))}</td></tr>'
            for file in as_list(source.get("files"))
            if isinstance(file, dict)
        ]
        cards.append(
            f"<h3>{text(source.get('dataset', ''))}: {text(source.get('source', ''))}</h3>"
            + (f'<div class="card"><table>{"".join(files)}</table></div>' if files else "")
        )
    return section("Data", "".join(cards))


def texts(run: Run) -> str:
    return section(
        "Texts",
        "".join(
            f'<h3>{text(name)}</h3><div class="card text">{text(content)}</div>'
            for name, content in sorted(run.texts.items())
            if content
        ),
    )


def _pairs(values: Any) -> str:
    return "\n".join(f"{name} {value}" for name, value in as_object(values).items())
