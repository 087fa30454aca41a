"""Checks every experiment, by discovery: docstring, flags, smoke run, resume."""

import dataclasses
import inspect
import json
import math
import os
import shutil

import jax
import pytest
from PIL import Image, ImageStat

import launch
from lecture_models.commands import discovery
from lecture_models.commands.config_flags import options, overrides
from lecture_models.commands.flags import COMMANDS, command_flags
from lecture_models.config import UsageError
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence

NAMES = discovery.names(launch.CHECKOUT.experiments)
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


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_there_are_experiments():
    assert "gan_mnist" in NAMES


@every_experiment
def test_the_docstring_states_paper_data_cost_and_number(name):
    entry = discovery.entry(launch.CHECKOUT.experiments, name)
    assert all(entry)
    module = discovery.load(launch.CHECKOUT.experiments, name)
    assert f"python launch.py --experiment={name}" in module.__doc__


@every_experiment
def test_the_config_is_frozen_and_has_what_the_loop_needs(name):
    config = discovery.load(launch.CHECKOUT.experiments, name).Config()
    assert {"seed", *Cadence._fields} <= {field.name for field in dataclasses.fields(config)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1


@every_experiment
@pytest.mark.parametrize("preset", ["paper", "smoke"])
def test_presets_are_valid_configs(name, preset):
    module = discovery.load(launch.CHECKOUT.experiments, name)
    if preset == "paper" and not hasattr(module, "PAPER"):
        with pytest.raises(UsageError, match="no recipe has been published"):
            overrides(module, preset)
    else:
        assert module.Config(**overrides(module, preset)) != module.Config()


@every_experiment
def test_no_field_hides_a_flag_of_the_launcher(name):
    module = discovery.load(launch.CHECKOUT.experiments, name)
    assert not {option.name for option in options(module.Config)} & set(command_flags(*COMMANDS))


@pytest.mark.slow
@every_experiment
def test_a_smoke_run_is_whole_and_resumes_bit_exactly_after_a_kill(name, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert smoke(name, whole) == 0
    require_whole_folder(name, whole)
    if summary(whole)["num_steps"] == 0 or os.environ.get("LECTURE_MODELS_TESTS_RESUME") == "0":
        return
    shutil.copytree(whole, killed)
    step = lose_the_last_checkpoint(killed)
    assert 0 < step < summary(whole)["num_steps"]
    assert smoke(name, killed) == 0
    assert summary(killed)["state_sha256"] == summary(whole)["state_sha256"]
    assert (killed / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()
    images = [{path.name for path in (run / "images").iterdir()} for run in (killed, whole)]
    assert images[0] == images[1]
    assert len(json.loads((killed / "config.json").read_text())["sessions"]) == 2


@pytest.mark.slow
@every_experiment
def test_an_experiment_states_what_its_cadence_decides_about_the_steps(name):
    module = discovery.load(launch.CHECKOUT.experiments, name)
    config = module.Config(**module.SMOKE)
    if config.num_steps == 0 or "weights" in inspect.signature(module.build).parameters:
        return  # Images by gradients: tests/tasks/test_image_optimization.py.
    twice = {field: 2 * getattr(config, field) for field in Cadence._fields}
    longer = {"num_steps": twice.pop("num_steps")}
    stated, now = programs(module, config)
    assert (programs(module, dataclasses.replace(config, **longer))[1] != now) == (
        "num_steps" in stated
    )
    assert (programs(module, dataclasses.replace(config, **twice))[1] != now) == bool(
        stated.keys() - {"num_steps"}
    )


def programs(module, config):
    """Returns what an experiment states of its cadence, and the traced program of each phase."""
    experiment = module.build(config, Library(None, print))
    key = jax.random.key(0)
    state, batch = jax.eval_shape(experiment.init, key), next(iter(experiment.batches(0)))
    traced = [
        (phase.first_step, str(jax.make_jaxpr(phase.step)(state, batch, key)))
        for phase in experiment.phases
    ]
    return experiment.cadence_decides, traced


def require_whole_folder(name, folder):
    found = summary(folder)
    assert found["status"] == "finished"
    assert found["step"] == found["num_steps"]
    assert found["error"] is None
    record = json.loads((folder / "config.json").read_text())
    assert record["experiment"] == name
    assert record["versions"]["jax"]
    assert record["data"]
    assert (folder / "report.html").stat().st_size > 1000
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    require_records_at_the_cadence(list(map(json.loads, lines)), record["config"])
    pictures = list((folder / "images").glob("*.png"))
    assert pictures
    assert [path.name for path in pictures if is_blank(path)] == []


def require_records_at_the_cadence(records, config):
    """Checks that every log point and evaluation is there, with finite numbers and its files."""
    last = config["num_steps"]
    for kind, every in (("train", config["log_every"]), ("eval", config["eval_every"])):
        due = [step for step in range(1, last + 1) if step % every == 0 or step == last]
        if last == 0:
            due = [0] if kind == "eval" else []
        of_kind = [found for found in records if kind in found]
        assert [found["step"] for found in of_kind] == due
        assert len({tuple(found[kind]) for found in of_kind if kind == "train"}) <= 1
        for name, value in ((name, found[kind][name]) for found in of_kind for name in found[kind]):
            assert math.isfinite(value), f"{name} is {value}"
    assert all(found["artifacts"] for found in records if "eval" in found)
    assert all(found["train"] for found in records if "train" in found)


def is_blank(path):
    """Tells whether all pixels of a picture have one color."""
    with Image.open(path) as picture:
        return all(low == high for low, high in ImageStat.Stat(picture.convert("RGB")).extrema)


def lose_the_last_checkpoint(folder):
    """Leaves a run's folder as `kill -9` leaves it; returns the step of the newest checkpoint."""
    saved = sorted(
        (path for path in (folder / "checkpoints").iterdir() if path.name.isdigit()),
        key=lambda path: int(path.name),
    )
    shutil.rmtree(saved[-1])
    record = summary(folder) | {"status": "running", "step": int(saved[-2].name)}
    (folder / "summary.json").write_text(json.dumps(record))
    (folder / "report.html").unlink()
    return int(saved[-2].name)
