"""Measures how long the report of a long run takes to write.

    python -m benchmarks.report_speed

The run has 5,000 log points of three metrics and 30 images. The first report also imports Jinja2
and compiles the templates.
"""

import json
import math
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from lecture_models.plots.png import write_png
from lecture_models.reports.run_page import write_report

STEPS, IMAGES, ROUNDS = 5_000, 30, 5


def write_long_run(folder: Path) -> None:
    """Writes the record of a run that was never trained."""
    (folder / "images").mkdir()
    config = {"experiment": "benchmark", "title": "A long run.", "config": {"seed": 0}}
    (folder / "config.json").write_text(json.dumps(config))
    summary = {"status": "finished", "step": STEPS, "num_steps": STEPS, "metrics": {}}
    (folder / "summary.json").write_text(json.dumps(summary))
    with (folder / "metrics.jsonl").open("w") as lines:
        for step in range(STEPS):
            train = {"d_loss": math.sin(step), "g_loss": 1.0, "norm": step / 7}
            lines.write(json.dumps({"step": step, "train": train}) + "\n")
    pixels = np.random.default_rng(0).integers(0, 256, (289, 289, 1), np.uint8)
    for step in range(IMAGES):
        write_png(folder / "images" / f"samples_{step:08d}.png", pixels)


def main() -> None:
    """Prints the processor time of the first report and the median of the next ones."""
    with tempfile.TemporaryDirectory() as folder:
        write_long_run(Path(folder))
        seconds = []
        for _ in range(1 + ROUNDS):
            began = time.process_time()
            write_report(Path(folder))
            seconds.append(time.process_time() - began)
    print(f"first report {seconds[0]:.3f} s, later ones {statistics.median(seconds[1:]):.3f} s")


if __name__ == "__main__":
    main()
