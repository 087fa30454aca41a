"""Tests `--table=NAME --run` and `--table=list`."""

import json

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.commands import run as run_command
from lecture_models.tables import missing_runs
from lecture_models.tables.trained_cells import TrainedCell
from tests.launch.launched import run

NAME = "autoencoder_vs_pca"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Leaves the checkout, whose folder of runs must not affect a test."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small_table(monkeypatch):
    """Gives the table a single cell, which a smoke run of an experiment fills."""
    module = discovery.load(launch.CHECKOUT.tables, NAME, "table")
    cell = TrainedCell("PCA", None, "linear_ae_mnist", "pca_squared_error_2", "less", "digits")
    monkeypatch.setattr(module, "CELLS", (cell,))


def make(*arguments):
    return run(f"--table={NAME}", "--run=smoke", "--wandb=disabled", *arguments)


def row_of(path):
    return json.loads(path.read_text())["rows"][0]


@pytest.mark.slow
def test_what_is_missing_is_made_once_and_fills_the_table(
    small_table, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(missing_runs, "MIN_SEEDS", 1)
    assert make("--output=a.json") == 0
    told = capsys.readouterr().err
    assert told.startswith("0 of 1 runs exist\n1 run to make, 12 steps\n")
    assert "linear_ae_mnist --preset=smoke: seed 0; 12 steps; time unknown" in told
    (summary,) = tmp_path.glob("runs/*/*/summary.json")
    assert summary.parent == tmp_path / "runs/linear_ae_mnist/smoke-seed=0"
    row = row_of(tmp_path / "a.json")
    assert row["runs"] == ["linear_ae_mnist/smoke-seed=0"]
    assert row["ours"] == json.loads(summary.read_text())["metrics"]["eval/pca_squared_error_2"]
    assert row["device"]

    assert make("--output=b.json") == 0
    assert capsys.readouterr().err == "1 of 1 runs exist\nwritten: b.json\n"
    assert row_of(tmp_path / "b.json") == row


def test_a_stopped_command_is_continued_by_the_same_one(small_table, tmp_path, monkeypatch, capsys):
    seeds = []

    def stopped(invocation, name):
        seeds.append(invocation.arguments)
        return 143 if len(seeds) == 2 else 0

    monkeypatch.setattr(run_command, "run", stopped)
    assert make() == 143
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "1 of 3 runs made; the same command continues" in streams.err
    assert len(seeds) == 2
    assert seeds[1][2] == "--seed=1"
    assert "--wandb=disabled" in seeds[1]


def test_ctrl_c_before_a_first_step_is_no_traceback(small_table, monkeypatch, capsys):
    def interrupted(invocation, name):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_command, "run", interrupted)
    assert make() == 130
    assert "0 of 3 runs made; the same command continues" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table=vgg16_memory", "--run"], "has no cells that a run would fill; remove --run"),
        (["--table=pretrained_accuracy", "--run"], "has no cells that a run would fill"),
        (["--table=texture_parameters", "--run=default"], "has no cells that a run would fill"),
        (
            ["--table=gan_parzen", "--run=often"],
            "--run is often; it must be one of default, paper, smoke",
        ),
        (["--table=gan_parze", "--run"], "there is no table 'gan_parze'; did you mean"),
        (["--table=gan_parzen", "--run", "--output=a.txt"], "must end in .md, .html, .csv, .json"),
        (
            ["--table=list", "--run"],
            "--run needs the name of one table; --table=list prints the names",
        ),
        (["--table=list", "--output=a.md"], "--output needs the name of one table"),
        (["--experiment=gan_mnist", "--run"], "there is no flag --run"),
    ],
)
def test_a_wrong_command_line_starts_nothing(arguments, message, tmp_path, capsys):
    assert run(*arguments) == 2
    streams = capsys.readouterr()
    assert message in streams.err
    assert streams.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_data_that_cannot_be_had_are_told_before_any_run(tmp_path, capsys):
    arguments = ["--run", f"--data_dir={tmp_path / 'none'}", "--wandb=disabled"]
    assert run("--table=resnet_cifar", *arguments) == 1
    error = capsys.readouterr().err
    assert "0 of 30 runs exist" in error
    assert "resnet_cifar10 --preset=paper --depth=56 --dataset=cifar10: seeds 0, 1, 2" in error
    assert "error: " in error.splitlines()[-1]
    assert not (tmp_path / "runs").exists()


def test_the_list_says_how_much_of_each_table_is_filled(tmp_path, capsys, monkeypatch):
    from experiments import lenet_mnist
    from experiments.tables.fractalnet_table1 import CELLS
    from tests.tables.test_trained_rows import write_paper_run

    monkeypatch.setattr(lenet_mnist, "PAPER_DEPARTURES", ())
    for seed in range(3):
        write_paper_run(tmp_path / "mine" / str(seed), seed, 0.95)
    assert run("--table=list", "--runs_dir=mine") == 0
    text = capsys.readouterr().out
    assert "vgg16_memory: VGG-16, layer by layer" in text
    lenet, fractal = (text.partition(f"\n{name}: ")[2] for name in ("lenet5", "fractalnet_table1"))
    assert "1 of 1 cells filled from mine" in lenet.split("\n")[2]
    assert f"0 of {len(CELLS)} cells filled from mine" in fractal.split("\n")[2]
