"""Writes the folders of past runs without training."""

import json

RECORD = {
    "experiment": "linear_ae_mnist",
    "title": "A run.",
    "preset": "smoke",
    "config": {"seed": 0, "learning_rate": 0.005, "code_dims": [2, 3]},
    "data": [
        {
            "dataset": "digits",
            "source": "scikit-learn",
            "note": "",
            "files": [{"path": "digits.csv.gz", "sha256": "a" * 64}],
        }
    ],
    "sessions": [],
    "command": "python launch.py --experiment=linear_ae_mnist --preset=smoke",
    "resume_command": "python launch.py --experiment=linear_ae_mnist --workdir=here",
    "started": "2026-01-01T00:00:00+00:00",
    "wandb": {"mode": "disabled", "run_id": None, "url": None},
    "git": {"commit": "0" * 40, "dirty": False},
    "versions": {"python": "3.11.0", "jax": "0.10.2"},
    "device": {"platform": "cpu", "kind": "a CPU", "cores": 2},
}


def write_past_run(folder, metrics=None, status="finished", config=None, **record):
    """Writes config.json and summary.json of a run, with defaults for what is not given."""
    folder.mkdir(parents=True)
    content = RECORD | record | {"config": RECORD["config"] | (config or {})}
    (folder / "config.json").write_text(json.dumps(content))
    metrics = {"eval/loss": 1.0, "train/loss": 2.0} if metrics is None else metrics
    summary = {"status": status, "step": 6, "num_steps": 6, "metrics": metrics, "error": None}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder
