"""Tests what a session tells W&B, and what it records about W&B."""

import json

import pytest

from lecture_models.training import session
from lecture_models.training.tracking_options import TrackingOptions
from lecture_models.training.wandb_tracker import Tracker
from tests.training.sessions import Config, run_session
from tests.training.toy import toy_experiment


class FakeWandb:
    """Stands in for W&B; what it is given is in lists."""

    def __init__(self):
        self.mode, self.opened, self.logged, self.ended = "offline", [], [], []

    def open_tracker(self, mode, tracked_as, **options):
        self.opened.append((mode, tracked_as, options))
        return Tracker(
            self.mode,
            None,
            lambda step, values: self.logged.append(step),
            lambda *end: self.ended.append(end),
        )


@pytest.fixture
def wandb(monkeypatch):
    for name in ("RUN_ID", "PROJECT", "MODE", "NAME"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
    fake = FakeWandb()
    monkeypatch.setattr(session, "open_tracker", fake.open_tracker)
    return fake


def run(path, **changes):
    """Trains to the end."""
    tracking = TrackingOptions(mode="offline")._replace(**changes)
    return run_session(path, Config(num_steps=4), toy_experiment(), [f"--workdir={path}"], tracking)


def recorded(path):
    return json.loads((path / "config.json").read_text())["wandb"]


def test_wandbs_config_says_where_the_run_comes_from(wandb, tmp_path, monkeypatch):
    git = {"commit": "abc", "dirty": True}
    monkeypatch.setattr(session.provenance, "git_commit", lambda root: git)
    assert run(tmp_path) == 0
    ((_, _, options),) = wandb.opened
    config = options["config"]
    assert {name: config[name] for name in ("experiment", "preset", "command", "seed")} == {
        "experiment": "toy",
        "preset": "default",
        "command": f"python launch.py --workdir={tmp_path}",
        "seed": 3,
    }
    assert (config["commit"], config["dirty"]) == ("abc", True)


def test_without_a_checkout_the_commit_is_none(wandb, tmp_path, monkeypatch):
    monkeypatch.setattr(session.provenance, "git_commit", lambda root: None)
    assert run(tmp_path) == 0
    config = wandb.opened[0][2]["config"]
    assert (config["commit"], config["dirty"]) == (None, None)


def test_the_last_checkpoint_and_the_report_are_stored_on_request(wandb, tmp_path):
    assert run(tmp_path / "a", artifacts=True) == 0
    assert run(tmp_path / "b") == 0
    stored = [end[2] for end in wandb.ended]
    folder = tmp_path / "a"
    assert stored == [
        {"report": folder / "report.html", "model": folder / "checkpoints" / "4"},
        {},
    ]


def test_a_resumed_run_is_the_same_in_wandb(wandb, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_RUN_ID", "mine1234")
    append = session.RunFolder.append_metrics

    def fail_at_step_3(folder, record):
        if record["step"] == 3:
            raise OSError("the disk is full")
        append(folder, record)

    with monkeypatch.context() as failing:
        failing.setattr(session.RunFolder, "append_metrics", fail_at_step_3)
        assert run(tmp_path) == 1
    monkeypatch.setenv("WANDB_RUN_ID", "other")
    wandb.logged.clear()
    assert run(tmp_path) == 0
    assert [tracked.run_id for _, tracked, _ in wandb.opened] == ["mine1234", "mine1234"]
    assert wandb.logged == [1, 2, 2, 3, 4, 4]  # Of which the earlier session logged 1 and 2.
    assert "run id 'mine1234' of the run's record is used, not run id 'other' of WANDB_RUN_ID" in (
        capsys.readouterr().err
    )


def test_a_run_that_wandb_does_not_take_is_not_recorded_as_taken(wandb, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_RUN_ID", "a/b")  # W&B refuses the slash.
    wandb.mode = "disabled"
    assert run(tmp_path) == 0
    assert recorded(tmp_path) == {"mode": "disabled", "run_id": None, "url": None}


def test_what_wandb_knows_is_recorded(wandb, tmp_path):
    assert run(tmp_path / "first", project="thesis", tags=("a",)) == 0
    found = recorded(tmp_path / "first")
    assert found.pop("run_id") == wandb.opened[0][1].run_id
    assert found == {
        "mode": "offline",
        "url": None,
        "project": "thesis",
        "entity": None,
        "name": "first",
        "group": "toy",
        "job_type": None,
        "tags": ["a"],
        "notes": None,
    }
