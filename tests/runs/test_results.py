import json

import pytest

from lecture_models.runs.results import finished_runs, measurements


def write_run(
    folder,
    seed,
    value,
    status="finished",
    experiment="lenet_mnist",
    preset="paper",
    dataset="mnist",
    note="",
    started="2026-01-01T00:00:00",
    metric="test_error_percent",
    steps_per_second=None,
    platform="cpu",
    **config,
):
    """Writes the record and the summary of a run."""
    folder.mkdir(parents=True)
    record = {
        "experiment": experiment,
        "preset": preset,
        "config": {"seed": seed, "batch_size": 32} | config,
        "data": [{"dataset": dataset, "source": "original files", "note": note, "files": []}],
        "sessions": [],
        "command": "",
        "wandb": {},
        "device": {
            "platform": platform,
            "kind": "a CPU" if platform == "cpu" else "an accelerator",
        },
        "started": started,
    }
    (folder / "config.json").write_text(json.dumps(record))
    summary = {
        "status": status,
        "step": 0,
        "metrics": {f"eval/{metric}": value, "train/loss": 0.1},
        "steps_per_second": steps_per_second,
    }
    (folder / "summary.json").write_text(json.dumps(summary))


def read(runs_dir):
    runs = finished_runs(runs_dir, "lenet_mnist")
    return [measured for _, measured in measurements(runs, "test_error_percent")]


def test_seeds_are_one_measurement_with_the_samples_spread(tmp_path):
    for seed, value in enumerate((0.9, 1.0, 1.1)):
        write_run(tmp_path / "lenet_mnist" / f"run-{seed}", seed, value)
    (found,) = read(tmp_path)
    assert found.mean == pytest.approx(1.0)
    assert found.std == pytest.approx(0.1)
    assert found.count == 3
    assert found.runs == ("lenet_mnist/run-0", "lenet_mnist/run-1", "lenet_mnist/run-2")
    assert found[4:] == ("paper", "mnist (original files)", "", "a CPU")


def test_one_seed_has_no_spread(tmp_path):
    write_run(tmp_path / "run", 0, 0.9)
    (found,) = read(tmp_path)
    assert found.std is None
    assert found.count == 1


def test_runs_that_differ_in_more_than_the_seed_are_measured_separately(tmp_path):
    write_run(tmp_path / "a", 0, 0.9)
    write_run(tmp_path / "b", 1, 0.9, batch_size=64)
    write_run(tmp_path / "c", 2, 0.9, preset="default")
    write_run(tmp_path / "d", 3, 0.9, dataset="digits", note="fallback: mnist absent")
    assert [found.count for found in read(tmp_path)] == [1, 1, 1, 1]
    assert read(tmp_path)[3].note == "fallback: mnist absent"


def test_the_later_of_two_runs_with_one_seed_counts(tmp_path):
    write_run(tmp_path / "b-first", 0, 5.0, started="2026-01-01T00:00:00")
    write_run(tmp_path / "a-second", 0, 1.0, started="2026-01-02T00:00:00")
    (found,) = read(tmp_path)
    assert (found.mean, found.count, found.runs) == (1.0, 1, ("a-second",))


def test_unfinished_damaged_and_other_runs_are_skipped(tmp_path):
    write_run(tmp_path / "running", 0, 0.9, status="running")
    write_run(tmp_path / "failed", 0, 0.9, status="failed")
    write_run(tmp_path / "other", 0, 0.9, experiment="gan_mnist")
    write_run(tmp_path / "half", 0, 0.9)
    (tmp_path / "half" / "summary.json").write_text('{"status": "fin')
    write_run(tmp_path / "no_summary", 0, 0.9)
    (tmp_path / "no_summary" / "summary.json").unlink()
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "config.json").write_text("[1, 2]")
    assert read(tmp_path) == []
    assert read(tmp_path / "nowhere") == []


def test_runs_without_the_metric_are_skipped(tmp_path):
    write_run(tmp_path / "a", 0, 0.9)
    runs = finished_runs(tmp_path, "lenet_mnist")
    assert list(measurements(runs, "accuracy")) == []


def test_folders_behind_links_are_read_once(tmp_path):
    write_run(tmp_path / "elsewhere" / "run", 0, 0.9)
    runs_dir = tmp_path / "runs"
    runs_dir.mkdir()
    (runs_dir / "linked").symlink_to(tmp_path / "elsewhere")
    (runs_dir / "again").symlink_to(runs_dir)
    assert [run.name for run in finished_runs(runs_dir, "lenet_mnist")] == ["linked/run"]


def test_the_first_training_images_alone_are_said(tmp_path):
    write_run(tmp_path / "a", 0, 0.9, train_images=4_000)
    (run,) = finished_runs(tmp_path, "lenet_mnist")
    assert run.data == "mnist (original files), its first 4,000 training images"
