"""Tests what the command line prints, and its exit codes."""

import json

import pytest

from lecture_models.plots.png import read_metadata
from tests.data.small_pictures import write_pictures
from tests.launch.launched import SMOKE, run, summary


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Returns the folder of a finished smoke run, which tests must not change."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert run(*SMOKE, f"--workdir={folder}") == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiment=gan_minst"], "did you mean 'gan_mnist'?"),
        (["--experiment=gan_mnist", "--batch_sise=3"], "no flag --batch_sise; did you mean"),
        (["--lst"], "there is no flag --lst; did you mean 'list'?"),
        (
            ["--experiment=gan_mnist", "--batch_size=many"],
            "--batch_size is many; it must be an integer",
        ),
        (["--experiment=gan_mnist", "--batch_size=0"], "--batch_size is 0; it must be at least 1"),
        (["--experiment=gan_mnist", "--num_steps=-5"], "--num_steps is -5; it must be at least 1"),
        (["--experiment=gan_mnist", "--average_decay=2"], "it must be from 0.0 to 0.999999"),
        (
            ["--experiment=gan_mnist", "--preset=papr"],
            "--preset is papr; it must be one of default,",
        ),
        (
            ["--experiment=gan_mnist", "--wandb=on"],
            "it must be one of auto, online, offline, disabled",
        ),
        (["--experiment=gan_mnist", "stray"], "unexpected argument 'stray'"),
        (["stray"], "unexpected argument 'stray'; flags begin with --, such as --experiment=NAME"),
        (["--batch_size=3"], "(fields of an experiment need --experiment=NAME)"),
        (["--experiment=gan_mnist", "--saturating=often"], "it must be true or false"),
        (["--experiment=gan_mnist", "--sgd"], "there is no flag --sgd; it is now --momentum_sgd"),
        (
            ["--experiment=gan_mnist", "--seed=4294967296"],
            "--seed is 4294967296; it must be at most",
        ),
        (
            ["--experiment=gan_mnist", "--seed=18446744073709551616"],
            "it must be at most 4294967295",
        ),
        (["--experiment=gan_mnist", "--seed=-1"], "--seed is -1; it must be at least 0"),
        (["--experiment=gan_mnist", "--seed=" + "9" * 5000], "(4,900 more characters); it must be"),
        (["--experiment=gan_mnist", f"--num_steps={10**20}"], "it must be at most 2147483647"),
        (["--experiment=gan_mnist", f"--batch_size={10**20}"], "it must be at most 2147483647"),
        (["--experiment=gan_mnist", f"--generator_hidden=8,{10**20}"], "at most 2147483647"),
        (["--experiment=gan_mnist", "--uniform_init=nan,1"], "--uniform_init is nan; it must be"),
        (["--experiment=gan_mnist", f"--join_timeout={10**20}"], "an integer in the range"),
        (["--experiment=gan_mnist", "--seeds=0,4294967296"], "a seed must be from 0 to 4294967295"),
        (
            ["--experiment=gan_mnist", "--workdir=gs://bucket/a"],
            "--workdir is gs://bucket/a, a URL",
        ),
        (["--experiment=gan_mnist", "--workdir="], "--workdir is empty; it must be a path"),
        (["--experiment=gan_mnist", "--workdir", "--seed=3"], "--workdir has no value; it must be"),
        (["--experiment=gan_mnist", "--data_dir=s3://b/d"], "--data_dir is s3://b/d, a URL"),
        (["--experiment=gan_mnist", "--weights_dir=hdfs://h/d"], "--weights_dir is hdfs://h/d, a"),
        (["--experiment=gan_mnist", "--sweep=gs://b/s.yaml"], "--sweep is gs://b/s.yaml, a URL"),
        (["--experiment=gan_mnist", "--workdir=/tmp/\udcff"], "/tmp/\\udcff is not UTF-8 text"),
        (["--table=vgg16_memory", "--runs_dir=gs://b/r"], "--runs_dir is gs://b/r, a URL"),
        (["--table=vgg16_memory", "--output=gs://b/t.md"], "--output is gs://b/t.md, a URL"),
        (["--report=gs://b/runs"], "--report is gs://b/runs, a URL"),
        (["--reproduce=file:///runs/a"], "--reproduce is file:///runs/a, a URL"),
        (["--compare=gs://b/a,gs://b/c"], "--compare is gs://b/a, a URL"),
        (
            ["--experiment=gan_mnist", "--image_size=30"],
            "--image_size is 30; it must be a positive",
        ),
        (
            ["--experiment=gan_mnist", "--image_size=big"],
            "--image_size is big; it must be an integer",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(arguments, message, capsys):
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("where", ["not UTF-8", "gone"])
def test_a_present_folder_that_cannot_be_used_is_one_line(where, tmp_path, monkeypatch, capsys):
    folder = tmp_path / ("\udcff" if where == "not UTF-8" else "gone")
    folder.mkdir()
    monkeypatch.chdir(folder)
    if where == "gone":
        folder.rmdir()
    assert run(*SMOKE) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the present folder ")
    assert error.count("\n") == 1


def test_a_data_folder_in_the_environment_that_is_a_url_is_one_line(monkeypatch, capsys):
    monkeypatch.setenv("LECTURE_MODELS_DATA", "gs://bucket/data")
    assert run(*SMOKE) == 1
    assert "error: $LECTURE_MODELS_DATA is gs://bucket/data, a URL" in capsys.readouterr().err


def test_an_unknown_data_set_is_one_line_and_exit_code_1(capsys):
    assert run(*SMOKE, "--dataset=mnits") == 1
    error = capsys.readouterr().err
    assert "did you mean 'mnist'?" in error
    assert error.count("\n") == 1


def test_a_batch_larger_than_the_data_is_one_line_and_leaves_no_folder(tmp_path, capsys):
    assert run(*SMOKE, "--batch_size=5000", f"--workdir={tmp_path}/run") == 1
    assert "with 1197 training examples it must be from 1 to 1197" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset=folder"], "--dataset=folder needs --data_dir=DIR"),
        (["--dataset=folder", "--data_dir={}/none"], "none is not a folder"),
        (["--dataset=folder", "--data_dir={}/pictures"], "1 of 41 pictures"),
        (["--image_size=32"], "are for --dataset=folder, not for digits"),
        (["--skip_bad_images"], "are for --dataset=folder, not for digits"),
        (
            ["--dataset=folder", "--data_dir={}/pictures", "--skip_bad_images", "--batch_size=64"],
            "batch_size is 64; with 31 training examples it must be from 1 to 31",
        ),
    ],
)
def test_pictures_that_cannot_be_trained_on_are_one_line(arguments, message, tmp_path, capsys):
    write_pictures(tmp_path / "pictures", 40)
    (tmp_path / "pictures" / "empty.png").touch()
    arguments = [argument.format(tmp_path) for argument in arguments]
    assert run(*SMOKE, *arguments, f"--workdir={tmp_path}/run") == 1
    lines = capsys.readouterr().err.splitlines()
    assert message in lines[-1]
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:]
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_folder_of_pictures_is_trained_on_and_recorded(tmp_path, capsys):
    pictures, folder = tmp_path / "pictures", tmp_path / "run"
    write_pictures(pictures, 40)
    (pictures / "empty.png").touch()
    arguments = (*SMOKE, "--dataset=folder", f"--data_dir={pictures}", f"--workdir={folder}")
    assert run(*arguments, "--skip_bad_images") == 0
    assert "skipped: empty.png (empty)\n" in capsys.readouterr().err
    record = json.loads((folder / "config.json").read_text())
    assert record["data"][0]["source"] == "a folder of 40 pictures as 28x28 gray"
    assert record["data"][0]["files"][0]["path"] == str(pictures)
    assert "--skip_bad_images" in record["resume_command"]
    assert "skipped as unreadable: 1 file, empty.png" in summary(folder)["data_notes"][0]
    assert "a folder of 40 pictures as 28x28 gray" in (folder / "report.html").read_text()
    write_pictures(pictures, 1, first=40)
    assert run(*arguments, "--skip_bad_images") == 1
    assert (
        "holds a run on other data: folder (a folder of 40 pictures as 28x28 gray) there, folder "
        "(a folder of 41 pictures as 28x28 gray) now"
    ) in capsys.readouterr().err


