import json
import os
import socket
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from lecture_models.experiment import (
    Animation,
    AnnotatedImages,
    DataTable,
    LabeledBox,
    Midi,
    Sound,
)
from lecture_models.plots import png
from lecture_models.runs import artifacts
from lecture_models.training.artifact_files import KINDS, encode_artifact
from lecture_models.training.tracking_options import TrackedAs, TrackingError
from lecture_models.training.transaction_log import read_records
from lecture_models.training.wandb_tracker import LoggedFile, open_tracker


@pytest.fixture(autouse=True)
def _no_account(tmp_path, monkeypatch):
    """Sets a home without an API key, whatever the machine has."""
    if "wandb" in sys.modules:  # Its process ends here, so that no later test finds its name.
        sys.modules["wandb"].teardown()
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETRC", str(tmp_path / "home" / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "home" / "config"))
    # `open_tracker` would set it for all later tests.
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


@pytest.fixture
def sdk(_no_account):
    """Returns the real `wandb`, which reads its environment again."""
    import wandb

    wandb.teardown()
    yield wandb
    wandb.teardown()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "gan_mnist" / "1"
    made.mkdir(parents=True)
    return made


NAMED = TrackedAs("abcd1234", "lecture-models", None, "1", "gan_mnist")


def _open(mode, folder, tracked_as=NAMED, **changes):
    lines = []
    arguments = {
        "folder": folder,
        "config": {"learning_rate": 2e-4, "hidden": [256, 512]},
        "announce": lines.append,
        **changes,
    }
    return open_tracker(mode, tracked_as, **arguments), lines


def _records(folder):
    """Yields the records of the only run, which are protocol buffers in LevelDB's log format."""
    import wandb
    from wandb.proto import wandb_internal_pb2

    wandb.teardown()  # The file is complete a moment after `finish`, or when W&B's process ends.
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    return list(map(wandb_internal_pb2.Record.FromString, read_records(path)))


