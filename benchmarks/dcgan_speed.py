"""Compares the training step of dcgan_mnist with plain PyTorch.

    pip install -e '.[torch]' && python -m benchmarks.dcgan_speed

Both run in one process in interleaved rounds on random pixels in memory, as in `convolution_speed`,
which says when the results are valid. The step is that of the defaults, and that of the same
networks without a penalty.
"""

import dataclasses

import jax
import jax.numpy as jnp
import torch

from benchmarks import torch_dcgan
from benchmarks.convolution_speed import compare, for_torch, pixels
from experiments import dcgan_mnist
from lecture_models.data.dataset import Dataset, Provenance, Split
from lecture_models.nn.cpu.convolutions import faster_convolutions
from lecture_models.training.process_setup import tune_for_cpu

SHAPE = (28, 28, 1)
NUM_IMAGES = 2_000
REPETITIONS = 20


class RandomPixels:
    """Replaces the library of data sets by one of random pixels in MNIST's shape."""

    def load(self, names: str) -> Dataset:
        split = Split.labeled_images(
            pixels(NUM_IMAGES, *SHAPE).clip(-1.0, 1.0), jnp.zeros(NUM_IMAGES, jnp.int32).__array__()
        )
        return Dataset(split, split, split, ("0",), Provenance("random", "generated", ()))


def compare_step(name: str, config: dcgan_mnist.Config) -> None:
    """Prints the times of both steps, and their ratio."""
    experiment = dcgan_mnist.build(config, RandomPixels())
    step = jax.jit(faster_convolutions()(experiment.step), donate_argnums=0)
    batch = next(experiment.batches(0))
    current, key = [experiment.init(jax.random.key(0))], jax.random.key(1)

    def ours():
        current[0], metrics = step(current[0], batch, key)
        return metrics

    theirs = torch_dcgan.training_step(config, SHAPE)
    images = for_torch(batch["images"])
    compare(name, ours, lambda: theirs(images), REPETITIONS)


def main() -> None:
    tune_for_cpu()
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; jax {jax.__version__}")
    default = dcgan_mnist.Config()
    compare_step("dcgan_mnist", default)
    compare_step("without R1", dataclasses.replace(default, gradient_penalty=0.0))


if __name__ == "__main__":
    main()
