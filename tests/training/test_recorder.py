import io
import json
import math

import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.experiment import DataTable, Images, Sound
from lecture_models.plots.png import read_metadata
from lecture_models.runs.folder import RunFolder
from lecture_models.training.progress import open_progress
from lecture_models.training.recorder import RunRecorder
from lecture_models.training.wandb_tracker import Tracker


class Logged(list):
    def tracker(self, first_missing_step=0):
        return Tracker(
            "disabled",
            None,
            lambda *line: self.append(line),
            lambda *end: None,
            first_missing_step,
        )


@pytest.fixture
def folder(tmp_path):
    opened = RunFolder(tmp_path / "run")
    opened.write_config({})
    yield opened
    opened.close()


@pytest.fixture
def logged():
    return Logged()


@pytest.fixture
def screen():
    return io.StringIO()


@pytest.fixture
def recorder(folder, logged, screen):
    return RunRecorder(folder, logged.tracker(), open_progress(10, screen), {"Seed": "3"})


def lines(folder):
    return [json.loads(line) for line in (folder.path / "metrics.jsonl").read_text().splitlines()]


def test_train_metrics_reach_file_tracker_and_memory(recorder, folder, logged):
    recorder.train(5, {"loss": 0.5})
    assert lines(folder) == [{"step": 5, "train": {"loss": 0.5}}]
    assert logged == [(5, {"train/loss": 0.5})]
    assert recorder.metrics == {"train/loss": 0.5}


def test_an_evaluation_is_sorted_into_scalars_texts_images_and_alarms(
    recorder, folder, logged, screen
):
    recorder.evaluation(
        8,
        {
            "accuracy": jnp.float32(0.25),
            "error": 0.75,
            "protocol": "on ten digits",
            "alarm_collapse": "3 of 10 modes covered",
            "alarm_quiet": "",
            "samples": Images(np.zeros((4, 3, 3, 1), np.float32), 2, "four"),
        },
    )
    (record,) = lines(folder)
    assert record["eval"] == {"accuracy": 0.25, "error": 0.75}
    assert record["texts"] == {"protocol": "on ten digits"}
    assert record["alarms"] == ["collapse at step 8: 3 of 10 modes covered"]
    assert record["artifacts"] == {
        "samples": {"file": "images/samples_00000008.png", "caption": "four"}
    }
    metadata = read_metadata(folder.images / "samples_00000008.png")
    assert (metadata["Seed"], metadata["Step"], metadata["Caption"]) == ("3", "8", "four")
    assert set(logged[0][1]) == {
        "eval/accuracy", "eval/error", "eval/samples", "texts/protocol"
    }  # fmt: skip
    assert "ALARM: collapse at step 8: 3 of 10 modes covered" in screen.getvalue()


def test_an_alarm_stays_when_a_later_evaluation_is_well(recorder):
    recorder.evaluation(1, {"alarm_collapse": "bad"})
    recorder.evaluation(2, {"alarm_collapse": ""})
    assert recorder.alarms == ["collapse at step 1: bad"]


def test_an_alarm_is_announced_once_and_a_step_without_numbers_not_at_all(recorder, folder, screen):
    for step, text in ((1, "bad"), (2, "bad"), (3, "worse")):
        recorder.evaluation(step, {"alarm_network": text})
    assert screen.getvalue().splitlines() == [
        "ALARM: network at step 1: bad",
        "ALARM: network at step 3: worse",
    ]
    assert [line["alarms"] for line in lines(folder)] == [
        [f"network at step {step}: {text}"] for step, text in ((1, "bad"), (2, "bad"), (3, "worse"))
    ]


def test_what_a_session_left_is_recalled(recorder, folder, logged, screen):
    recorder.train(5, {"loss": 0.5})
    recorder.evaluation(5, {"accuracy": 0.5, "protocol": "p", "alarm_collapse": "bad"})
    other = RunRecorder(folder, logged.tracker(), open_progress(10, screen), {})
    other.recall(folder.resume_metrics(5))
    assert other.metrics == recorder.metrics
    assert other.texts == recorder.texts
    assert other.alarms == recorder.alarms


def test_an_array_that_is_no_scalar_is_refused_by_name(recorder):
    with pytest.raises(TypeError, match=r"evaluate returned logits with shape \(3,\)"):
        recorder.evaluation(1, {"logits": jnp.zeros(3)})


def test_a_metric_that_is_nan_is_recorded_as_such(recorder, folder):
    recorder.evaluation(1, {"distance": math.nan})
    assert lines(folder)[0]["eval"]["distance"] == "NaN"  # JSON has no such number.


def recorded_at(recorder, steps):
    """Records every kind of result at each step."""
    for step in steps:
        recorder.train(step, {"loss": 1.0 / step})
        recorder.evaluation(
            step,
            {
                "accuracy": math.nan,
                "protocol": "p",
                "alarm_collapse": "bad",
                "samples": Images(np.zeros((1, 3, 3, 1), np.float32), 1, "one"),
                "tone": Sound(np.zeros(8), 8_000, "silence"),
                "table": DataTable(("name", "value"), (("a", 1.5), ("b", 2), ("c", math.inf))),
            },
        )


def test_wandb_gets_the_lines_of_earlier_sessions_again(recorder, folder, screen, logged):
    recorded_at(recorder, (5, 10))
    again = Logged()
    other = RunRecorder(folder, again.tracker(), open_progress(10, screen), {})
    other.recall(folder.resume_metrics(10))
    assert [step for step, _ in again] == [5, 5, 10, 10]
    assert repr(again) == repr(logged)  # As texts, because NaN differs from itself.


def test_wandb_gets_only_the_steps_that_it_lacks(recorder, folder, screen, logged):
    recorded_at(recorder, (5, 10, 15))
    (folder.images / "samples_00000010.png").unlink()
    (folder.path / "data_tables" / "table_00000010.csv").write_bytes(b"")
    again = Logged()
    tracker = again.tracker(first_missing_step=6)
    other = RunRecorder(folder, tracker, open_progress(10, screen), {})
    other.recall(folder.resume_metrics(10))
    assert [step for step, _ in again] == [10, 10]
    assert set(again[1][1]) == logged[3][1].keys() - {"eval/samples", "eval/table"}
    assert other.metrics.keys() == recorder.metrics.keys()
