"""Tests that a run continues, or says why it cannot, whatever has happened to its folder."""

import contextlib
import dataclasses
import json
import shutil
import signal

import jax.numpy as jnp
import pytest

from lecture_models.experiment import Images
from lecture_models.reports.gif import write_gifs
from lecture_models.runs.folder import RunFolder
from lecture_models.runs.reader import RunFolderError
from lecture_models.runs.recorded_run import read_run
from lecture_models.training import session
from tests.training.sessions import Config, run_session, signals_at
from tests.training.toy import toy_experiment

SHORT = Config()


@dataclasses.dataclass(frozen=True)
class LaterConfig(Config):
    momentum: float = 0.9


def experiment(**changes):
    def evaluate(state, key):
        return {"weights": Images(jnp.tanh(state.weights / 5.0).reshape(1, 1, 5, 1), 1)}

    return toy_experiment()._replace(evaluate=evaluate, **changes)


def run(path, config=SHORT, **changes):
    return run_session(path, config, experiment(**changes), [f"--workdir={path}"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert run(folder) == 0
    return folder


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interrupted")
    with signals_at(3, signal.SIGTERM):
        assert run(folder) == 128 + signal.SIGTERM
    return folder


@pytest.fixture
def stopped(interrupted, tmp_path):
    return shutil.copytree(interrupted, tmp_path / "run")


def read(folder, name="summary.json"):
    return json.loads((folder / name).read_text())


def change_record(folder, change):
    record = read(folder, "config.json")
    change(record)
    (folder / "config.json").write_text(json.dumps(record))


def steps(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


OWN_FILES = (
    *("images/best.png", "images/weights_00000002 copy.png", "images/mynet_99999.png"),
    *("images/weights_99999999.png", "images/.my.notes", "images/weights.gif", ".todo.txt"),
    *("images/.weights_00000002.png.notes", "sounds/song_00000099.wav", "data_tables/a_9.csv"),
    *("checkpoints/notes.txt", "checkpoints/9", "wandb/mine", "a b/\u00fc.txt", "config.json.bak"),
)
OWN_FOLDERS = (".vscode.d", "checkpoints/1", "checkpoints/4 copy", "images/own_00000001.png")
TORN = b'\xff\xfe\xfa{"a": 1}\n{"train": {}}\n\0\0\0\0\n[1]\n{"step": 18, "tr'


def test_files_of_the_user_and_a_torn_record_change_nothing(stopped, whole, capsys):
    for name in OWN_FILES:
        (stopped / name).parent.mkdir(exist_ok=True)
        (stopped / name).write_bytes(b"mine")
    for name in OWN_FOLDERS:
        (stopped / name).mkdir()
        (stopped / name / "mine").write_bytes(b"mine")
    with (stopped / "metrics.jsonl").open("ab") as file:
        file.write(TORN)
    assert run(stopped) == 0
    assert {(stopped / name).read_bytes() for name in OWN_FILES} == {b"mine"}
    assert all((stopped / name / "mine").exists() for name in OWN_FOLDERS)
    assert read(stopped)["state_sha256"] == read(whole)["state_sha256"]
    assert (stopped / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()
    pictures = [
        {name: [step for step, _ in files] for name, files in read_run(folder).pictures.items()}
        for folder in (stopped, whole)
    ]
    assert pictures == [{"weights": [2, 4, 6, 8]}] * 2
    said = capsys.readouterr().err
    assert "metrics.jsonl: 5 damaged lines removed" in said
    assert "weights.gif is not this run's" in said


def test_a_run_that_was_killed_after_its_gifs_knows_them_as_its_own(stopped, monkeypatch, capsys):
    class Killed(BaseException):
        pass

    def write_and_die(folder, images):
        write_gifs(folder, images)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(session, "write_gifs", write_and_die)
        with pytest.raises(Killed):
            run(stopped)
    assert read(stopped)["status"] != "finished"
    assert (stopped / "images" / "weights.gif").exists()
    assert run(stopped) == 0
    assert "is not this run's" not in capsys.readouterr().err
    assert read(stopped)["films"] == ["weights"]


def test_what_the_record_names_after_the_checkpoint_is_removed(stopped):
    line = {"step": 9, "eval": {}, "artifacts": {"a": {"file": "images/a_00000009.png"}}}
    outside = {"step": 9, "eval": {}, "artifacts": {"a": {"file": "../thesis.png"}}}
    with (stopped / "metrics.jsonl").open("a") as file:
        file.write(f"{json.dumps(line)}\n{json.dumps(outside)}\n")
    kept = (stopped.parent / "thesis.png", stopped / "images" / "b_00000009.png")
    partial = ".a_00000009.png.abcd1234.partial"
    for path in (*kept, stopped / "images" / "a_00000009.png", stopped / "images" / partial):
        path.write_bytes(b"")
    with contextlib.closing(RunFolder(stopped)) as folder:
        folder.resume_metrics(3)
    assert all(path.exists() for path in kept)
    assert {path.name for path in (stopped / "images").iterdir()} == {
        "weights_00000002.png",
        "b_00000009.png",
    }


@pytest.mark.parametrize("emptied", [False, True])
def test_a_run_whose_checkpoints_are_gone_is_refused_and_its_record_stays(stopped, emptied):
    shutil.rmtree(stopped / "checkpoints")
    if emptied:
        (stopped / "checkpoints").mkdir()
    before = contents(stopped)
    with pytest.raises(RunFolderError, match=r"has no checkpoint any more.*step 5.*--restart"):
        run(stopped)
    assert contents(stopped) == before


def test_an_old_record_without_a_list_of_checkpoints_is_refused_too(stopped):
    shutil.rmtree(stopped / "checkpoints")
    (stopped / "checkpoints").mkdir()
    summary = read(stopped)
    del summary["checkpoints"]
    (stopped / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(RunFolderError, match="has no checkpoint any more"):
        run(stopped)


def test_a_run_killed_before_its_first_checkpoint_says_that_it_begins_again(stopped, whole, capsys):
    shutil.rmtree(stopped / "checkpoints")
    (stopped / "checkpoints").mkdir()
    killed = read(stopped) | {"status": "running", "checkpoints": []}
    (stopped / "summary.json").write_text(json.dumps(killed))
    assert run(stopped) == 0
    assert "was stopped before its first checkpoint; it begins again" in capsys.readouterr().err
    assert (stopped / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


def test_a_finished_run_made_longer_equals_a_long_one(whole, tmp_path):
    longer = Config(num_steps=12)
    made_longer = shutil.copytree(whole, tmp_path / "made_longer")
    assert run(made_longer, longer) == 0
    assert run(tmp_path / "long", longer) == 0
    assert read(made_longer)["state_sha256"] == read(tmp_path / "long")["state_sha256"]
    first, second = (folder / "metrics.jsonl" for folder in (made_longer, tmp_path / "long"))
    assert first.read_bytes() == second.read_bytes()
    record = read(made_longer, "config.json")
    assert record["config"]["num_steps"] == 12
    assert record["sessions"][-1]["changed_config"] == {"num_steps": [8, 12]}
    with pytest.raises(RunFolderError, match=r"num_steps \(12 there, 8 now\)"):
        run(made_longer)


def test_a_run_whose_schedule_depends_on_its_length_is_not_made_longer(whole, tmp_path):
    scheduled = {"num_steps": "the schedule of learning_rate"}
    copied = shutil.copytree(whole, tmp_path / "copied")
    before = contents(copied)
    with pytest.raises(RunFolderError, match="it decides the schedule of learning_rate"):
        run(copied, Config(num_steps=12), cadence_decides=scheduled)
    assert contents(copied) == before


def test_a_resumed_run_may_log_evaluate_and_save_at_other_steps(stopped, whole):
    assert run(stopped, Config(log_every=3, eval_every=4, checkpoint_every=3)) == 0
    assert read(stopped)["state_sha256"] == read(whole)["state_sha256"]
    assert steps(stopped) == [1, 2, 2, 3, 4, 4, 5, 6, 8, 8]
    with pytest.raises(RunFolderError, match="decides the steps of each frame"):
        run(
            shutil.copytree(whole, stopped.parent / "film"),
            Config(num_steps=10, eval_every=5),
            cadence_decides={"eval_every": "the steps of each frame"},
        )


def test_a_field_that_is_newer_than_the_run_has_its_default(stopped):
    with pytest.raises(RunFolderError, match=r"momentum \(not recorded there, so its default 0.9"):
        run(stopped, LaterConfig(momentum=0.5))
    assert run(stopped, LaterConfig()) == 0
    assert read(stopped, "config.json")["config"]["momentum"] == 0.9


def test_another_environment_is_named_before_any_checkpoint_is_read(stopped, monkeypatch):
    before = contents(stopped)
    monkeypatch.setenv("JAX_ENABLE_X64", "True")
    with pytest.raises(RunFolderError, match="with JAX_ENABLE_X64 not set, and it is 1 now"):
        run(stopped)
    assert contents(stopped) == before


def test_another_jax_or_device_is_a_warning(stopped, capsys, monkeypatch):
    monkeypatch.setenv("JAX_ENABLE_X64", "0")  # As if it were not set.

    def change(record):
        record["sessions"][-1]["versions"]["jax"] = "0.1"
        record["sessions"][-1]["device"]["kind"] = "an abacus"

    change_record(stopped, change)
    assert run(stopped) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert ["0.1 recorded" in warnings[0], "an abacus recorded" in warnings[1]] == [True, True]
    assert len(warnings) == 2


def test_a_state_of_other_shapes_is_not_called_damaged(stopped, capsys):
    def init(key):
        state = toy_experiment().init(key)
        return state._replace(velocity=jnp.zeros((5, 2)))

    def step(state, batch, key):
        return state, {"loss": jnp.sum(state.weights)}

    before = read(stopped)
    assert run(stopped, init=init, step=step) == 1
    said = capsys.readouterr().err
    assert "state.velocity is float32[5] there and float32[5,2] now" in said
    assert "damaged" not in said
    after = read(stopped)
    assert after["status"] == "failed"
    assert (after["step"], after["metrics"]) == (before["step"], before["metrics"])
    assert not (stopped / "damaged").exists()
    assert run(stopped) == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGINT])
def test_every_request_to_stop_saves_however_often_it_comes(tmp_path, whole, number):
    with signals_at(3, number, signal.SIGTERM, number, number):
        assert run(tmp_path) == 128 + number
    found = read(tmp_path)
    assert found["status"] == "interrupted"
    assert found["checkpoints"][-1] == found["step"]
    assert run(tmp_path) == 0
    assert read(tmp_path)["state_sha256"] == read(whole)["state_sha256"]


def test_a_signal_while_the_last_summary_is_written_loses_nothing(tmp_path, monkeypatch):
    write = RunFolder.write_summary

    def write_and_send(self, summary):
        if summary["status"] == "interrupted":
            signal.raise_signal(signal.SIGTERM)
        write(self, summary)

    monkeypatch.setattr(RunFolder, "write_summary", write_and_send)
    with signals_at(3, signal.SIGHUP):
        assert run(tmp_path) == 128 + signal.SIGHUP
    assert read(tmp_path)["status"] == "interrupted"


def test_an_analysis_which_saves_nothing_stops_at_once(tmp_path, capsys):
    def evaluate(state, key):
        signal.raise_signal(signal.SIGHUP)
        return {}

    analysis = toy_experiment()._replace(step=(), evaluate=evaluate)
    assert run_session(tmp_path, Config(num_steps=0), analysis) == 128 + signal.SIGHUP
    assert read(tmp_path)["status"] == "interrupted"
    assert "stopped at once; to resume: python launch.py" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_does_not_end_the_run(tmp_path, monkeypatch, capsys):
    def fail(folder):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(session, "write_report", fail)
    assert run(tmp_path) == 0
    assert read(tmp_path)["status"] == "finished"
    assert "report.html: ZeroDivisionError: a bug" in capsys.readouterr().err


def test_a_file_in_the_way_of_a_folder_is_one_line(tmp_path):
    with contextlib.closing(RunFolder(tmp_path)) as folder:
        (tmp_path / "images").write_text("")
        with pytest.raises(RunFolderError, match="images is in the way: File exists; rename it"):
            folder.write_config({})
