"""Tests commands about past runs: --reproduce, --compare and --runs."""

import json
import re
import shutil

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.commands import run as run_command
from lecture_models.experiment import Experiment
from lecture_models.nn.cpu import convolutions
from lecture_models.runs import renames
from tests.data.small_pictures import write_pictures
from tests.launch.launched import run, summary
from tests.past import write_past_run
from tests.training.toy import toy_experiment

SMOKE = ("--experiment=linear_ae_mnist", "--preset=smoke", "--wandb=disabled")


def toy_build(learning_rate=0.01):
    """Returns a `build` of a least-squares problem, which still reads the experiment's data."""

    def build(config, library):
        library.load(config.dataset)
        return toy_experiment(learning_rate)

    return build


@pytest.fixture(scope="module", autouse=True)
def module():
    module = discovery.load(launch.CHECKOUT.experiments, "linear_ae_mnist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "build", toy_build())
        yield module


@pytest.fixture(scope="module")
def finished(tmp_path_factory, module):
    """Returns the folder of a finished run, which tests must not change."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert run(*SMOKE, "--seed=3", f"--workdir={folder}") == 0
    return folder


def changed(folder, path, **record):
    """Copies a run's folder and changes its record."""
    shutil.copytree(folder, path)
    content = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(content | record))
    return path


def reproduce(folder, tmp_path, *arguments):
    flags = ("--wandb=disabled", f"--workdir={tmp_path}/again", *arguments)
    return run(f"--reproduce={folder}", *flags)


@pytest.mark.slow
def test_a_run_is_reproduced_to_the_last_digit_whatever_its_preset_is_now(
    finished, tmp_path, monkeypatch, module, capsys
):
    monkeypatch.setattr(module, "SMOKE", {"num_steps": 99})
    assert reproduce(finished, tmp_path) == 0
    text = capsys.readouterr().out
    rows = [
        line.split("|")[1:-1] for line in text.splitlines() if line.startswith(("| eval", "| tr"))
    ]
    assert len(rows) == len(summary(finished)["metrics"])
    assert all(recorded == now and gap.strip() == "0" for _, recorded, now, gap in rows)
    assert text.endswith(f"equal to the last digit: {len(rows)} metrics\n")
    assert "SHA-256 of the last state: equal" in text
    again = json.loads((tmp_path / "again" / "config.json").read_text())
    assert again["config"] == json.loads((finished / "config.json").read_text())["config"]
    assert again["preset"] == "smoke"
    assert reproduce(finished, tmp_path) == 0  # Finished already: compared, not trained.


def test_another_program_is_told_by_every_metric(finished, tmp_path, monkeypatch, module, capsys):
    monkeypatch.setattr(module, "build", toy_build(0.01001))
    assert reproduce(finished, tmp_path) == 1
    text = capsys.readouterr().out
    assert "SHA-256 of the last state: different\nthe first difference is at step" in text
    assert "2 of 2 metrics differ; the largest difference is" in text
    assert reproduce(finished, tmp_path, "--tolerance=0.1") == 0
    assert "equal within 0.1: 2 metrics; the largest" in capsys.readouterr().out


def test_what_is_not_as_recorded_is_warned_of_in_one_line_each(finished, tmp_path, capsys):
    record = json.loads((finished / "config.json").read_text())
    session = record["sessions"][0]
    session["versions"]["jax"] = "0.4.1"
    session["device"]["kind"] = "an abacus"
    session["git"] = {"commit": "f" * 40, "dirty": False}
    record["data"][0]["files"][0]["sha256"] = "e" * 64
    record["config"]["momentum"] = 0.5
    del record["config"]["learning_rate"]
    assert reproduce(changed(finished, tmp_path / "old", **record), tmp_path) == 0
    lines = capsys.readouterr().err.splitlines()
    warnings = [line for line in lines if line.startswith("warning: ")]
    for expected in (
        "field momentum: 0.5 recorded, but the field is gone",
        "field learning_rate: not recorded, because it is newer; its default is 0.005",
        "version of jax: 0.4.1 recorded, ",
        "device's kind: an abacus recorded, ",
        f"commit: {'f' * 40} recorded, ",
        f"data digits: {record['data'][0]['source']}, SHA-256 eeeeeeeeeeee recorded, ",
    ):
        assert sum(expected in line for line in warnings) == 1, expected
    assert len(warnings) == 6


def test_how_a_folder_of_pictures_was_read_is_taken_from_its_command(tmp_path, capsys):
    write_pictures(tmp_path / "pictures", 40)
    reading = ("--dataset=folder", f"--data_dir={tmp_path}/pictures", "--image_size=8")
    assert run(*SMOKE, *reading, f"--workdir={tmp_path}/first") == 0
    capsys.readouterr()
    assert reproduce(tmp_path / "first", tmp_path) == 0  # The record has the folder too.
    streams = capsys.readouterr()
    assert "equal to the last digit" in streams.out
    assert "warning: data" not in streams.err
    (tmp_path / "pictures").rename(tmp_path / "moved")
    again = f"--workdir={tmp_path}/moved_data"
    assert reproduce(tmp_path / "first", tmp_path, again) == 1
    assert "pictures is not a folder; --data_dir must name" in capsys.readouterr().err
    assert reproduce(tmp_path / "first", tmp_path, again, f"--data_dir={tmp_path}/moved") == 0
    assert "equal to the last digit" in capsys.readouterr().out