def _values(items):
    return {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


@pytest.mark.slow
def test_an_offline_run_is_read_back_from_its_file(sdk, folder, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path / "gan_mnist")
    picture = folder / "images" / "samples_00000200.png"
    png.write_png(picture, np.zeros((4, 4, 1), np.uint8))
    named = NAMED._replace(job_type="train", tags=("mnist", "gan"), notes="first try")
    tracker, lines = _open("offline", folder, named)
    tracker.log(100, {"train/loss": 0.5, "train/accuracy": np.float32(0.25)})
    samples = LoggedFile(artifacts.IMAGES, picture, "fixed latents")
    tracker.log(200, {"train/loss": float("nan"), "eval/samples": samples, "texts/a": "<b>"})
    tracker.finish("interrupted", {"eval/parzen": 223.5})
    tracker.finish("finished", {})

    records = _records(folder)
    run = next(record.run for record in records if record.HasField("run"))
    identity = (run.run_id, run.project, run.display_name, run.run_group, run.job_type)
    assert identity == ("abcd1234", "lecture-models", "1", "gan_mnist", "train")
    assert (list(run.tags), run.notes) == (["mnist", "gan"], "first try")
    config = _values(run.config.update)
    assert (config["learning_rate"], config["hidden"]) == (2e-4, [256, 512])
    history = {
        record.history.step.num: _values(record.history.item)
        for record in records
        if record.HasField("history")
    }
    assert set(history) == {100, 200}
    assert (history[100]["train/loss"], history[100]["train/accuracy"]) == (0.5, 0.25)
    assert np.isnan(history[200]["train/loss"])
    assert history[200]["texts/a"] == "<b>"
    image = {name: history[200][f"eval/samples/{name}"] for name in ("_type", "caption", "path")}
    assert (image["_type"], image["caption"]) == ("image-file", "fixed latents")
    (stored,) = folder.glob(f"wandb/offline-run-*/files/{image['path']}")
    assert stored.read_bytes() == picture.read_bytes()
    summary = {}
    for record in records:
        summary |= _values(record.summary.update)
    assert (summary["eval/parzen"], summary["status"]) == (223.5, "interrupted")
    assert [record.exit.exit_code for record in records if record.HasField("exit")] == [130]

    assert lines == []
    assert "".join(capfd.readouterr()) == ""
    system = [item.key for record in records for item in record.stats.item]
    assert "memory_percent" in system
    assert [path.name for path in Path.cwd().iterdir()] == [folder.name]
    assert tracker.url is None


def test_a_named_service_that_has_ended_is_replaced(sdk, folder, monkeypatch):
    monkeypatch.setenv("WANDB_SERVICE", f"3-1-unix-{folder}/socket-of-an-ended-process")
    tracker, lines = _open("offline", folder)
    tracker.log(1, {"loss": 0.5})
    tracker.finish("finished", {})
    assert any(record.HasField("history") for record in _records(folder))
    assert lines == []


def test_every_kind_of_artifact_is_logged_offline(sdk, folder):
    """W&B plays sounds and animations, shows tables, and stores scores as files."""
    samples = {
        "tone": Sound(np.sin(np.arange(200) / 5.0), 8_000, "a tone"),
        "score": Midi(b"MThd1234", "a score"),
        "motion": Animation(np.linspace(-1, 1, 72).reshape(2, 6, 6, 1), 0.1, "two frames"),
        "boxes": AnnotatedImages(np.zeros((1, 8, 8, 1)), ((LabeledBox(1, 1, 5, 5, "cat"),),)),
    }
    logged = {
        f"eval/{name}": LoggedFile(
            KINDS[type(artifact)],
            encode_artifact(folder, name, 5, artifact, {}).write(),
            artifact.caption,
        )
        for name, artifact in samples.items()
    }
    table = DataTable(("name", "value"), (("a", 1.5), (2, "mixed")))
    tracker, lines = _open("offline", folder)
    tracker.log(5, logged | {"eval/table": table})
    tracker.finish("finished", {})

    (history,) = (record.history for record in _records(folder) if record.HasField("history"))
    values = _values(history.item)
    assert lines == []
    types = {name: values[f"eval/{name}/_type"] for name in ("tone", "motion", "boxes", "table")}
    assert types == {
        "tone": "audio-file",
        "motion": "video-file",
        "boxes": "image-file",
        "table": "table-file",
    }
    assert (values["eval/tone/caption"], values["eval/motion/caption"]) == ("a tone", "two frames")
    assert values["eval/score"] == "scores/score_00000005.mid"
    (files,) = folder.glob("wandb/offline-run-*/files")
    stored = files / values["eval/tone/path"]
    assert stored.read_bytes() == (folder / "sounds" / "tone_00000005.wav").read_bytes()
    assert (files / "scores" / "score_00000005.mid").read_bytes() == b"MThd1234"
    shown = json.loads((files / values["eval/table/path"]).read_text())
    assert (shown["columns"], shown["data"]) == (["name", "value"], [["a", 1.5], [2, "mixed"]])


def test_without_a_key_auto_is_offline_and_online_is_refused_in_one_line(sdk, folder):
    tracker, lines = _open("auto", folder)
    tracker.finish("finished", {})
    assert (tracker.mode, lines) == ("offline", [])
    with pytest.raises(TrackingError, match="no API key; run `wandb login`") as refusal:
        _open("online", folder)
    assert "\n" not in str(refusal.value)


def test_a_resumed_run_keeps_its_id(sdk, folder):
    tracker, _ = _open("offline", folder)
    tracker.log(300, {"train/loss": 0.1})
    tracker.finish("finished", {})
    run = next(record.run for record in _records(folder) if record.HasField("run"))
    assert (run.run_id, run.resume) == ("abcd1234", True)


def test_a_resumed_offline_run_gets_everything_unless_it_was_uploaded(sdk, folder):
    """`wandb sync` appends the sessions of a run to each other, so no step may be in two."""
    tracker, _ = _open("offline", folder)
    tracker.log(10, {"train/loss": 0.5})
    tracker.log(20, {"train/loss": 0.25})
    tracker.finish("interrupted", {})
    (first,) = folder.glob("wandb/offline-run-*")
    sdk.teardown()
    tracker, lines = _open("offline", folder)
    assert (tracker.first_missing_step, lines) == (0, [])
    assert (folder / "wandb" / "superseded" / first.name / "run-abcd1234.wandb").is_file()
    tracker.log(30, {"train/loss": 0.125})
    tracker.finish("interrupted", {})
    sdk.teardown()
    (second,) = folder.glob("wandb/offline-run-*")
    (second / "run-abcd1234.wandb.synced").touch()
    tracker, _ = _open("offline", folder)
    tracker.finish("finished", {})
    assert tracker.first_missing_step == 31
    assert second.is_dir()


def test_another_run_in_the_same_folder_is_left_alone(sdk, folder, monkeypatch):
    monkeypatch.setenv("WANDB_DIR", str(folder / "all"))
    for run_id in ("one12345", "two12345"):
        tracker, _ = _open("offline", folder, NAMED._replace(run_id=run_id))
        tracker.finish("finished", {})
    found = sorted(path.name for path in folder.glob("all/wandb/offline-run-*/run-*.wandb"))
    assert found == ["run-one12345.wandb", "run-two12345.wandb"]
    assert not (folder / "wandb").exists()


def test_checkpoint_and_report_are_stored_as_artifacts(sdk, folder):
    checkpoint, report = folder / "checkpoints" / "20", folder / "report.html"
    checkpoint.mkdir(parents=True)
    (checkpoint / "state.bin").write_bytes(b"state")
    report.write_text("a report")
    tracker, lines = _open("offline", folder, stores_artifacts=True)
    tracker.finish("finished", {}, {"model": checkpoint, "report": report})
    report.write_text("written again, before `wandb sync`")
    assert lines == []
    stored = [record.artifact for record in _records(folder) if record.HasField("artifact")]
    assert {artifact.name: artifact.type for artifact in stored} == {
        "model-abcd1234": "model",
        "report-abcd1234": "report",
    }
    for artifact, name, content in zip(
        sorted(stored, key=lambda artifact: artifact.type),
        ("state.bin", "report.html"),
        (b"state", b"a report"),
        strict=True,
    ):
        (entry,) = artifact.manifest.contents
        assert (entry.path, Path(entry.local_path).read_bytes()) == (name, content)
        assert Path(entry.local_path).is_relative_to(folder)
        assert "final" in artifact.aliases


def test_a_server_that_never_answers_is_given_up_at_the_limit(sdk, folder, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
        tracker, lines = _open("auto", folder, time_limit=2.0)
        tracker.log(1, {"train/loss": 1.0})
        tracker.finish("finished", {})
        sdk.teardown()
    assert tracker.mode == "offline"
    assert len(lines) == 1
    assert "W&B is not reached" in lines[0]
    assert "\n" not in lines[0]


def test_a_server_asked_for_by_name_that_never_answers_is_refused(sdk, folder, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
        with pytest.raises(TrackingError, match="cannot track online"):
            _open("online", folder, time_limit=1.0)
        sdk.teardown()


def test_a_key_that_wandb_refuses_leaves_auto_offline(sdk, folder, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "short")
    tracker, lines = _open("auto", folder)
    tracker.finish("finished", {})
    assert tracker.mode == "offline"
    assert len(lines) == 1


def test_without_wandb_auto_goes_on_untracked_and_the_others_refuse(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    tracker, lines = _open("auto", folder)
    tracker.log(1, {"train/loss": 1.0})
    tracker.finish("finished", {})
    assert (tracker.mode, len(lines)) == ("disabled", 1)
    for mode in ("offline", "online"):
        with pytest.raises(TrackingError, match=f"cannot track {mode}"):
            _open(mode, folder)


def test_disabled_touches_neither_wandb_nor_the_disk(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    tracker, lines = _open("disabled", folder, None)
    tracker.log(1, {"train/loss": 1.0})
    tracker.finish("finished", {})
    assert (tracker.mode, lines, list(folder.iterdir())) == ("disabled", [], [])


class _FakeRun:
    id, url, starting_step = "fake", "https://example.org/fake", 700

    def __init__(self, broken, folder):
        self.settings = types.SimpleNamespace(sync_dir=folder / "wandb" / "offline-run-1-fake")
        self.broken, self.summary, self.logged, self.exit_codes = broken, {}, [], []

    def log(self, values, step):
        if "log" in self.broken:
            raise ConnectionError("the disk\nis full")
        self.logged.append((step, values))

    def finish(self, exit_code):
        self.exit_codes.append(exit_code)
        if "finish" in self.broken:
            raise ConnectionError("gone")


def _fake_wandb(monkeypatch, folder, broken=()):
    fake, run = types.ModuleType("wandb"), _FakeRun(broken, folder)
    fake.Settings = lambda **settings: settings
    fake.setup = lambda settings: None
    fake.login = lambda prompt, verify: not prompt and not verify
    fake.init = lambda **arguments: run
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return run


def test_with_a_key_auto_is_online_and_gives_the_address(folder, monkeypatch):
    _fake_wandb(monkeypatch, folder)
    tracker, lines = _open("auto", folder)
    assert (tracker.mode, tracker.url, lines) == ("online", "https://example.org/fake", [])


def test_online_the_server_says_which_steps_it_lacks(folder, monkeypatch):
    _fake_wandb(monkeypatch, folder)
    assert _open("auto", folder)[0].first_missing_step == 700


def test_a_value_that_wandb_cannot_read_is_said_once_and_the_others_are_logged(folder, monkeypatch):
    run = _fake_wandb(monkeypatch, folder)

    def unreadable(path, caption):
        raise OSError("cannot identify image file")

    sys.modules["wandb"].Image = unreadable
    tracker, lines = _open("offline", folder)
    picture = LoggedFile(artifacts.IMAGES, folder / "images" / "a_00000001.png")
    for step in (1, 2):
        tracker.log(step, {"eval/a": picture, "train/loss": 0.5})
    assert run.logged == [(1, {"train/loss": 0.5}), (2, {"train/loss": 0.5})]
    assert lines == ["W&B lacks eval/a at step 1 (cannot identify image file)"]


def test_a_failure_in_training_is_announced_once_and_training_goes_on(folder, monkeypatch):
    run = _fake_wandb(monkeypatch, folder, broken=("log", "finish"))
    tracker, lines = _open("offline", folder)
    for step in range(3):
        tracker.log(step, {"train/loss": 1.0})
    tracker.finish("finished", {})
    assert lines == ["W&B failed at step 0 (the disk is full); the run continues untracked"]
    assert run.exit_codes == [0]


def test_an_upload_that_does_not_end_is_announced(folder, monkeypatch):
    _fake_wandb(monkeypatch, folder, broken=("finish",))
    tracker, lines = _open("online", folder)
    tracker.finish("finished", {})
    assert lines == ["W&B did not finish (gone); the rest is on the disk"]


@pytest.mark.parametrize(("status", "code"), [("finished", 0), ("interrupted", 130), ("failed", 1)])
def test_a_run_ends_once_with_the_code_of_its_status(folder, monkeypatch, status, code):
    run = _fake_wandb(monkeypatch, folder)
    tracker, _ = _open("offline", folder)
    tracker.finish(status, {"eval/parzen": 1.0})
    tracker.finish("finished", {})
    tracker.log(1, {"train/loss": 1.0})
    assert (run.exit_codes, run.logged) == ([code], [])
    assert run.summary == {"eval/parzen": 1.0, "status": status}


def test_an_interruption_is_not_swallowed(folder, monkeypatch):
    run = _fake_wandb(monkeypatch, folder)
    tracker, _ = _open("offline", folder)

    def interrupted(values, step):
        raise KeyboardInterrupt

    run.log = interrupted
    with pytest.raises(KeyboardInterrupt):
        tracker.log(1, {"train/loss": 1.0})
