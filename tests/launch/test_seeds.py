"""Tests --seeds: one run per seed, and the summary of all."""

import json
import re
import shlex
import signal
import statistics

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.commands import run as run_command
from lecture_models.reports.html import with_spread
from lecture_models.runs.folder import RunFolder
from tests.launch.launched import run, summary, tracked_runs
from tests.training.toy import toy_experiment

TOY = ("--experiment=linear_ae_mnist", "--preset=smoke", "--wandb=disabled")


class Built(list):
    poisoned = ()


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    """Replaces the experiment by a least-squares problem; returns the seeds that were built.

    The loss of those in `poisoned` is NaN at step 3.
    """
    module = discovery.load(launch.CHECKOUT.experiments, "linear_ae_mnist")
    built = Built()

    def build(config, library):
        built.append(config.seed)
        poison = 3 if config.seed in built.poisoned else None
        return toy_experiment(config.learning_rate, poison)

    monkeypatch.setattr(module, "build", build)
    return built


def seeds_file(folder):
    return json.loads((folder / "seeds.json").read_text())


def test_each_seed_is_a_run_of_its_own_in_wandb(tmp_path, monkeypatch, capsys):
    tracked = tracked_runs(monkeypatch)
    for name, value in {"RUN_ID": "mine1234", "NAME": "mine", "RUN_GROUP": "ablation"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    assert run(*TOY, "--wandb=offline", "--seeds=2", f"--workdir={tmp_path}/s") == 0
    assert [(run.name, run.group) for run in tracked] == [
        ("s/seed_0000", "ablation"),
        ("s/seed_0001", "ablation"),
    ]
    assert len({"mine1234", *(run.run_id for run in tracked)}) == 3
    said = "W&B: WANDB_RUN_ID and WANDB_NAME not used; each run of s gets its own"
    assert capsys.readouterr().err.count(said) == 1
    assert run(*TOY, "--seeds=2", "--wandb_name=mine", f"--workdir={tmp_path}/t") == 2
    assert "--wandb_name is for one run" in capsys.readouterr().err


@pytest.mark.slow
def test_each_seed_is_an_ordinary_run_and_their_mean_is_reported(
    tmp_path, monkeypatch, capsys, toy
):
    opened, library = [], run_command.Library

    def count(*arguments, **options):
        opened.append(arguments)
        return library(*arguments, **options)

    monkeypatch.setattr(run_command, "Library", count)
    assert run(*TOY, "--seeds=3", f"--workdir={tmp_path}/s") == 0
    assert toy == [0, 1, 2]
    assert len(opened) == 1
    folders = [tmp_path / "s" / f"seed_{seed:04d}" for seed in range(3)]
    values = [summary(folder)["metrics"]["eval/weight_norm"] for folder in folders]
    assert len(set(values)) == 3
    found = seeds_file(tmp_path / "s")
    assert found["metrics"]["weight_norm"] == {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values),
        "n": 3,
    }
    assert "seed" not in found["config"]
    row = next(line for line in capsys.readouterr().out.splitlines() if "weight_norm" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    expected = (statistics.fmean(values), statistics.stdev(values))
    assert cells == ["weight_norm", *with_spread(*expected), "3"]
    page = (tmp_path / "s" / "report.html").read_text()
    for seed, folder in enumerate(folders):
        assert f'<a href="seed_{seed:04d}/report.html">{seed}</a>' in page
        record = json.loads((folder / "config.json").read_text())
        assert record["command"].endswith(f"--seed={seed} --workdir={folder}")
        assert "--seeds" not in record["command"]


def test_a_stopped_seed_goes_on_by_the_printed_command_with_the_same_bits(
    tmp_path, monkeypatch, capsys, toy
):
    append, folder, sent = RunFolder.append_metrics, tmp_path / "s", []

    def append_then_stop(self, record):
        append(self, record)
        if self.path.name == "seed_0001" and record["step"] == 6 and not sent:
            sent.append(record["step"])  # A second one would end the process.
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "append_metrics", append_then_stop)
        assert run(*TOY, "--seeds=2", f"--workdir={folder}") == 130
    error = capsys.readouterr().err
    command = re.search(r"^to continue with the seeds: python (.*)$", error, re.MULTILINE)[1]
    assert [each["status"] for each in seeds_file(folder)["seeds"]] == ["finished", "interrupted"]
    assert launch.main(shlex.split(command)) == 0
    assert toy == [0, 1, 1]
    assert "seed 0 (1 of 2) has finished already" in capsys.readouterr().err
    assert run(*TOY, "--seed=1", f"--workdir={tmp_path}/alone") == 0
    alone, several = summary(tmp_path / "alone"), summary(folder / "seed_0001")
    assert several["state_sha256"] == alone["state_sha256"]
    assert several["metrics"] == alone["metrics"]
    assert [each["status"] for each in seeds_file(folder)["seeds"]] == ["finished"] * 2


