"""Tests that no secret of --storage is written, printed or logged by a sweep and its runs."""

import sys

import pytest
from sqlalchemy.exc import OperationalError

import lecture_models.commands.sweep as sweep_command
from lecture_models.sweeps.study import TrialQueue
from tests.launch.sweeping import arguments, sweep, write

SECRET = "correcthorse"
GRID = {"x": {"values": [0.0, 0.5]}, "fail_above": {"value": 0.2}}


@pytest.fixture
def database(tmp_path):
    """Returns an address with a secret that SQLite accepts, and ignores."""
    return f"sqlite:///file:{tmp_path}/study.db?uri=true&password={SECRET}"


def assert_kept(folder, *texts):
    """Checks all that was printed, and every byte of every file, and the names of the files."""
    paths = list(folder.rglob("*"))
    assert len(paths) > 3
    shown = [*(str(path) for path in paths), *texts]
    assert not [text for text in shown if SECRET in text]
    files = [path for path in paths if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def everything_said(capfd, caplog):
    said = capfd.readouterr()
    return said.out, said.err, caplog.text


@pytest.mark.slow
def test_a_finished_sweep_keeps_its_password(database, tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.setattr(sys, "argv", ["launch.py", f"--storage={database}"])  # W&B records it.
    path = write(tmp_path, method="grid", parameters=GRID, run_cap=None)
    flags = (f"--storage={database}", "--max_retries=0", "--wandb=offline")
    assert sweep(monkeypatch, path, *flags) == 0
    texts = everything_said(capfd, caplog)
    assert "2 trials: 1 finished, 1 failed" in texts[0]
    assert_kept(tmp_path, *texts, *sys.argv)
    assert list((tmp_path / "sweep" / "failures").iterdir())
    assert list((tmp_path / "sweep").glob("trials/*/wandb/*/*.wandb"))
    assert "--storage=sqlite:///file" in (tmp_path / "sweep" / "sweep.json").read_text()
    # The same command, typed with the password, continues the sweep.
    assert sweep(monkeypatch, path, *flags) == 0


def raising(error):
    def fail(*_, **__):
        raise error

    return fail


def test_a_stopped_sweep_keeps_its_password(database, tmp_path, monkeypatch, capfd, caplog):
    path = write(tmp_path)
    monkeypatch.setattr(sweep_command, "run_trials", raising(KeyboardInterrupt))
    assert sweep(monkeypatch, path, f"--storage={database}") == 130
    texts = everything_said(capfd, caplog)
    assert_kept(tmp_path, *texts)
    command = " ".join(arguments(path))
    assert f"to continue the sweep: python launch.py {command} '--storage=sqlite:///" in texts[1]
    assert "(write the password in place of ***)" in texts[1]
    assert sweep(monkeypatch, path, "--storage=postgresql://me:***@host/db") == 2
    assert "--storage=postgresql://me:***@host/db has *** for its pass" in capfd.readouterr().err


@pytest.mark.parametrize("step", ["claim", "tell", "should_prune"])
def test_a_database_that_fails_in_the_middle_is_one_line_without_its_password(
    step, database, tmp_path, monkeypatch, capfd, caplog
):
    error = OperationalError("INSERT", {}, Exception(f"lost me:{SECRET}@host"))
    owner = sweep_command.open_study.__globals__["optuna"].Trial
    monkeypatch.setattr(owner if step == "should_prune" else TrialQueue, step, raising(error))
    flags = (f"--storage={database}", "--max_retries=0", "--num_trials=1")
    code = sweep(monkeypatch, write(tmp_path), *flags)
    texts = everything_said(capfd, caplog)
    assert_kept(tmp_path, *texts)
    assert code == 1
    assert "failed: (builtins.Exception) lost me:***@host" in texts[1]
    assert "Traceback" not in texts[1]


def test_a_worker_gets_the_password_where_other_users_cannot_read_it(
    database, tmp_path, monkeypatch, capfd, caplog
):
    started = []

    def run_workers(command, count, logs, max_restarts, on_poll, announce, environment):
        started.append((command, environment))
        return 0

    monkeypatch.setattr(sweep_command, "run_workers", run_workers)
    path = write(tmp_path)
    assert sweep(monkeypatch, path, f"--storage={database}", "--workers=2") == 1
    ((command, environment),) = started
    assert SECRET not in " ".join(command)
    (variable,) = environment
    assert SECRET in environment[variable]
    # This is what the worker does with it.
    monkeypatch.setenv(variable, environment[variable])
    monkeypatch.setattr(sweep_command, "end_with_parent", lambda: None)
    words = [word for word in command[2:] if word not in arguments(path)]
    assert sweep(monkeypatch, path, *words) == 0
    assert_kept(tmp_path, *everything_said(capfd, caplog))
    assert (tmp_path / "study.db").exists()
    assert not (tmp_path / "sweep" / "study.journal").exists()


@pytest.mark.parametrize(
    "address", ["mysql://me:{}@host/x", "me:{}@host", "postgresql://m:{}@h:p/d"]
)
def test_a_wrong_address_does_not_show_its_password(address, tmp_path, monkeypatch, capfd, caplog):
    address = address.format(SECRET)
    assert sweep(monkeypatch, write(tmp_path), f"--storage={address}") == 2
    assert sweep(monkeypatch, write(tmp_path), "--workers=1", address) == 2
    texts = everything_said(capfd, caplog)
    assert "allowed: postgresql://USER:PASSWORD@HOST/DATABASE" in texts[1]
    assert not [text for text in texts if SECRET in text]
