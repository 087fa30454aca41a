"""Tests what is made of a past run without training: --evaluate, --samples and --export."""

import contextlib
import io
import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

import launch
from lecture_models.commands import discovery
from lecture_models.experiment import Best, Images
from tests.launch.launched import run
from tests.training.toy import toy_experiment

SMOKE = ("--experiment=linear_ae_mnist", "--preset=smoke", "--wandb=disabled")


def toy_build(config, library, sample=None):
    """Returns a least-squares problem that also shows draws, which depend on state and key."""
    library.load(config.dataset)
    toy = toy_experiment(config.learning_rate, best=Best("weight_norm", sign=-1.0))

    def evaluate(state, key):
        key, sample_key = jax.random.split(key)
        drawn = jnp.tanh(state.weights[0] + jax.random.normal(sample_key, (9, 4, 6, 1)))
        more = {"samples": Images(drawn), "alarm_size": "too large", "words": "as ever"}
        return toy.evaluate(state, key) | more

    return toy._replace(evaluate=evaluate, sample=sample)


@pytest.fixture(scope="module", autouse=True)
def module():
    module = discovery.load(launch.CHECKOUT.experiments, "linear_ae_mnist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "build", toy_build)
        yield module


@pytest.fixture(scope="module")
def trained(tmp_path_factory, module):
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert run(*SMOKE, "--seed=3", f"--workdir={folder}") == 0
    return folder


@pytest.fixture
def past(trained, tmp_path):
    """Returns a copy of the run, whose original folder a test must not change."""
    return shutil.copytree(trained, tmp_path / "run")


def recorded_metrics(folder):
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return {line["step"]: line["eval"] for line in lines if "eval" in line}


def evaluation(folder):
    return json.loads((folder / "evaluation.json").read_text())


def checkpoint_steps(folder):
    return sorted(int(path.name) for path in (folder / "checkpoints").iterdir())


def test_the_last_checkpoint_gives_what_the_run_recorded(past, capsys):
    before = {path: path.read_bytes() for path in past.rglob("*") if path.is_file()}
    assert run(f"--evaluate={past}") == 0
    (folder,) = (past / "evaluations").iterdir()
    record = evaluation(folder)
    step = max(recorded_metrics(past))
    assert folder.name == f"{step:08d}"
    assert record["step"] == step
    assert record["metrics"] == recorded_metrics(past)[step]
    assert record["alarms"] == [f"size at step {step}: too large"]
    assert record["config"]["seed"] == 3
    image = f"images/samples_{step:08d}.png"
    assert record["artifacts"]["samples"]["file"] == image
    assert (folder / image).read_bytes() != b""
    assert np.array_equal(Image.open(folder / image), Image.open(past / image))
    streams = capsys.readouterr()
    assert streams.err.splitlines()[-1] == f"written: {folder}"
    (row,) = (line for line in streams.out.splitlines() if line.startswith("| weight_norm"))
    assert row.split("|")[-2].strip() == "0"
    assert "words: as ever" in streams.out
    assert all(path.read_bytes() == content for path, content in before.items())


def test_every_checkpoint_can_be_evaluated_and_none_is_overwritten(past, capsys):
    steps = checkpoint_steps(past)
    recorded = recorded_metrics(past)
    for step in steps:
        assert run(f"--evaluate={past}", f"--checkpoint={step}") == 0
    norms = [evaluation(past / "evaluations" / f"{step:08d}")["metrics"] for step in steps]
    assert len({entry["weight_norm"] for entry in norms}) == len(steps) > 1
    assert run(f"--evaluate={past}", "--checkpoint=best") == 0
    best = min(recorded, key=lambda step: recorded[step]["weight_norm"])
    folders = {path.name for path in (past / "evaluations").iterdir()}
    assert folders == {*(f"{step:08d}" for step in steps), f"{best:08d}-2"}


def test_a_relative_folder_is_read_too(past, monkeypatch):
    monkeypatch.chdir(past.parent)
    assert run(f"--evaluate={past.name}", "--output=evaluation") == 0
    assert run(f"--export={past.name}", "--output=run.safetensors") == 0
    assert evaluation(past.parent / "evaluation")["run"] == str(past)


def test_a_field_that_is_given_replaces_the_recorded_one(past, tmp_path, capsys):
    assert run(f"--evaluate={past}", "--seed=4", f"--output={tmp_path}/other") == 0
    record = evaluation(tmp_path / "other")
    assert record["config"]["seed"] == 4
    assert record["changed_fields"] == ["seed"]
    step = record["step"]
    assert record["metrics"] == recorded_metrics(past)[step]  # The state is the run's own.
    own = Image.open(past / "images" / f"samples_{step:08d}.png")
    other = Image.open(tmp_path / "other" / "images" / f"samples_{step:08d}.png")
    assert not np.array_equal(own, other)  # The draws are not.


def test_a_run_whose_data_differ_is_evaluated_with_a_warning(past, capsys):
    record = json.loads((past / "config.json").read_text())
    record["data"][0]["files"][0]["sha256"] = "e" * 64
    (past / "config.json").write_text(json.dumps(record))
    assert run(f"--evaluate={past}") == 0
    assert "warning: data digits: " in capsys.readouterr().err


@pytest.mark.parametrize("has_sample", [True, False])
def test_new_pictures_are_drawn_into_a_folder_or_a_grid(
    has_sample, past, tmp_path, monkeypatch, module
):
    """An experiment without `sample` draws what its evaluation shows under that name."""

    def sample(state, key, count):
        return jnp.tanh(state.weights[0] + jax.random.normal(key, (count, 4, 6, 1)))

    def build(config, library):
        return toy_build(config, library, sample if has_sample else None)

    monkeypatch.setattr(module, "build", build)
    for name, flags in (("a", ()), ("again", ()), ("other", ("--seed=8",))):
        output = f"--output={tmp_path / name}"
        assert run(f"--evaluate={past}", "--samples=12", output, *flags) == 0
    assert run(f"--evaluate={past}", "--samples=12", f"--output={tmp_path}/grid.png") == 0
    files = sorted((tmp_path / "a").iterdir())
    assert [file.name for file in files][:2] == ["sample_0001.png", "sample_0002.png"]
    pictures = [np.asarray(Image.open(file)) for file in files]
    assert {picture.shape for picture in pictures} == {(4, 6)}
    assert len({picture.tobytes() for picture in pictures}) == len(files) == 12
    again = [np.asarray(Image.open(file)) for file in sorted((tmp_path / "again").iterdir())]
    np.testing.assert_array_equal(pictures, again)
    other = [np.asarray(Image.open(file)) for file in sorted((tmp_path / "other").iterdir())]
    assert not np.array_equal(pictures, other)
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    assert grid.shape == (3 * 5 - 1, 4 * 7 - 1)  # Three rows of four, one pixel apart.
    np.testing.assert_array_equal(grid[:4, :6], pictures[0])


def test_the_printed_python_loads_the_exported_parameters(past, tmp_path, capsys):
    file = tmp_path / "run.safetensors"
    assert run(f"--export={past}", f"--output={file}") == 0
    streams = capsys.readouterr()
    program = streams.out
    assert len(program.splitlines()) <= 11
    printed, names = io.StringIO(), {}
    with contextlib.redirect_stdout(printed):
        exec(program, names)
    assert names["metadata"]["experiment"] == "linear_ae_mnist"
    assert names["config"]["seed"] == 3
    assert names["metadata"]["commit"]
    assert set(names["parameters"]) == {"weights", "velocity"}
    norm = float(np.linalg.norm(names["parameters"]["weights"]))
    recorded = recorded_metrics(past)
    assert norm == pytest.approx(recorded[max(recorded)]["weight_norm"])
    assert printed.getvalue().startswith("linear_ae_mnist at step ")


def test_an_earlier_checkpoint_is_exported_and_its_data_are_not_needed(
    past, tmp_path, monkeypatch, module
):
    def build(config, library):
        raise AssertionError("the experiment is not built")

    monkeypatch.setattr(module, "build", build)
    step = checkpoint_steps(past)[0]
    file = tmp_path / "run.safetensors"
    assert run(f"--export={past}", f"--output={file}", f"--checkpoint={step}") == 0
    with safe_open(file, framework="numpy") as opened:
        assert opened.metadata()["step"] == str(step)


@pytest.mark.slow
def test_a_gan_is_exported_without_its_optimizers_and_sampled(tmp_path, capsys):
    folder, file = tmp_path / "gan", tmp_path / "gan.safetensors"
    smoke = ("--experiment=gan_mnist", "--preset=smoke", "--wandb=disabled")
    assert run(*smoke, f"--workdir={folder}") == 0
    assert run(f"--export={folder}", f"--output={file}") == 0
    with safe_open(file, framework="numpy") as opened:
        names = set(opened.keys())
    assert {name.split("/")[0] for name in names} == {"average", "generator", "discriminator"}
    assert "generator/Dense_0/kernel" in names
    assert run(f"--evaluate={folder}", "--samples=5", f"--output={tmp_path}/samples") == 0
    assert len(list((tmp_path / "samples").iterdir())) == 5
    capsys.readouterr()
    assert run(f"--evaluate={folder}", "--latent_dim=9") == 1
    error = capsys.readouterr().err
    assert "float32[8,32] there and float32[9,32] now" in error
    assert error.endswith("; perhaps the network has other shapes with --latent_dim\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--evaluate={}", "--samples=0"], 2, "--samples is 0; it must be from 1 to 100000"),
        (["--evaluate={}", "--samples=100001"], 2, "is 100001; it must be from 1 to 100000"),
        (["--evaluate={}", "--checkpoint=" + "9" * 5000], 1, "this run has the checkpoints"),
        (["--evaluate={}", "--checkpoint=5000"], 1, "--checkpoint is 5000; this run has the"),
        (["--evaluate={}", "--checkpoint=lst"], 1, "--checkpoint is lst; this run has the"),
        (["--evaluate={}", "--output=a.png"], 2, "without --samples it must be a folder"),
        (["--evaluate={}", "--output={}"], 2, "it must be a new or empty folder"),
        (
            ["--evaluate={}", "--output=none/a.png", "--samples=3"],
            2,
            "the folder none does not exist",
        ),
        (["--evaluate={}", "--wandb=online"], 2, "there is no flag --wandb"),
        (["--evaluate={}", "--smples=3"], 2, "no flag --smples; did you mean 'samples'?"),
        (["--evaluate={}", "--seed=-1"], 2, "--seed is -1; it must be at least 0"),
        (["--evaluate={}", "stray"], 2, "unexpected argument 'stray'"),
        (["--evaluate={}", "--experiment=gan_mnist"], 2, "are two commands; give one"),
        (["--evaluate={}/none"], 1, "none is not a folder"),
        (["--evaluate=gs://bucket/run"], 2, "gs://bucket/run, a URL; it must be a path"),
        (["--export={}"], 2, "--export needs --output=FILE.safetensors"),
        (["--export={}", "--output=a.npz"], 2, "its name must end in .safetensors"),
        (["--export={}", "--output=none/a.safetensors"], 2, "the folder none does not exist"),
        (["--export={}", "--output=a.safetensors", "--checkpoint=7"], 1, "--checkpoint is 7; "),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments, code, message, trained, capsys):
    assert run(*(argument.replace("{}", str(trained)) for argument in arguments)) == code
    error = capsys.readouterr().err.splitlines()
    assert message in error[-1]
    assert error[-1].startswith("error: ")
    assert not (trained / "evaluations").exists()


def test_a_run_without_checkpoints_is_one_line(past, tmp_path, capsys):
    shutil.rmtree(past / "checkpoints")
    for arguments in (
        [f"--evaluate={past}"],
        [f"--export={past}", f"--output={tmp_path}/a.safetensors"],
    ):
        assert run(*arguments) == 1
        assert "does not exist: the run has no checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["--evaluate=a", "--export=a"])
def test_help_says_what_the_command_does(command, capsys):
    assert run(command, "--help") == 0
    assert f"python launch.py {command.partition('=')[0]}=" in capsys.readouterr().out
