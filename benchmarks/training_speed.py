"""Compares the steps per second of the training loop with plain PyTorch and a bare jitted loop.

    pip install -e '.[torch]' && python -m benchmarks.training_speed

All run in one process in interleaved rounds; medians are printed. The loop's time includes its own
work: key folding, logging to the run's folder, checkpoints. Data are random pixels in memory,
because speed does not depend on them. Results are only valid if nothing else runs on the machine:
beside one other busy process PyTorch's threads wait for each other, and lose far more than XLA's.
"""

import contextlib
import functools
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
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset, Provenance, Split
from lecture_models.experiment import Cadence, Experiment
from lecture_models.reports.run_page import write_report
from lecture_models.runs.folder import RunFolder
from lecture_models.training import metric_window as windows
from lecture_models.training.checkpoint import Checkpoints
from lecture_models.training.loop import Hooks, train
from lecture_models.training.process_setup import tune_for_cpu
from lecture_models.training.progress import open_progress
from lecture_models.training.recorder import RunRecorder
from lecture_models.training.wandb_tracker import open_tracker

ROUNDS = 5
NUM_IMAGES = 60_000  # MNIST's training file.
BATCH_SIZE = 128
EPOCH = NUM_IMAGES // BATCH_SIZE
NUM_STEPS = {
    "gan_mnist": 1_000,
    # Three epochs, so that the final checkpoint and report are spread over more than one.
    "VAE 784-400-20, gray values": 3 * EPOCH,
    "VAE 784-400-20, new bits": 3 * EPOCH,
}
LOG_EVERY = 100
CHECKPOINT_EVERY = 2_500


class RandomPixels:
    """Replaces the data set library by one data set of random pixels in MNIST's shape."""

    def __init__(self):
        images = 2 * np.random.default_rng(0).random((NUM_IMAGES, 28, 28, 1), np.float32) - 1
        split = Split.labeled_images(images, np.zeros(len(images), np.int32))
        self.dataset = Dataset(split, split, split, ("0",), Provenance("random", "generated", ()))

    def load(self, names: str) -> Dataset:
        return self.dataset


@contextlib.contextmanager
def open_recorder(num_steps: int) -> Iterator[tuple[RunFolder, RunRecorder]]:
    """Opens the recorder of a run without W&B, in a temporary folder."""
    with (
        tempfile.TemporaryDirectory() as path,
        contextlib.closing(RunFolder(Path(path))) as folder,
        Path("/dev/null").open("w") as nowhere,
    ):
        tracker = open_tracker("disabled", folder=folder.path, project="", experiment="", config={})
        yield folder, RunRecorder(folder, tracker, open_progress(num_steps, nowhere), {})


def seconds_of_a_log_point(num_metrics: int = 4, repetitions: int = 1_000) -> float:
    """Measures the host's seconds per log point.

    The host fetches the metric window, writes the line of the log, and updates the progress
    display.
    """
    names = [f"metric_{index}" for index in range(num_metrics)]
    window = windows.empty(num_metrics)._replace(count=jax.numpy.int32(1))
    with open_recorder(repetitions) as (_, recorder):
        began = time.perf_counter()
        for step in range(1, repetitions + 1):
            totals = window.totals + 0.0  # A new array, which has no copy on the host yet.
            fresh = window._replace(totals=totals)
            recorder.train(step, windows.means(fresh, names))
        return (time.perf_counter() - began) / repetitions