@pytest.mark.slow
def test_pictures_of_another_size_and_in_color_are_trained_on(tmp_path):
    write_pictures(tmp_path / "pictures", 40, "RGB")
    arguments = ("--dataset=folder", f"--data_dir={tmp_path}/pictures", "--image_size=8")
    assert run(*SMOKE, *arguments, f"--workdir={tmp_path}/run") == 0
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    assert record["data"][0]["source"] == "a folder of 40 pictures as 8x8 color"
    assert summary(tmp_path / "run")["status"] == "finished"


def test_help_lists_every_field_with_type_default_and_reason(capsys):
    assert run("--experiment=gan_mnist", "--help") == 0
    text = capsys.readouterr().out
    assert "--batch_size (int, 128)" in text
    assert "--generator_hidden (ints, " in text
    assert "--dataset (str, mnist,digits)  Comma-separated names" in text
    assert "--preset=smoke" in text
    assert "--workdir" in text


def test_no_experiment_shows_the_usage(capsys):
    assert run() == 2
    assert "--experiment=NAME" in capsys.readouterr().out


def test_the_list_shows_paper_data_cost_and_number(capsys):
    assert run("--list") == 0
    text = capsys.readouterr().out
    assert "gan_mnist: GAN of multilayer perceptrons on MNIST." in text
    for label in ("paper", "data", "cost", "expected"):
        assert f"\n    {label}" in text


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again(finished, capsys):
    before = (finished / "metrics.jsonl").read_bytes()
    assert run(*SMOKE, f"--workdir={finished}") == 0
    assert "is finished already" in capsys.readouterr().err
    assert (finished / "metrics.jsonl").read_bytes() == before


