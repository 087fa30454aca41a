"""Tests `--lecture`: the list, the slides, their runs and the page."""

import signal
import subprocess
import sys

import pytest

from lecture_models.commands import lecture as lecture_command
from lecture_models.commands import run as run_command
from lecture_models.config import UsageError
from lecture_models.lectures.lecture import Lecture
from lecture_models.training.interrupt import stop_requests
from tests.conftest import ROOT
from tests.launch.launched import run

PLANE = "--experiment=linear_ae_mnist"
LINE = "--experiment=least_squares"
FAST = "--experiment=classify_images"


def lecture_of(*commands):
    """A lecture with a slide for each command, and one on which nothing runs."""
    items = [{"shows": "A slide.", "run": command, "formulas": ["x^2"]} for command in commands]
    items.append({"shows": "A title.", "why_not": "A title."})
    slides = [{"heading": f"Slide {n}", "items": [item]} for n, item in enumerate(items)]
    return Lecture(number="009", title="Small", by="us", about="Tests.", slides=slides)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Leaves the checkout, whose folder of runs must not affect a test."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small_lecture(monkeypatch):
    """Replaces the lectures by one of four slides, two of which have the same run."""
    small = lecture_of(PLANE, LINE, PLANE)
    monkeypatch.setattr(lecture_command, "read_lecture", lambda number: small)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lecture=9"], "there is no lecture '9'. Lectures: 000, 001, 002, 003, 004"),
        (["--lecture=04"], "there is no lecture '04'; did you mean '004'?"),
        (["--lecture=004", "--run=smok"], "--run is smok; it must be one of smoke, default"),
        (["--lecture=004", "--run=paper"], "--run is paper; it must be one of smoke, default"),
        (["--run=smoke"], "--run needs --lecture=NUMBER or --table=NAME"),
        (["--lecture=list", "--run"], "--run needs one lecture"),
        (["--lecture=004", "--workdir=x"], "--workdir needs --run=smoke or --run=default"),
        (["--lecture=004", "--output=x.txt"], "its name must end in .html, .htm"),
        (["--lecture=004", "--run", "--workdir=file/x"], "--workdir is file/x, which cannot be"),
        (
            ["--lecture=004", "--experiment=gan_mnist"],
            "--lecture and --experiment are two commands",
        ),
        (["--lecture=004", "--sed=1"], "there is no flag --sed"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(arguments, message, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(*arguments) == 2
    streams = capsys.readouterr()
    assert message in streams.err
    assert streams.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
def test_the_list_needs_no_jax():
    program = (
        "import sys\nsys.modules['jax'] = sys.modules['jinja2'] = None\n"
        "import launch\nsys.exit(launch.main(['launch.py', '--lecture=list']))"
    )
    listed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert listed.returncode == 0, listed.stderr
    assert "004: Artificial Intelligence" in listed.stdout
    assert max(map(len, listed.stdout.splitlines())) <= 80


def test_the_slides_are_printed_for_a_narrow_terminal(small_lecture, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert run("--lecture=009") == 0
    text = capsys.readouterr().out
    assert "    command    python launch.py --experiment=linear_ae_mnist" in text
    assert "    not run    A title." in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_page_of_kept_results_needs_no_run(small_lecture, tmp_path):
    assert run("--lecture=009", "--output=page.html") == 0
    page = (tmp_path / "page.html").read_text()
    assert 'aria-label="x^2"' in page
    assert "http" not in page.replace("http-equiv", "")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_run_that_fails_costs_the_others_nothing(small_lecture, tmp_path, monkeypatch, capsys):
    made = []

    def one(invocation, name):
        made.append((name, invocation.arguments[1:]))
        if name == "linear_ae_mnist":
            raise UsageError("the data\nare gone")
        return 0

    monkeypatch.setattr(run_command, "run", one)
    assert run("--lecture=009", "--run=smoke", "--wandb=disabled") == 1
    folder = "runs/lectures/smoke"
    assert made == [
        (name, ["--preset=smoke", f"--workdir={folder}/{name}", "--wandb=disabled"])
        for name in ("linear_ae_mnist", "least_squares")
    ]
    assert "This run failed" in (tmp_path / "runs/lectures/009_smoke.html").read_text()
    told = capsys.readouterr().err
    assert "failed: linear_ae_mnist: the data are gone\n" in told
    assert told.endswith("error: 1 of 2 runs failed; the same command tries them again\n")


def test_a_stop_ends_the_command_and_keeps_the_page(small_lecture, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run_command, "run", lambda invocation, name: 143)
    assert run("--lecture=009", "--run=default", "--output=page.html") == 143
    told = capsys.readouterr().err
    assert "run 1 of 2: linear_ae_mnist (" in told  # What it costs, from its docstring.
    assert told.endswith("stopped; the same command continues\n")
    assert "0 of 3 finished" in (tmp_path / "page.html").read_text()


def test_a_stop_during_the_end_of_a_run_starts_no_other(small_lecture, monkeypatch):
    made = []

    def one(invocation, name):
        made.append(name)
        with stop_requests():  # As in the last evaluation, which is not left out.
            signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr(run_command, "run", one)
    assert run("--lecture=009", "--run=smoke", "--wandb=disabled") == 143
    assert made == ["linear_ae_mnist"]


@pytest.mark.slow
def test_a_run_that_is_whole_is_not_made_again(tmp_path, monkeypatch, capsys):
    small = lecture_of(FAST, FAST)
    monkeypatch.setattr(lecture_command, "read_lecture", lambda number: small)
    command = ("--lecture=009", "--run=smoke", "--wandb=disabled", "--output=page.html")
    assert run(*command) == 0
    page = (tmp_path / "page.html").read_text()
    assert "2 of 2 finished" in page
    assert "data:image/png" in page
    monkeypatch.setattr(run_command, "run", lambda *arguments: pytest.fail("it ran again"))
    capsys.readouterr()
    assert run(*command) == 0
    assert capsys.readouterr().err.count("it is finished already") == 1
    assert (tmp_path / "page.html").read_text() == page
