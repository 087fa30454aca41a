"""Every experiment, by discovery: its docstring, its flags, its smoke run, its resume."""

import dataclasses
import functools
import json
import signal

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.commands.config_flags import options
from lecture_models.commands.flags import COMMANDS, command_flags
from lecture_models.commands.run import overrides
from lecture_models.experiment import Cadence
from lecture_models.runs.folder import RunFolder

NAMES = discovery.names(launch.HOUSE.experiments)
every_experiment = pytest.mark.parametrize("name", NAMES)


def smoke(name, folder, *arguments):
    return launch.main(
        [
            "launch.py",
            f"--experiment={name}",
            "--preset=smoke",
            "--wandb=disabled",
            f"--workdir={folder}",
            *arguments,
        ]
    )


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """The folder of an experiment's smoke run, trained once."""

    @functools.cache
    def folder_of(name):
        folder = tmp_path_factory.mktemp(name) / "run"
        assert smoke(name, folder) == 0
        return folder

    return folder_of


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_there_are_experiments():
    assert "gan_mnist" in NAMES


@every_experiment
def test_the_docstring_states_paper_data_cost_and_number(name):
    entry = discovery.entry(launch.HOUSE.experiments, name)
    assert all(entry)
    module = discovery.load(launch.HOUSE.experiments, name)
    assert f"python launch.py --experiment={name}" in module.__doc__


@every_experiment
def test_the_config_is_frozen_and_has_what_the_loop_needs(name):
    config = discovery.load(launch.HOUSE.experiments, name).Config()
    assert {"seed", *Cadence._fields} <= {field.name for field in dataclasses.fields(config)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1


@every_experiment
@pytest.mark.parametrize("preset", ["paper", "smoke"])
def test_presets_are_valid_configs(name, preset):
    module = discovery.load(launch.HOUSE.experiments, name)
    assert module.Config(**overrides(module, preset)) != module.Config()


@every_experiment
def test_no_field_hides_a_flag_of_the_launcher(name):
    module = discovery.load(launch.HOUSE.experiments, name)
    assert not {option.name for option in options(module.Config)} & set(command_flags(*COMMANDS))


@every_experiment
def test_a_smoke_run_leaves_a_whole_folder(name, whole_run):
    folder = whole_run(name)
    found = summary(folder)
    assert found["status"] == "finished"
    assert found["step"] == found["num_steps"]
    assert found["error"] is None
    record = json.loads((folder / "config.json").read_text())
    assert record["experiment"] == name
    assert record["versions"]["jax"]
    assert record["data"]
    assert (folder / "report.html").stat().st_size > 1000
    assert list((folder / "images").glob("*.png"))


@pytest.mark.slow
@every_experiment
def test_a_run_stopped_by_sigterm_resumes_bit_exactly(
    name, whole_run, tmp_path, monkeypatch, capsys
):
    whole = whole_run(name)
    if summary(whole)["num_steps"] == 0:
        pytest.skip("nothing is trained: there is nothing to resume")
    append, folder, sent = RunFolder.append_metrics, tmp_path / "parts", []

    def append_then_stop(self, record):
        append(self, record)
        if not sent and record["step"] >= summary(folder)["num_steps"] // 2:
            sent.append(record["step"])  # A second one would end the process.
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "append_metrics", append_then_stop)
        assert smoke(name, folder) == 128 + signal.SIGTERM
    assert summary(folder)["status"] == "interrupted"
    assert 0 < summary(folder)["step"] < summary(folder)["num_steps"]
    assert f"--workdir={folder}" in capsys.readouterr().err
    assert smoke(name, folder) == 0
    assert summary(folder)["state_sha256"] == summary(whole)["state_sha256"]
    expected = (whole / "metrics.jsonl").read_bytes()
    assert (folder / "metrics.jsonl").read_bytes() == expected
    pictures = [{p.name for p in (run / "images").iterdir()} for run in (folder, whole)]
    assert pictures[0] == pictures[1]
    assert len(json.loads((folder / "config.json").read_text())["sessions"]) == 2