def test_a_run_with_old_names_is_reproduced(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(renames.EXPERIMENTS, "linear_ae", "linear_ae_mnist")
    monkeypatch.setitem(renames.FIELDS, "linear_ae_mnist", {"rate": "learning_rate"})
    monkeypatch.setitem(renames.METRICS, "size", "weight_norm")
    record = json.loads((finished / "config.json").read_text())
    config = record["config"]
    config["rate"] = config.pop("learning_rate")
    old = changed(finished, tmp_path / "old", experiment="linear_ae", config=config)
    for name in ("summary.json", "metrics.jsonl"):
        text = (old / name).read_text()
        assert "weight_norm" in text
        (old / name).write_text(text.replace("weight_norm", "size"))
    assert reproduce(old, tmp_path) == 0
    streams = capsys.readouterr()
    assert "equal to the last digit" in streams.out
    assert "warning: field" not in streams.err
    assert run(f"--compare={old},{finished}") == 0
    assert "### Metrics: 0 different" in capsys.readouterr().out


def test_without_the_faster_convolutions_evaluations_are_plain_too():
    def evaluate(state, key):
        with convolutions.faster_convolutions():
            return {"plain": convolutions._plain.get()}

    experiment = Experiment(lambda key: {}, (), evaluate, lambda first_step: iter(()))
    for fast in (True, False):
        chosen = run_command._with_convolutions(experiment, fast)
        assert chosen.evaluate({}, None) == {"plain": not fast}


def test_the_choice_of_convolutions_is_recorded_and_reproduced(tmp_path, monkeypatch, capsys):
    used = []
    apply = run_command._with_convolutions

    def note(experiment, fast):
        used.append(fast)
        return apply(experiment, fast)

    monkeypatch.setattr(run_command, "_with_convolutions", note)
    for flag, is_fast in (("--nofast_convolutions", False), ("--fast_convolutions", True)):
        folder, again = tmp_path / str(is_fast), tmp_path / f"{is_fast}-again"
        used.clear()
        assert run(*SMOKE, flag, f"--workdir={folder}") == 0
        assert used == [is_fast]
        record = json.loads((folder / "config.json").read_text())
        assert record["sessions"][0]["environment"]["fast_convolutions"] is is_fast
        assert run(f"--reproduce={folder}", "--wandb=disabled", f"--workdir={again}") == 0
        assert used == [is_fast, is_fast]
        assert "warning: fast_convolutions" not in capsys.readouterr().err
    other = ("--fast_convolutions", "--wandb=disabled", f"--workdir={tmp_path}/other")
    assert run(f"--reproduce={tmp_path}/False", *other) == 0
    error = capsys.readouterr().err
    assert "warning: fast_convolutions: False recorded, True now" in error


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            {"experiment": "linear_ae_mnits"},
            "is not an experiment here; did you mean 'linear_ae_mnist'",
        ),
        ({"data": None}, "is damaged: data is None; it must be an array"),
        ({"config": {"learning_rate": "fast"}}, "its config is not valid any more: "),
        ({"config": {"num_steps": 0}}, "its config is not valid any more: --num_steps is 0"),
    ],
)
def test_a_record_that_cannot_be_repeated_is_refused(record, message, finished, tmp_path, capsys):
    folder = changed(finished, tmp_path / "old", **record)
    assert reproduce(folder, tmp_path) == 1
    error = capsys.readouterr().err.splitlines()
    assert message in error[-1]
    assert not any("Traceback" in line for line in error)
    assert not (tmp_path / "again").exists()


