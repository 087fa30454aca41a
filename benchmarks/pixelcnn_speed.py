"""Compares PixelCNN's training step with the same network in plain PyTorch, and two ways to draw.

    pip install -e '.[torch]' && python -m benchmarks.pixelcnn_speed

All run in one process in interleaved rounds; medians are printed. Both networks have the same
layers; PyTorch's masked filters are whole ones, as in its public implementations. Results are only
valid if nothing else runs on the machine.
"""

import functools
import statistics
import time

import jax
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.training_speed import RandomPixels
from experiments import pixelcnn_mnist
from lecture_models.evaluators.pixel_sampling import draw, draw_from_caches, pixel_model
from lecture_models.nn.cpu.convolutions import faster_convolutions
from lecture_models.training.process_setup import tune_for_cpu

ROUNDS = 5
NUM_STEPS = 60
DRAWN = 16  # Images of one call.


class MaskedConvolution(nn.Conv2d):
    """Convolves with a filter whose weights of later pixels are set to 0 at each call."""

    def __init__(self, fan_in: int, features: int, size: int, sees_own: bool):
        super().__init__(fan_in, features, size, padding=size // 2)
        mask = torch.ones(size, size)
        mask[size // 2, size // 2 + int(sees_own) :] = 0
        mask[size // 2 + 1 :] = 0
        self.register_buffer("mask", mask)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class Block(nn.Module):
    """Computes a residual block of PixelCNN."""

    def __init__(self, features: int, size: int):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.ReLU(), nn.Conv2d(2 * features, features, 1)),
            *(nn.ReLU(), MaskedConvolution(features, features, size, True)),
            *(nn.ReLU(), nn.Conv2d(features, 2 * features, 1)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


def torch_step(config: pixelcnn_mnist.Config):
    """Returns a function of a batch that takes one step of PyTorch's network."""
    h = config.features
    blocks = (Block(h, config.filter_size) for _ in range(config.num_layers))
    model = nn.Sequential(
        MaskedConvolution(1, 2 * h, config.first_size, False),
        *blocks,
        *(nn.ReLU(), nn.Conv2d(2 * h, config.head_features, 1)),
        *(nn.ReLU(), nn.Conv2d(config.head_features, 1, 1)),
    )
    optimizer = torch.optim.Adam(model.parameters(), config.learning_rate)

    def step(images: torch.Tensor) -> None:
        optimizer.zero_grad()
        bits = (images + 1) / 2
        loss = functional.binary_cross_entropy_with_logits(model(images), bits, reduction="sum")
        (loss / len(images)).backward()
        optimizer.step()

    return step


def seconds_in_torch(step, images: torch.Tensor, batches) -> float:
    """Measures PyTorch's seconds per step."""
    step(images[batches.indices(0)])
    began = time.perf_counter()
    for index in range(NUM_STEPS):
        step(images[batches.indices(index)])
    return (time.perf_counter() - began) / NUM_STEPS


def seconds_here(step, experiment) -> float:
    """Measures the seconds of this project's step, compiled before the clock starts."""
    state = jax.jit(experiment.init)(jax.random.key(0))
    batches, key = experiment.batches(0), jax.random.key(1)
    state, _ = jax.block_until_ready(step(state, next(batches), key))
    began = time.perf_counter()
    for _ in range(NUM_STEPS):
        state, metrics = step(state, next(batches), key)
    jax.block_until_ready((state, metrics))
    return (time.perf_counter() - began) / NUM_STEPS


def compare_training(config: pixelcnn_mnist.Config) -> None:
    """Prints the medians of both steps and of the rounds' ratios."""
    experiment = pixelcnn_mnist.build(config, RandomPixels())
    step = jax.jit(faster_convolutions()(experiment.step), donate_argnums=0)
    images = torch.from_numpy(experiment.batches.arrays["images"]).permute(0, 3, 1, 2).contiguous()
    other = torch_step(config)
    rounds = [
        (seconds_here(step, experiment), seconds_in_torch(other, images, experiment.batches))
        for _ in range(ROUNDS)
    ]
    here, torch_seconds = (1e3 * statistics.median(times) for times in zip(*rounds, strict=True))
    ratios = [theirs / own for own, theirs in rounds]
    print(
        f"filters {config.first_size} and {config.filter_size}, batch {config.batch_size}: "
        f"{here:.1f} ms a step, PyTorch {torch_seconds:.1f} ms; speed over that of PyTorch "
        f"{statistics.median(ratios):.2f} (rounds: {', '.join(f'{r:.2f}' for r in ratios)})"
    )


def compare_drawing(config: pixelcnn_mnist.Config) -> None:
    """Prints the seconds of both ways to draw, and whether they draw the same pixels."""
    network = pixelcnn_mnist.make_network(config, 0)
    blank = np.zeros((DRAWN, 28, 28, 1), np.float32)
    variables = jax.jit(network.init)(jax.random.key(0), blank)
    variables = {"params": variables["params"]}
    model, seconds, drawn = pixel_model(network, 2), {}, {}
    for name, by in (("naive", draw), ("from caches", draw_from_caches)):
        compiled = jax.jit(functools.partial(by, model))
        drawn[name] = jax.block_until_ready(compiled(variables, jax.random.key(1), blank))
        began = time.perf_counter()
        jax.block_until_ready(compiled(variables, jax.random.key(1), blank))
        seconds[name] = time.perf_counter() - began
    same = bool((drawn["naive"] == drawn["from caches"]).all())
    print(
        f"{type(network).__name__}, {DRAWN} images: naive {seconds['naive']:.2f} s, from caches "
        f"{seconds['from caches']:.2f} s, {seconds['naive'] / seconds['from caches']:.1f} times "
        f"faster; the same pixels: {same}"
    )


def main() -> None:
    tune_for_cpu()
    print(f"jax {jax.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    default = pixelcnn_mnist.Config(outside="")
    compare_training(default)
    published = {"first_size": 7, "filter_size": 3, "batch_size": 32}
    compare_training(pixelcnn_mnist.Config(outside="", **published))
    compare_drawing(default)
    compare_drawing(pixelcnn_mnist.Config(outside="", gated=True, **published))


if __name__ == "__main__":
    main()