def test_ctrl_c_between_two_seeds_prints_the_command_too(tmp_path, monkeypatch, capsys):
    module = discovery.load(launch.CHECKOUT.experiments, "linear_ae_mnist")
    build = module.build

    def stop_at_the_second(config, library):
        if config.seed == 1:
            raise KeyboardInterrupt
        return build(config, library)

    monkeypatch.setattr(module, "build", stop_at_the_second)
    assert run(*TOY, "--seeds=2", f"--workdir={tmp_path}/s") == 130
    assert f"--seeds=2 --workdir={tmp_path}/s\n" in capsys.readouterr().err


def test_a_seed_that_fails_is_recorded_and_the_others_go_on(tmp_path, capsys, toy):
    toy.poisoned = (1,)
    assert run(*TOY, "--seeds=0,1,2", f"--workdir={tmp_path}/s") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "error: 1 of 3 seeds failed: 1 (loss is not finite at step 3)"
    found = seeds_file(tmp_path / "s")
    assert [each["status"] for each in found["seeds"]] == ["finished", "failed", "finished"]
    assert found["metrics"]["weight_norm"]["n"] == 2
    page = (tmp_path / "s" / "report.html").read_text()
    assert "seed 1: loss is not finite at step 3" in page
    assert "2 of 3 seeds finished" in page


def test_more_seeds_can_be_added_and_all_count(tmp_path, toy):
    assert run(*TOY, "--seeds=1", f"--workdir={tmp_path}/s") == 0
    assert run(*TOY, "--seeds=5,9", f"--workdir={tmp_path}/s") == 0
    assert toy == [0, 5, 9]
    assert [each["seed"] for each in seeds_file(tmp_path / "s")["seeds"]] == [0, 5, 9]
    assert seeds_file(tmp_path / "s")["metrics"]["weight_norm"]["n"] == 3


def test_another_config_in_the_folder_is_refused_before_anything_is_built(tmp_path, capsys, toy):
    assert run(*TOY, "--seeds=1", f"--workdir={tmp_path}/s") == 0
    assert run(*TOY, "--seeds=2", "--learning_rate=0.02", f"--workdir={tmp_path}/s") == 1
    assert "learning_rate (0.005 there, 0.02 now)" in capsys.readouterr().err
    assert toy == [0]


def test_without_a_folder_the_seeds_have_one_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*TOY, "--seeds=1") == 0
    (folder,) = (tmp_path / "runs" / "linear_ae_mnist").iterdir()
    assert folder.name.endswith("-seeds")
    assert (folder / "seed_0000" / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds=3", "--seed=1"], "--seed and --seeds contradict each other"),
        (["--seeds=3", "--coordinator=auto"], "--coordinator is for one run on several hosts"),
        (["--seeds=3", "--num_processes=2"], "--num_processes is for one run on several hosts"),
        (["--seeds=0"], "a number of seeds must be from 1 to 1000"),
        (["--seeds=1,1"], "it must name each seed once, but repeats 1"),
        (["--seeds=0,-1"], "a seed must be from 0"),
        (["--seeds=some"], "--seeds is some; it must be a number of seeds"),
        (["--seeds=3", "--batch_sise=3"], "there is no flag --batch_sise"),
        (["--seeds=3", "--num_steps=0"], "--num_steps is 0"),
        (["--seeds=3", "stray"], "unexpected argument 'stray'"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_leaves_no_folder(
    arguments, message, tmp_path, capsys
):
    assert run(*TOY, *arguments, f"--workdir={tmp_path}/s") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_help_is_that_of_the_experiment_and_names_the_flag(capsys):
    assert run(*TOY, "--seeds=3", "--help") == 0
    assert "--seeds (str)  trains once per seed" in capsys.readouterr().out
