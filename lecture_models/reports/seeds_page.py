"""What several seeds come to: a table for the terminal, and a page with a link to each run."""

from pathlib import Path
from typing import Any

from lecture_models import files
from lecture_models.reports.html import band, number, section, table, text
from lecture_models.reports.markdown import markdown_columns
from lecture_models.reports.page import whole_page
from lecture_models.reports.run_sections import STATUS
from lecture_models.runs.reader import as_number
from lecture_models.runs.seeds import Spread


def terminal(spreads: dict[str, Spread]) -> str:
    if not spreads:
        return "no metric was evaluated\n"
    rows = [
        (name, _digits(each.mean), _digits(each.std), str(each.n)) for name, each in spreads.items()
    ]
    return markdown_columns(("metric", "mean", "std", "n"), rows)


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def write_report(workdir: Path, summary: dict[str, Any]) -> Path:
    """`summary` is what seeds.json holds."""
    title = str(summary["title"] or summary["experiment"]).removesuffix(".")
    seeds = summary["seeds"]
    done = sum(each["status"] == "finished" for each in seeds)
    failed = [
        f"<p>seed {text(each['seed'])}: {text(each['error'])}</p>"
        for each in seeds
        if each["error"]
    ]
    badge = "failed" if failed else "finished" if done == len(seeds) else "unknown"
    body = (
        f'<p class="eyebrow">{text(summary["experiment"])} · {text(summary["preset"])} · '
        f"{text(workdir.name)}</p><h1>{text(title)}</h1>"
        f'<p><span class="badge {badge}">'
        f"{done} of {len(seeds)} seeds finished</span></p>"
        + band("alarm", "Failed", "".join(failed))
        + band("note", "Note on the data", _notes(summary))
        + section("Over the seeds", _spreads(summary["metrics"]))
        + section("Each seed", _seeds(summary))
        + section("Data and device", table(_origin(summary)))
        + section("Config", table(summary["config"].items()))
        + section("Command", f"<pre>{text(summary['command'])}</pre>")
        + f"<footer>{text(workdir.name)} · made by lecture-models</footer>"
    )
    page = whole_page(f"{title}: {len(seeds)} seeds", body)
    path = workdir / "report.html"
    files.write_bytes(path, page.encode())
    return path


def _notes(summary: dict[str, Any]) -> str:
    return "".join(
        f"<p>{text(each['dataset'])}: {text(each['note'])}</p>"
        for each in summary["data"]
        if each.get("note")
    )


def _origin(summary: dict[str, Any]) -> list[tuple[str, str]]:
    data = [(str(each["dataset"]), str(each.get("source"))) for each in summary["data"]]
    return [*data, ("device", ", ".join(summary["devices"]))]


def _spreads(metrics: dict[str, dict[str, Any]]) -> str:
    rows = "".join(
        f'<tr><th class="mono">{text(name)}</th>{_cell(each["mean"])}{_cell(each["std"])}'
        f"{_cell(each['n'])}</tr>"
        for name, each in metrics.items()
    )
    head = _head("Metric", "Mean", "Standard deviation (n - 1)", "n")
    return f'<div class="card"><table>{head}<tbody>{rows}</tbody></table></div>' if rows else ""


def _seeds(summary: dict[str, Any]) -> str:
    names = list(summary["metrics"])
    rows = ""
    for each in summary["seeds"]:
        link = f'<a href="{text(each["folder"])}/report.html">{text(each["seed"])}</a>'
        status = text(STATUS.get(each["status"], each["status"]))
        cells = "".join(_cell(each["metrics"].get(f"eval/{name}")) for name in names)
        rows += f"<tr><th>{link}</th><td>{status}</td>{cells}</tr>"
    head = _head("Seed", *names).replace("</th>", "</th><th>Status</th>", 1)
    # Many metrics are wider than the page: the card scrolls, and no word is broken.
    return (
        '<div class="card" style="overflow-x: auto"><table style="white-space: nowrap">'
        f"{head}<tbody>{rows}</tbody></table></div>"
    )


def _head(first: str, *others: str) -> str:
    cells = "".join(f'<th class="number">{text(name)}</th>' for name in others)
    return f"<thead><tr><th>{text(first)}</th>{cells}</tr></thead>"


def _cell(value: Any) -> str:
    found = as_number(value)
    return f'<td class="number">{"-" if found is None else text(number(found))}</td>'