def test_a_folder_that_is_no_finished_run_is_refused(finished, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    write_past_run(tmp_path / "stopped", status="interrupted")
    for folder, message in (
        (tmp_path / "none", "none is not a folder"),
        (tmp_path / "empty", "has no config.json"),
        (
            tmp_path / "stopped",
            "has not finished (interrupted), so there are no final metrics to compare with; "
            "finish it first: python launch.py --experiment=linear_ae_mnist "
            f"--workdir={tmp_path}/stopped",
        ),
    ):
        assert reproduce(folder, tmp_path) == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert run(f"--reproduce={finished}", f"--workdir={finished}") == 1
    assert "the run itself; name a new folder" in capsys.readouterr().err


def test_runs_are_compared_on_the_terminal_and_in_a_file(finished, tmp_path, capsys):
    other = write_past_run(tmp_path / "other")
    assert run(f"--compare={finished},{other}") == 0
    text = capsys.readouterr().out
    assert f"- A: {finished}\n- B: {other}\n" in text
    assert re.search(r"\| seed +\| +3 \| +0 \| +-3 \|", text)
    for name in ("c.md", "c.JSON"):
        assert run(f"--compare={finished},{other}", f"--output={tmp_path}/{name}") == 0
    assert (tmp_path / "c.md").read_text() == text
    assert json.loads((tmp_path / "c.JSON").read_text())["config"]["different"]["seed"] == [3, 0]


def test_a_run_that_was_moved_is_resumed_where_it_lies_now(tmp_path, capsys):
    command = "python launch.py --experiment=gan_mnist --workdir runs/old --seed=2"
    for name in ("stopped", "seen from here"):
        write_past_run(tmp_path / name, status="interrupted", resume_command=command)
    assert run("--runs=status=interrupted", f"--runs_dir={tmp_path}") == 0
    lines = capsys.readouterr().out.splitlines()
    resumed = "python launch.py --experiment=gan_mnist --seed=2"
    assert f"{resumed} --workdir={tmp_path}/stopped" in lines
    assert f"{resumed} '--workdir={tmp_path}/seen from here'" in lines


def test_compared_metrics_that_are_not_finite_are_texts_in_json(tmp_path):
    first = write_past_run(tmp_path / "first", {"eval/loss": float("nan"), "eval/size": 1.0})
    second = write_past_run(tmp_path / "second", {"eval/loss": float("inf"), "eval/size": 1.0})
    file = tmp_path / "compared.json"
    assert run(f"--compare={first},{second}", f"--output={file}") == 0

    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads(file.read_text(), parse_constant=refuse)
    assert content["metrics"]["different"] == {"eval/loss": ["NaN", "Infinity"]}


def test_runs_are_found_and_damaged_ones_are_skipped(tmp_path, capsys):
    for name, loss in (("worse", 0.9), ("best", 0.5), ("bad", 2.0)):
        write_past_run(tmp_path / "deep" / name, {"eval/loss": loss})
    (write_past_run(tmp_path / "damaged") / "config.json").write_text("{")
    assert run("--runs=loss<1 and status=finished", f"--runs_dir={tmp_path}") == 0
    streams = capsys.readouterr()
    assert streams.err.count("\n") == 1
    assert "skipped: " in streams.err
    rows = [line.split()[1:4] for line in streams.out.splitlines()[2:4]]
    assert rows == [["deep/best", "|", "0.5"], ["deep/worse", "|", "0.9"]]
    assert f"python launch.py --reproduce={tmp_path}/deep/best" in streams.out
    assert "deep/bad" not in streams.out


@pytest.mark.parametrize(
    ("condition", "message"),
    [("seed>5", "none of the 1 runs below "), ("loss<0", "none of the 1 runs below ")],
)
def test_nothing_found_is_said_and_no_error(condition, message, tmp_path, capsys):
    assert run(f"--runs={condition}", f"--runs_dir={tmp_path}/none") == 0
    assert "there are no runs below" in capsys.readouterr().err
    write_past_run(tmp_path / "run")
    assert run(f"--runs={condition}", f"--runs_dir={tmp_path}") == 0
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--reproduce={}", "--tolerance=-1"],
            2,
            "--tolerance is -1.0; it must be a finite number of at least 0",
        ),
        (
            ["--reproduce={}", "--tolerance=nan"],
            2,
            "--tolerance is nan; it must be a finite number of at least 0",
        ),
        (["--reproduce={}", "--experiment=gan_mnist"], 2, "are two commands; give one"),
        (["--reproduce={}", "--seed=3"], 2, "there is no flag --seed"),
        (["--reproduce={}", "stray"], 2, "unexpected argument 'stray'"),
        (["--compare={}"], 2, "it must be at least two folders, separated by commas"),
        (["--compare="], 2, "--compare is empty"),
        (["--compare={},{}"], 1, "twice; name different runs"),
        (["--compare={},none"], 1, "none is not a folder"),
        (["--compare={},{}", "--output=a.txt"], 2, "its name must end in .md, .json"),
        (["--compare={},{}", "--output=none/a.md"], 2, "the folder none does not exist"),
        (["--compare={}", "b"], 2, "separate the folders by commas"),
        (["--compare={}", "--experiment=gan_mnist"], 2, "are two commands; give one"),
        (["--runs=loss<small", "--runs_dir={}"], 2, "< must be followed by a number"),
        (["--runs=los<1", "--runs_dir={}"], 2, "no run has 'los'; did you mean 'loss'?"),
        (["--runs=loss<1", "--experiment=gan_mnist"], 2, "write --runs='experiment=NAME'"),
        (["--runs=loss", "<", "1"], 2, "put the conditions in quotes"),
        (["--runs=loss<1", "--rns_dir=a"], 2, "there is no flag --rns_dir"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments, code, message, tmp_path, capsys):
    folder = write_past_run(tmp_path / "run")
    assert run(*(argument.replace("{}", str(folder)) for argument in arguments)) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["--reproduce=a", "--compare=a", "--runs=a"])
def test_help_says_what_the_command_does(command, capsys):
    assert run(command, "--help") == 0
    assert f"python launch.py {command.partition('=')[0]}=" in capsys.readouterr().out
