"""The README's commands are run, as written but for smoke-sized flags behind them."""

import re
import shlex
import shutil

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.commands.run import overrides
from lecture_models.config import as_typed
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
ALL_LAUNCHES = [line for block in BLOCKS for line in re.findall(r"python launch\.py .*", block)]
# Those of several processes are run in test_launch_parallel.py.
LAUNCHES = [line for line in ALL_LAUNCHES if "--coordinator" not in line]


def test_the_first_screen_has_the_two_commands():
    first_screen = "\n".join(README.splitlines()[:25])
    assert "pip install -c constraints.txt -e . && python launch.py --experiment=gan_mnist\n" in (
        first_screen
    )
    assert "-e '.[dev]' && python -m pytest" in first_screen


def test_ci_calls_the_readmes_test_command():
    command = next(line for block in BLOCKS for line in block.splitlines() if "pytest" in line)
    assert command.endswith("python -m pytest -n auto")
    assert "sed -n '/python -m pytest/p' README.md" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.fixture(scope="module")
def past_runs(tmp_path_factory):
    """The runs that the commands about runs are about."""
    folder = tmp_path_factory.mktemp("past") / "runs"
    for name in ("first", "second"):
        flags = ["--experiment=linear_ae_mnist", "--preset=smoke", "--wandb=disabled"]
        assert launch.main(["launch.py", *flags, f"--workdir={folder / name}"]) == 0
    return folder


@pytest.mark.parametrize("line", LAUNCHES)
def test_a_command_of_the_readme_runs(line, past_runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")  # For the files of sweeps.
    arguments = shlex.split(line)[1:]
    experiment = re.search(r"--experiment=(\w+)", line)
    if experiment is None:
        shutil.copytree(past_runs, tmp_path / "runs")
        assert launch.main(arguments) == 0
        return
    name = experiment.group(1)
    smoke = overrides(discovery.load(launch.HOUSE.experiments, name), "smoke")
    # The last of two equal flags counts.
    flags = [f"--{field}={as_typed(value)}" for field, value in smoke.items()]
    if "--sweep" in line:
        flags.append("--num_trials=2")
    assert launch.main([*arguments, *flags, "--wandb=disabled"]) == 0


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_a_link_of_the_readme_leads_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*.md"), *ROOT.glob("results/*.md")], ids=lambda p: p.name
)
def test_nothing_is_left_to_fill_in(path):
    assert not re.search(r"TODO|TBD|\b[A-Z]+_ROW\b", path.read_text("utf-8"))
