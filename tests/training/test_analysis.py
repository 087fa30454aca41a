"""Tests an experiment of no steps, which is evaluated once and prints its texts."""

import json

import jax.numpy as jnp
import pytest

from lecture_models.experiment import Experiment, Images
from tests.training.sessions import Config, run_session


class Counted:
    """Counts how often the analysis is evaluated; fails the first `fails` times."""

    def __init__(self, fails=0):
        self.calls, self._fails = 0, fails

    def __call__(self, state, key):
        self.calls += 1
        if self.calls <= self._fails:
            raise RuntimeError("killed")
        return {"count": 3.0, "found": "first\nsecond", "shown": Images(jnp.zeros((1, 4, 4, 1)))}


def run(path, evaluate):
    experiment = Experiment(lambda key: {}, (), evaluate, lambda first_step: iter(()))
    return run_session(path, Config(num_steps=0), experiment)


def test_it_is_evaluated_once_and_finished(tmp_path, capsys):
    evaluate = Counted()
    assert run(tmp_path, evaluate) == 0
    assert evaluate.calls == 1
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["status"], summary["step"], summary["num_steps"]) == ("finished", 0, 0)
    assert summary["metrics"] == {"eval/count": 3.0}
    assert capsys.readouterr().out == "first\nsecond\n"
    assert (tmp_path / "images" / "shown_00000000.png").exists()
    assert not list((tmp_path / "checkpoints").glob("*"))
    report = (tmp_path / "report.html").read_text()
    assert "no training" in report
    assert "second" in report


def test_the_same_folder_again_prints_what_was_found(tmp_path, capsys):
    run(tmp_path, Counted())
    capsys.readouterr()
    again = Counted()
    assert run(tmp_path, again) == 0
    assert again.calls == 0
    printed = capsys.readouterr()
    assert printed.out == "first\nsecond\n"
    assert "is finished already" in printed.err


def test_an_analysis_that_failed_starts_again(tmp_path):
    evaluate = Counted(fails=1)
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path, evaluate)
    assert json.loads((tmp_path / "summary.json").read_text())["status"] == "failed"
    (tmp_path / "metrics.jsonl").write_text('{"step": 0, "texts": {"old": "of a killed run"}}\n')
    assert run(tmp_path, evaluate) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["status"] == "finished"
    assert summary["texts"] == {"found": "first\nsecond"}
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 1
