"""Steps per second of the loop here beside plain PyTorch and beside a bare jitted loop.

    pip install -e '.[torch]' && python -m benchmarks.training_speed

One process, rounds interleaved, medians; the loop's own work (key folding, logging to the run's
folder, checkpoints) is in its time. Data are random pixels in memory: speed does not depend on
them.
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import torch

from benchmarks import torch_loops, vae_sized
from experiments import gan_mnist
from lecture_models.data.dataset import Dataset, Provenance, Split
from lecture_models.runtime import window as windows
from lecture_models.runtime.checkpoint import Checkpoints
from lecture_models.runtime.experiment import Experiment
from lecture_models.runtime.loop import Cadence, Hooks, train
from lecture_models.runtime.progress import open_progress
from lecture_models.runtime.recorder import Recorder
from lecture_models.runtime.report import write_report
from lecture_models.runtime.run_folder import RunFolder
from lecture_models.runtime.tracking import open_tracker

ROUNDS = 3
NUM_STEPS = {"gan_mnist": 1_000, "VAE 784-400-20": 2_000}
LOG_EVERY = 100
CHECKPOINT_EVERY = 2_500
BATCH_SIZE = 128


class RandomPixels:
    """Stands in for the library: a data set of MNIST's shape."""

    def __init__(self):
        images = np.random.default_rng(0).uniform(-1, 1, (20_000, 28, 28, 1)).astype(np.float32)
        split = Split(images, np.zeros(len(images), np.int32))
        self.dataset = Dataset(split, split, split, ("0",), Provenance("random", "made here", ()))

    def load(self, names: str) -> Dataset:
        return self.dataset


@contextlib.contextmanager
def a_recorder(num_steps: int) -> Iterator[tuple[RunFolder, Recorder]]:
    """As of a run without W&B, in a folder that goes away."""
    with (
        tempfile.TemporaryDirectory() as path,
        contextlib.closing(RunFolder(Path(path))) as folder,
        Path("/dev/null").open("w") as nowhere,
    ):
        tracker = open_tracker("disabled", folder=folder.path, project="", experiment="", config={})
        yield folder, Recorder(folder, tracker, open_progress(num_steps, nowhere), {})


def seconds_of_a_log_point(num_metrics: int = 4, repetitions: int = 1_000) -> float:
    """What the host does at one: fetches the window, writes the line, updates the progress."""
    names = [f"metric_{index}" for index in range(num_metrics)]
    window = windows.empty(num_metrics)._replace(count=jax.numpy.int32(1))
    with a_recorder(repetitions) as (_, recorder):
        began = time.perf_counter()
        for step in range(1, repetitions + 1):
            fresh = window._replace(totals=window.totals + 0.0)  # Nothing is cached on the host.
            recorder.train(step, windows.means(fresh, names))
        return (time.perf_counter() - began) / repetitions


def seconds_in_the_loop(experiment: Experiment, num_steps: int) -> float:
    """Per step, checkpoints and logging included, the first dispatch left out."""
    cadence = Cadence(num_steps, LOG_EVERY, num_steps + 1, CHECKPOINT_EVERY)
    quiet = experiment._replace(evaluate=lambda state, key: {}, best=None)
    with (
        a_recorder(num_steps) as (folder, recorder),
        contextlib.closing(Checkpoints(folder.checkpoints, print)) as checkpoints,
    ):
        began = []
        hooks = Hooks(
            on_first_dispatch=lambda: began.append(time.perf_counter()),
            on_stop=lambda step: write_report(folder.path),
        )
        train(quiet, cadence, 0, checkpoints, recorder, hooks)
        return (time.perf_counter() - began[0]) / (num_steps - 1)


def seconds_bare(experiment: Experiment, num_steps: int) -> float:
    """Per step of `experiment.step`, jitted, and nothing else: the same batches, one key."""
    step = jax.jit(experiment.step, donate_argnums=0)
    batches = experiment.batches(0)
    state = jax.jit(experiment.init)(jax.random.key(0))
    key = jax.random.key(1)
    state, _ = jax.block_until_ready(step(state, next(batches), key))
    began = time.perf_counter()
    for _ in range(num_steps - 1):
        state, metrics = step(state, next(batches), key)
    jax.block_until_ready((state, metrics))
    return (time.perf_counter() - began) / (num_steps - 1)


def seconds_in_torch(step: torch_loops.Step, experiment: Experiment, num_steps: int) -> float:
    """Per step, on the same batches; nothing is logged or saved."""
    images = torch.from_numpy(experiment.batches.arrays["images"])
    step(images[experiment.batches.indices(0)])
    began = time.perf_counter()
    for index in range(1, num_steps):
        step(images[experiment.batches.indices(index)])
    return (time.perf_counter() - began) / (num_steps - 1)


def gigaflops_jax(size: int = 2_000) -> float:
    """What the machine gives at most: no net of matrix products is faster than these."""
    square = jax.numpy.ones((size, size))
    multiply = jax.jit(lambda a: a @ a)
    return _gigaflops(size, lambda: jax.block_until_ready(multiply(square)))


def gigaflops_torch(size: int = 2_000) -> float:
    square = torch.ones(size, size)
    return _gigaflops(size, lambda: square @ square)


def _gigaflops(size: int, multiply: Callable[[], object]) -> float:
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        multiply()
        seconds.append(time.perf_counter() - began)
    return 2e-9 * size**3 / statistics.median(seconds)


def compare(name: str, experiment: Experiment, torch_step: torch_loops.Step) -> None:
    """Prints medians over interleaved rounds; a ratio is the median of the rounds' ratios."""
    num_steps = NUM_STEPS[name]
    contestants: dict[str, Callable[[], float]] = {
        "loop": lambda: seconds_in_the_loop(experiment, num_steps),
        "bare": lambda: seconds_bare(experiment, num_steps),
        "torch": lambda: seconds_in_torch(torch_step, experiment, num_steps),
    }
    rounds = [{who: run() for who, run in contestants.items()} for _ in range(ROUNDS)]
    for who in contestants:
        print(f"{name}: {who} {1 / statistics.median(r[who] for r in rounds):.1f} steps/s")
    against_torch = statistics.median(r["torch"] / r["loop"] for r in rounds)
    overhead = statistics.median(r["loop"] / r["bare"] - 1 for r in rounds)
    overheads = ", ".join(f"{100 * (each['loop'] / each['bare'] - 1):.1f}" for each in rounds)
    per_log = statistics.median(r["loop"] for r in rounds) * LOG_EVERY
    logging = seconds_of_a_log_point() / per_log
    print(
        f"{name}: {against_torch:.2f}x PyTorch; the loop costs {100 * overhead:.1f}% over a bare "
        f"one (rounds: {overheads}), "
        f"its log points {100 * logging:.2f}%"
    )


def main() -> None:
    library = RandomPixels()
    print(f"jax {jax.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"matrix products, GFLOP/s: {gigaflops_jax():.0f} jax, {gigaflops_torch():.0f} torch")
    config = gan_mnist.Config()
    compare("gan_mnist", gan_mnist.build(config, library), torch_loops.gan(config))
    compare(
        "VAE 784-400-20",
        vae_sized.build(library.dataset.train.images, BATCH_SIZE),
        torch_loops.vae(vae_sized.HIDDEN, vae_sized.LATENT_DIM, vae_sized.LEARNING_RATE),
    )


if __name__ == "__main__":
    main()
