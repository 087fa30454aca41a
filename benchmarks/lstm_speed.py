"""Compares an LSTM's training step with PyTorch's, and with its matrix products alone.

    pip install -e '.[torch]' && python -m benchmarks.lstm_speed

256 inputs, 256 features, 64 steps, a batch of 64: forward, backward, and nothing else. Both run in
one process in interleaved rounds; medians are printed. Results on several cores are only valid if
nothing else runs on the machine: PyTorch's threads wait for each other. On one core (`taskset -c 0
python -m benchmarks.lstm_speed`) the time of the process is measured, which other work disturbs
less.
"""

import functools
import os
import statistics
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import torch

from lecture_models.nn.recurrent import RecurrentLayer
from lecture_models.training.process_setup import tune_for_cpu

FEATURES, INPUTS, TIME, BATCH = 256, 256, 64, 64
ROUNDS = 9
UNROLLS = (1, 2, 4, 8)


def ours(unroll: int) -> Callable[[], object]:
    """Returns a call that computes the gradient of all weights with this project's layer."""
    layer = RecurrentLayer(FEATURES, unroll=unroll)
    inputs = jax.random.normal(jax.random.key(0), (BATCH, TIME, INPUTS))
    variables = layer.init(jax.random.key(1), inputs)

    def loss(variables, inputs):
        return jnp.square(layer.apply(variables, inputs)[1]).mean()

    gradient = jax.jit(jax.grad(loss))
    return lambda: jax.block_until_ready(gradient(variables, inputs))


def torchs() -> Callable[[], object]:
    """Returns a call that computes the same with PyTorch's layer."""
    layer = torch.nn.LSTM(INPUTS, FEATURES, batch_first=True)
    inputs = torch.randn(BATCH, TIME, INPUTS)

    def call():
        layer.zero_grad()
        layer(inputs)[0].square().mean().backward()

    return call


def products() -> Callable[[], object]:
    """Returns a call that takes only the matrix products of forward and backward, each in one."""
    rows, gates = BATCH * TIME, 4 * FEATURES
    states, slopes = jnp.ones((rows, FEATURES)), jnp.ones((rows, gates))
    kernel = jnp.ones((FEATURES, gates))

    @jax.jit
    def multiply(states, slopes, kernel):
        # The input product and the recurrent one; their gradients by weights and by the state.
        forward = states @ kernel, (2.0 * states) @ kernel
        backward = states.T @ slopes, (2.0 * states).T @ slopes, slopes @ kernel.T
        return sum(product.sum() for product in (*forward, *backward))

    return functools.partial(_wait, multiply, states, slopes, kernel)


def _wait(function: Callable, *arguments: jax.Array) -> object:
    return jax.block_until_ready(function(*arguments))


def main() -> None:
    tune_for_cpu()
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    clock = time.process_time if cores == 1 else time.perf_counter
    contestants = {f"ours, unroll {unroll}": ours(unroll) for unroll in UNROLLS}
    contestants |= {"PyTorch": torchs(), "matrix products alone": products()}
    print(f"jax {jax.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    for call in contestants.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, call in contestants.items():
            began = clock()
            call()
            seconds[name].append(clock() - began)
    for name, times in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(seconds["PyTorch"], times, strict=True))
        print(
            f"{name:22} {1e3 * statistics.median(times):7.1f} ms, PyTorch's time / its {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