def seconds_in_the_loop(experiment: Experiment, num_steps: int) -> float:
    """Measures the loop's seconds per step after the first, checkpoints and logging included."""
    cadence = Cadence(num_steps, LOG_EVERY, num_steps + 1, CHECKPOINT_EVERY)
    quiet = experiment._replace(evaluate=lambda state, key: {}, best=None)
    with (
        open_recorder(num_steps) as (folder, recorder),
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
    """Measures the seconds per step of the jitted step alone, with one key for all steps."""
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


def seconds_in_torch(
    step: torch_loops.Step, images: torch.Tensor, batches: ArrayBatches, num_steps: int
) -> float:
    """Measures PyTorch's seconds per step on the same batches, without logging and checkpoints."""
    step(images[batches.indices(0)])
    began = time.perf_counter()
    for index in range(1, num_steps):
        step(images[batches.indices(index)])
    return (time.perf_counter() - began) / (num_steps - 1)


def gigaflops_jax(size: int = 2_000) -> float:
    """Measures JAX's GFLOP/s of a matrix product, the upper limit for dense networks."""
    square = jax.numpy.ones((size, size))
    multiply = jax.jit(lambda a: a @ a)
    return _gigaflops(size, lambda: jax.block_until_ready(multiply(square)))


def gigaflops_torch(size: int = 2_000) -> float:
    """Measures PyTorch's GFLOP/s of a matrix product."""
    square = torch.ones(size, size)
    return _gigaflops(size, lambda: square @ square)


def _gigaflops(size: int, multiply: Callable[[], object]) -> float:
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        multiply()
        seconds.append(time.perf_counter() - began)
    return 2e-9 * size**3 / statistics.median(seconds)


def compare(
    name: str, experiment: Experiment, torch_steps: dict[str, torch_loops.Step], unit: bool = False
) -> None:
    """Prints median speeds over interleaved rounds, and the medians of the rounds' ratios.

    Args:
        name: a key of `NUM_STEPS`.
        experiment: the experiment that the loop and the bare loop train.
        torch_steps: PyTorch's steps by name.
        unit: whether PyTorch's images are in [0, 1] rather than [-1, 1]; they are converted before
            the clock starts.
    """
    num_steps = NUM_STEPS[name]
    images = torch.from_numpy(experiment.batches.arrays["images"])
    images = (images + 1) / 2 if unit else images
    contestants: dict[str, Callable[[], float]] = {
        "loop": lambda: seconds_in_the_loop(experiment, num_steps),
        "bare": lambda: seconds_bare(experiment, num_steps),
    }
    for who, step in torch_steps.items():
        contestants[who] = functools.partial(
            seconds_in_torch, step, images, experiment.batches, num_steps
        )
    rounds = [{who: run() for who, run in contestants.items()} for _ in range(ROUNDS)]
    for who in contestants:
        seconds = statistics.median(times[who] for times in rounds)
        print(f"{name}: {who} {1 / seconds:.1f} steps/s, {EPOCH * seconds:.2f} s for {EPOCH} steps")
    for who in torch_steps:
        ratio = statistics.median(times[who] / times["loop"] for times in rounds)
        shown = _ratios(rounds, who, "loop")
        print(f"{name}: the loop's speed over that of {who}: {ratio:.2f} (rounds: {shown})")
    overhead = statistics.median(times["loop"] / times["bare"] - 1 for times in rounds)
    per_log = statistics.median(times["loop"] for times in rounds) * LOG_EVERY
    print(
        f"{name}: the loop takes {100 * overhead:.1f}% more time than a bare one (ratios: "
        f"{_ratios(rounds, 'loop', 'bare')}); its log points take "
        f"{100 * seconds_of_a_log_point() / per_log:.2f}%"
    )


def _ratios(rounds: list[dict[str, float]], who: str, to: str) -> str:
    return ", ".join(f"{times[who] / times[to]:.2f}" for times in rounds)


def print_peaks() -> None:
    print(f"matrix products, GFLOP/s: {gigaflops_jax():.0f} JAX, {gigaflops_torch():.0f} PyTorch")


def main() -> None:
    tune_for_cpu()
    library = RandomPixels()
    print(f"jax {jax.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    print_peaks()
    config = gan_mnist.Config()
    gan = gan_mnist.build(config, library)
    compare("gan_mnist", gan, {"PyTorch": torch_loops.gan(config)})
    print_peaks()
    sizes = (vae_sized.HIDDEN, vae_sized.LATENT_DIM, vae_sized.LEARNING_RATE)
    images = library.dataset.train.images
    for name, binary in (("gray values", False), ("new bits", True)):
        torch_steps = {
            "PyTorch's example": torch_loops.vae(*sizes, binary),
            "PyTorch from logits": torch_loops.vae(*sizes, binary, logits=True),
        }
        experiment = vae_sized.build(images, BATCH_SIZE, binary)
        compare(f"VAE 784-400-20, {name}", experiment, torch_steps, unit=True)
        print_peaks()


if __name__ == "__main__":
    main()
