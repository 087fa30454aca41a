"""Checks what each consumer does with a missing, damaged or older record of a run."""

import contextlib
import json
import re
from types import SimpleNamespace

import pytest

from lecture_models.reports.index_run import read_indexed_run
from lecture_models.reports.run_page import write_report
from lecture_models.runs import renames
from lecture_models.runs.folder import RunFolder, check_same_run
from lecture_models.runs.past_run import past_runs, read_past_run
from lecture_models.runs.query import matching, parse_query, resolve
from lecture_models.runs.reader import (
    RunFolderError,
    read_config,
    read_metrics,
    read_summary,
)
from lecture_models.runs.recorded_run import read_run, read_series
from lecture_models.runs.results import finished_runs
from lecture_models.sweeps.study import ClaimedTrial
from lecture_models.sweeps.worker import Sweep, run_trials
from lecture_models.tables.missing_runs import WantedRun
from tests.past import RECORD, write_past_run

NOT_JSON = "is damaged: it is not JSON"
DAMAGED_OBJECTS = [
    (b'{"experiment": ', NOT_JSON),
    (b"", NOT_JSON),
    (b"[" * 100_000, NOT_JSON),
    (b'{"status": "\xff\xfa"}', "is damaged: it is not UTF-8 text"),
    (b"[1]", "is damaged: it does not hold a JSON object"),
    (None, "cannot be read: Is a directory"),
]


def encoded(**changes):
    return json.dumps(RECORD | changes).encode()


DAMAGED_CONFIGS = [
    *DAMAGED_OBJECTS,
    (b'{"model_type": "bert"}', "is not the record of a lecture-models run: it has no experiment"),
    (encoded(config=3), "is damaged: config is 3; it must be an object"),
    (encoded(wandb="offline"), "is damaged: wandb is 'offline'; it must be an object"),
    (encoded(sessions=["a"]), "is damaged: sessions must hold objects only"),
    (encoded(data=["mnist"]), "is damaged: each entry of data must have a dataset, and files"),
    (encoded(data=[{"dataset": "mnist"}]), "is damaged: each entry of data must have"),
    (encoded(data=[{"files": []}]), "is damaged: each entry of data must have"),
    (encoded(data=[{"dataset": "a", "files": [{"path": "a"}]}]), "is damaged: each entry of data"),
]
DAMAGED_SUMMARIES = [
    *DAMAGED_OBJECTS,
    (b"{}", "is damaged: it has no status, step, metrics"),
    (b'{"status": "finished", "step": true, "metrics": {}}', "is damaged: step is True; it must"),
    (
        b'{"status": "finished", "step": 6, "metrics": [1]}',
        r"is damaged: metrics is \[1\]; it must",
    ),
]


def put(path, content):
    """Writes a file; None makes a folder in its place."""
    path.unlink(missing_ok=True)
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)


@pytest.fixture
def folder(tmp_path):
    return write_past_run(tmp_path / "run")


@pytest.mark.parametrize(("content", "reason"), DAMAGED_CONFIGS)
def test_a_damaged_config_is_refused_skipped_or_shown_in_part(folder, content, reason):
    put(folder / "config.json", content)
    assert read_config(folder).exists
    assert read_config(folder).intact == {}
    line = f"config.json {reason}"
    with pytest.raises(RunFolderError, match=line):
        read_config(folder).require()
    with pytest.raises(RunFolderError, match=line):
        read_past_run(folder)
    with pytest.raises(RunFolderError, match=line):
        read_indexed_run(folder, 100)
    opened = RunFolder(folder)
    with pytest.raises(RunFolderError, match=f"{line}.*; name a new folder"):
        opened.read_config()
    opened.close()
    if content is not None:
        lines = []
        assert past_runs(folder.parent, lines.append) == []
        assert len(lines) == 1
        assert lines[0].startswith("skipped: ")
    assert finished_runs(folder.parent, "linear_ae_mnist") == []
    assert read_run(folder).last == {"eval/loss": 1.0, "train/loss": 2.0}
    assert "<h1>" in write_report(folder).read_text()


@pytest.mark.parametrize(("content", "reason"), DAMAGED_SUMMARIES)
def test_a_damaged_summary_is_refused_skipped_or_shown_in_part(folder, content, reason):
    put(folder / "summary.json", content)
    assert read_summary(folder).intact == {}
    line = f"summary.json {reason}"
    with pytest.raises(RunFolderError, match=line):
        read_summary(folder).require()
    with pytest.raises(RunFolderError, match=line):
        read_past_run(folder)
    opened = RunFolder(folder)
    with pytest.raises(RunFolderError, match=f"{line}.*; name a new folder"):
        opened.read_summary()
    opened.close()
    assert finished_runs(folder.parent, "linear_ae_mnist") == []
    assert read_run(folder).record["experiment"] == "linear_ae_mnist"
    assert "<h1>" in write_report(folder).read_text()


@pytest.mark.parametrize(("content", "reason"), DAMAGED_SUMMARIES)
def test_a_run_with_a_damaged_summary_has_all_steps_left_for_a_table(folder, content, reason):
    put(folder / "summary.json", content)
    wish = WantedRun("toy", "paper", (), 0, "digits", SimpleNamespace(num_steps=7), folder)
    assert wish.steps_left == 7


