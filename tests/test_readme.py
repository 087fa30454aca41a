"""Checks README.md and docs/: their commands are valid, their links lead somewhere."""

import re
import shlex
import shutil

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.commands.invocation import Invocation
from lecture_models.commands.run import choose, read_flags
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
RESULTS = sorted((ROOT / "results").glob("*.md"))
README = PAGES[0].read_text("utf-8")


def shell_blocks(path):
    return re.findall(r"```sh\n(.*?)```", path.read_text("utf-8"), re.DOTALL)


def launches(path):
    return [
        line for block in shell_blocks(path) for line in re.findall(r"python launch\.py .*", block)
    ]


COMMANDS = sorted({line for path in PAGES for line in launches(path)})
OF_EXPERIMENTS = [line for line in COMMANDS if "--experiment=" in line]
# Commands about past runs and tables, which take no training.
QUICK = [line for line in COMMANDS if "--experiment=" not in line]


def test_the_first_screen_has_the_two_commands():
    first_screen = "\n".join(README.splitlines()[:25])
    assert "pip install -c constraints.txt -e . && python launch.py --experiment=gan_mnist\n" in (
        first_screen
    )
    assert "-e '.[dev]' && python -m pytest" in first_screen


def test_ci_calls_the_readmes_test_command():
    lines = [line for block in shell_blocks(PAGES[0]) for line in block.splitlines()]
    (command,) = (line for line in lines if "pytest" in line)
    assert command.endswith("python -m pytest -n auto")
    assert "sed -n '/python -m pytest/p' README.md" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("line", OF_EXPERIMENTS)
def test_a_command_names_an_experiment_and_values_that_its_config_accepts(line):
    words = shlex.split(line)[1:]
    name = re.search(r"--experiment=(\w+)", line)[1]
    module = discovery.load(launch.CHECKOUT.experiments, name)
    # A sweep and a run of several seeds define flags of their own beside those of the experiment.
    own = ("--sweep=", "--seeds=", "--num_trials=", "--workers=")
    arguments = [word for word in words[1:] if not word.startswith(own)]
    values = read_flags(Invocation(launch.CHECKOUT, words[0], arguments, 0.0), module)
    if not values.help:
        assert choose(name, module, values).config is not None
    for word in words:
        if word.startswith("--sweep="):
            assert (ROOT / word.partition("=")[2]).is_file()


@pytest.fixture(scope="module")
def past_runs(tmp_path_factory):
    """Makes the two runs that commands about past runs name."""
    folder = tmp_path_factory.mktemp("past") / "runs"
    flags = ["--experiment=linear_ae_mnist", "--preset=smoke", "--wandb=disabled"]
    assert launch.main(["launch.py", *flags, f"--workdir={folder / 'first'}"]) == 0
    shutil.copytree(folder / "first", folder / "second")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("line", QUICK)
def test_a_command_without_an_experiment_runs(line, past_runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(past_runs, tmp_path / "runs")
    assert launch.main(shlex.split(line)[1:]) == 0


@pytest.mark.parametrize("path", [*PAGES, *RESULTS], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("path", [*PAGES, *RESULTS], ids=lambda path: path.name)
def test_nothing_is_left_to_fill_in(path):
    assert not re.search(r"TODO|TBD|\b[A-Z]+_ROW\b", path.read_text("utf-8"))
