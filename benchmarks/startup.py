"""Measures the seconds from the start of a process to the first training step, with a warm cache.

    python -m benchmarks.startup [--data_dir=DIR]

Flags are passed to the run. The first start fills the compilation cache and is printed separately.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTS = 5


def seconds_to_first_step(flags: list[str]) -> float:
    """Returns the seconds from the start of the process to the first step.

    A run's own clock starts with launch.py, so the start of the interpreter is measured and added.
    """
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    interpreter = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        short = ("--num_steps=1", "--num_samples=2", "--extractor_steps=1", f"--workdir={folder}")
        subprocess.run(
            [sys.executable, "launch.py", "--experiment=gan_mnist", *short, *flags],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        summary = json.loads((Path(folder) / "summary.json").read_text("utf-8"))
    return interpreter + summary["startup_s"]


def main() -> None:
    flags = sys.argv[1:]
    print(f"first start: {seconds_to_first_step(flags):.1f} s")
    later = [seconds_to_first_step(flags) for _ in range(STARTS)]
    print(
        f"{STARTS} more starts: median {statistics.median(later):.1f} s, "
        f"from {min(later):.1f} to {max(later):.1f} s"
    )


if __name__ == "__main__":
    main()