def test_another_config_in_the_same_folder_is_refused_naming_the_fields(finished, capsys):
    arguments = ("--seed=7", "--batch_size=17", f"--workdir={finished}")
    assert run(*SMOKE, *arguments) == 1
    error = capsys.readouterr().err
    assert "batch_size (16 there, 17 now), seed (0 there, 7 now)" in error
    assert error.count("\n") == 1


def test_the_record_says_what_was_run_on_what(finished):
    record = json.loads((finished / "config.json").read_text())
    assert record["command"].startswith("python launch.py --experiment=gan_mnist --preset=smoke")
    assert record["config"]["batch_size"] == 16
    assert record["best"] == {"metric": "eval/parzen_validation", "goal": "maximize"}
    assert {"python", "jax", "flax", "optax", "orbax-checkpoint"} <= set(record["versions"])
    assert record["device"]["platform"] == "cpu"
    assert record["data"][0]["dataset"] == "digits"
    assert len(record["data"][0]["files"][0]["sha256"]) == 64


def test_every_picture_carries_command_seed_and_step(finished):
    pictures = sorted((finished / "images").glob("*.png"))
    assert pictures
    for picture in pictures:
        metadata = read_metadata(picture)
        assert metadata["Command"].startswith("python launch.py --experiment=gan_mnist")
        assert metadata["Seed"] == "0"
        assert int(metadata["Step"]) == int(picture.stem.rpartition("_")[2])


def test_the_summary_and_the_report_flag_a_collapse(finished):
    """After twelve steps, a tiny network cannot draw ten different digits."""
    assert summary(finished)["alarms"][0].startswith("collapse at step 6: ")
    assert "of 10 modes covered" in (finished / "report.html").read_text()


@pytest.mark.slow
def test_a_loss_that_diverges_is_one_line_and_keeps_the_checkpoint_before(tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = ("--learning_rate=1e12", "--num_steps=200", "--eval_every=200")
    assert run(*SMOKE, *arguments, "--checkpoint_every=1", f"--workdir={folder}") == 1
    error = capsys.readouterr().err
    assert "error: " in error
    assert "Traceback" not in error
    found = summary(folder)
    assert found["status"] == "failed"
    assert "not finite at step" in found["error"] or "NaN after step" in found["error"]
    assert list((folder / "checkpoints").iterdir())


@pytest.mark.slow
def test_a_fallback_is_one_loud_line_and_is_recorded(tmp_path, monkeypatch, capsys):
    from lecture_models.data import download

    monkeypatch.setattr(download, "download", _no_network, raising=True)
    monkeypatch.setattr("lecture_models.data.dataset_library.download", _no_network)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    folder = tmp_path / "run"
    arguments = ("--dataset=mnist,digits", f"--data_dir={tmp_path}", f"--workdir={folder}")
    assert run(*SMOKE, *arguments) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "FALLBACK" in line]
    assert len(lines) == 1
    record = json.loads((folder / "config.json").read_text())
    assert record["data"][0]["dataset"] == "digits"
    assert "fallback" in record["data"][0]["note"]
    assert "fallback" in summary(folder)["data_notes"][0]
    assert "fallback" in (folder / "report.html").read_text()


def _no_network(*arguments):
    from lecture_models.data.dataset import DataAbsentError

    raise DataAbsentError("no network")
