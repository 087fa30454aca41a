"""Tests --report: the page about a folder of runs, and what is refused."""

import json
import re
import subprocess
import sys

import pytest

from tests.launch.launched import run
from tests.past import write_past_run


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    write_past_run(folder / "gan" / "first", started="2026-01-02T00:00:00+00:00")
    write_past_run(folder / "second")
    return folder


def embedded(page, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page)
    return json.loads(found[1])


def test_the_page_has_every_run_the_newest_first(runs, capsys):
    assert run(f"--report={runs}") == 0
    page = (runs / "index.html").read_text()
    assert [each["run"] for each in embedded(page, "data")["runs"]] == ["gan/first", "second"]
    assert capsys.readouterr().err == f"written: {runs}/index.html (2 runs)\n"


def test_links_are_relative_to_where_the_page_is(runs, tmp_path):
    (runs / "second" / "report.html").write_text("")
    assert run(f"--report={runs}", f"--output={tmp_path}/page.html") == 0
    data = embedded((tmp_path / "page.html").read_text(), "data")["runs"]
    assert [each["href"] for each in data] == ["./runs/gan/first", "./runs/second"]
    assert [each["report"] for each in data] == [False, True]


def test_the_page_names_no_address_outside_and_runs_its_own_script_alone(runs):
    run(f"--report={runs}")
    page = (runs / "index.html").read_text()
    assert re.findall(r"https?://[^\"' ]+", page) == ["http://www.w3.org/2000/svg"]  # A name.
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]+'$", policy)


def test_texts_of_runs_are_escaped_wherever_they_stand(runs):
    bad = '"><script>alert(1)</script>'
    write_past_run(runs / "x", experiment=bad, preset=bad)
    sweep = {"name": bad, "experiment": bad, "spec": {"method": bad}, "started": bad}
    (runs / "sweep.json").write_text(json.dumps(sweep))
    seeds = {"experiment": bad, "preset": bad, "metrics": {bad: {"mean": 1.0}}}
    (runs / "gan" / "seeds.json").write_text(json.dumps(seeds))
    (runs / "table.html").write_text(f"<title>{bad.replace('<', '&lt;')}</title>")
    (runs / "broken<script>").mkdir()
    (runs / "broken<script>" / "config.json").write_text("{")
    assert run(f"--report={runs}") == 0
    page = (runs / "index.html").read_text()
    assert page.count("<script") == 3
    assert "&lt;script&gt;alert(1)" in page


def test_damaged_and_foreign_folders_are_listed_in_one_line(runs, capsys):
    for index in range(5):
        (runs / f"bad{index}").mkdir()
        (runs / f"bad{index}" / "config.json").write_text("{")
    assert run(f"--report={runs}") == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"skipped: {runs}/bad0/config.json is damaged")
    assert lines[0].endswith("; and 2 more")
    assert "bad4/config.json is damaged" in (runs / "index.html").read_text()


def test_the_page_is_written_again_but_no_other_file_over(runs, capsys):
    assert run(f"--report={runs}") == 0
    assert run(f"--report={runs}") == 0
    page = runs / "second" / "report.html"
    page.write_text("a report")
    assert run(f"--report={runs}", f"--output={page}") == 1
    assert "is not an index of runs" in capsys.readouterr().err
    assert page.read_text() == "a report"
    assert "index.html</a>" not in (runs / "index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--report=",), 2, "--report is empty"),
        (("--report={}/none",), 1, "this folder does not exist"),
        (("--report={}/empty",), 1, "there are no runs below it"),
        (("--report={}/bad",), 1, "there are no runs below it"),
        (("--report={}/runs", "--output=page.pdf"), 2, "must end in .html"),
        (("--report={}/runs", "--output=none/page.html"), 2, "the folder none does not exist"),
        (("--report={}/runs", "--experiment=gan_mnist"), 2, "two commands"),
        (("--report={}/runs", "more"), 2, "unexpected argument 'more'"),
        (("--report={}/runs", "--outptu=x"), 2, "outptu"),
    ],
)
def test_refusals_are_one_clear_line(runs, tmp_path, capsys, arguments, code, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "config.json").write_text("{}")
    assert run(*(each.format(tmp_path) for each in arguments)) == code
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
    assert not list(tmp_path.rglob("index.html"))


def test_help_says_what_it_writes(capsys):
    assert run("--report=runs", "--help") == 0
    assert "FOLDER/index.html" in capsys.readouterr().out


def test_the_report_does_not_wait_for_jax(runs, root):
    program = (
        "import sys; sys.modules['jax'] = sys.modules['flax'] = None; import launch; "
        f"sys.exit(launch.main(['launch.py', '--report={runs}']))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