@pytest.mark.parametrize(("content", "reason"), DAMAGED_SUMMARIES)
def test_a_trial_with_a_damaged_summary_has_failed(tmp_path, content, reason):
    told = []
    trial = SimpleNamespace(number=0, user_attrs={})
    queue = SimpleNamespace(fail=lambda *arguments: told.append(arguments), is_done=lambda: True)
    queue.claim = lambda: None if told else ClaimedTrial(0, trial, {})
    heartbeat = SimpleNamespace(keep_alive=lambda beat: contextlib.nullcontext())
    spec = SimpleNamespace(constants={}, values=dict, metric="eval/loss")
    sweep = Sweep(tmp_path, "toy", spec, [], lambda line: None)

    def launch(arguments, callback):
        sweep.trial_folder(0).mkdir(parents=True)
        put(sweep.trial_folder(0) / "summary.json", content)
        return 0

    assert run_trials(sweep, queue, heartbeat, launch) == 0
    (_, line, outcome) = told[0]
    assert outcome == "failed"
    assert re.search(f"0000/summary.json {reason}", line)


def test_missing_files_are_not_damaged(tmp_path):
    assert not read_config(tmp_path).exists
    assert read_config(tmp_path).damage == read_summary(tmp_path / "none").damage == ""
    assert read_metrics(tmp_path / "none").require().records == []
    with pytest.raises(RunFolderError, match="summary.json does not exist"):
        read_summary(tmp_path).require()


GOOD = [b'{"step": 1, "train": {"loss": 1.0}}', b'{"step": 3, "train": {"loss": 3.0}}']


@pytest.mark.parametrize(
    "damaged",
    [b'{"step": 2, "tr', b'{"step": 2, "\xff": 1}', b"\x00\x00", b'{"train": {}}', b"[2]", b"null"],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_damaged_lines_of_metrics_are_counted_and_the_others_read(folder, damaged, place):
    lines = [*GOOD]
    lines.insert(place, damaged)
    put(folder / "metrics.jsonl", b"\n".join(lines))
    metrics = read_metrics(folder)
    assert metrics.num_damaged == 1
    assert metrics.lines == GOOD
    assert [record["step"] for record in metrics.require().records] == [1, 3]
    assert read_series(folder) == {"train/loss": [(1, 1.0), (3, 3.0)]}
    assert read_run(folder).torn == 1
    assert "<h1>" in write_report(folder).read_text()
    assert read_indexed_run(folder, 100).metrics["train/loss"] == 3.0


def test_metrics_that_cannot_be_read_are_no_curves_for_a_report_and_an_error_for_others(folder):
    put(folder / "metrics.jsonl", None)
    assert read_series(folder) == {}
    with pytest.raises(RunFolderError, match="metrics.jsonl cannot be read: Is a directory"):
        read_metrics(folder).require()


@pytest.fixture
def renamed(monkeypatch):
    """Pretends that an experiment, two fields and a metric were renamed."""
    monkeypatch.setitem(renames.EXPERIMENTS, "linear_ae", "linear_ae_mnist")
    monkeypatch.setitem(renames.FIELDS, "linear_ae_mnist", {"rate": "learning_rate"})
    monkeypatch.setitem(renames.WORDS, "relu_old", "relu")
    monkeypatch.setitem(renames.METRICS, "cost", "loss")


@pytest.fixture
def old(tmp_path, renamed):
    """Writes a run that was recorded with the old names."""
    config = {"seed": 0, "rate": 0.005, "layers": ["relu_old", "relu_old,tanh"]}
    data = [{"dataset": "weights relu_old", "source": "a file", "files": []}]
    folder = write_past_run(tmp_path / "old", {"eval/cost": 1.0}, experiment="linear_ae", data=data)
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | {"config": config}))
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"texts": {"cost": "a text"}}))
    line = {"step": 6, "train": {"cost": 2.0}, "eval": {"cost": 1.0}, "texts": {"cost": "a"}}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    return folder


CONFIG = {"seed": 0, "learning_rate": 0.005, "layers": ["relu", "relu,tanh"]}


def test_a_past_run_has_todays_names(old):
    past = read_past_run(old)
    assert past.experiment == "linear_ae_mnist"
    assert past.config == CONFIG
    assert past.metrics == {"eval/loss": 1.0}
    assert past.record["data"][0]["dataset"] == "weights relu"
    assert past.summary["texts"] == {"loss": "a text"}


def test_reports_and_curves_have_todays_names(old):
    run = read_run(old)
    assert run.record["config"] == CONFIG
    assert run.series == {"train/loss": [(6, 2.0)], "eval/loss": [(6, 1.0)]}
    assert run.last == {"train/loss": 2.0, "eval/loss": 1.0}
    assert run.texts == {"loss": "a text"}
    assert read_indexed_run(old, 100).curves.keys() == {"train/loss", "eval/loss"}
    page = write_report(old).read_text()
    assert "learning_rate" in page
    assert "cost" not in page


def test_an_old_run_fills_tables_under_its_new_name(old):
    (run,) = finished_runs(old.parent, "linear_ae_mnist")
    assert run.config == CONFIG
    assert run.metrics == {"eval/loss": 1.0}


def test_an_old_run_is_found_by_todays_names_and_old_ones_are_answered(old):
    runs = [read_past_run(old)]
    query = "learning_rate=0.005, experiment=linear_ae_mnist, loss<2"
    assert matching(resolve(parse_query(query), runs), runs) == runs
    with pytest.raises(Exception, match="no run has 'eval/cost'; it is now 'eval/loss'"):
        resolve(parse_query("eval/cost<2"), runs)


def test_an_old_run_resumes(old):
    folder = RunFolder(old)
    data = [{"dataset": "weights relu", "source": "elsewhere", "files": []}]
    present = RECORD | {"config": CONFIG, "data": data}
    check_same_run(folder.read_config(), present, old)
    with pytest.raises(RunFolderError, match="learning_rate"):
        check_same_run(
            folder.read_config(), present | {"config": CONFIG | {"learning_rate": 1}}, old
        )
    assert folder.resume_metrics(6) == [
        {"step": 6, "train": {"loss": 2.0}, "eval": {"loss": 1.0}, "texts": {"loss": "a"}}
    ]
    folder.close()
