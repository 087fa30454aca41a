"""Measures the seconds and the peak memory of a step of a dream, whole and in tiles.

    python -m benchmarks.dream_speed [SIDE [TILE ...]]

A step computes the energy of `inception_4c/output` and its gradient for a square image of SIDE
pixels (default 2048) at each TILE (default 0, which means whole, and 512), each in a process of its
own. If GoogLeNet's file is missing, random filters take its place; they need the same time.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp

from lecture_models.image_space.objectives import layer_energy
from lecture_models.image_space.terms import View
from lecture_models.models.googlenet import GoogLeNet
from lecture_models.nn.cpu.convolutions import faster_convolutions
from lecture_models.tasks.image_optimization import feature_network
from lecture_models.tasks.tiled_network import Arguments, tiled_network, tiled_value
from lecture_models.training.process_setup import tune_for_cpu
from lecture_models.weights.catalog import CATALOG
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained, expected_shapes
from lecture_models.weights.pretrained import Weights

ROOT = Path(__file__).resolve().parent.parent
LAYER = "inception_4c/output"
STEPS = 2


def googlenet() -> Pretrained:
    """Loads GoogLeNet, or fills it with random filters if its file is missing."""
    try:
        return Weights(None, print).load("googlenet_bvlc")
    except WeightsError:
        model = GoogLeNet(auxiliary=False)
        leaves, structure = jax.tree.flatten(expected_shapes(model))
        keys = jax.random.split(jax.random.key(0), len(leaves))
        random = [
            0.05 * jax.random.normal(key, leaf.shape)
            for key, leaf in zip(keys, leaves, strict=True)
        ]
        variables = jax.tree.unflatten(structure, random)
        preprocess = CATALOG["googlenet_bvlc"].preprocessing
        return Pretrained("random", model, variables, preprocess, (), None)


def peak_gb() -> float:
    """Returns the peak memory of this process so far, in 10^9 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure(side: int, tile: int) -> dict[str, float]:
    """Measures one computation; this process must run no other, as its peak memory is measured."""
    network = googlenet()
    apply, variables, objective = feature_network(network), network.variables, layer_energy(LAYER)
    if tile:
        apply = tiled_network(apply, network, LAYER, objective, tile, (side, side))
        variables, objective = Arguments(variables, ()), tiled_value

    @faster_convolutions()
    def energy(variables, images):
        return objective(View(images, *apply(variables, images)), ()).sum()

    images = jax.random.uniform(jax.random.key(0), (1, side, side, 3), minval=-1.0, maxval=1.0)
    began = time.perf_counter()
    step = jax.jit(jax.value_and_grad(energy, argnums=1)).lower(variables, images).compile()
    compiled, compiler_gb = time.perf_counter(), peak_gb()
    for _ in range(STEPS):
        value, gradient = jax.block_until_ready(step(variables, images))
    return {
        "compile_s": compiled - began,
        "step_s": (time.perf_counter() - compiled) / STEPS,
        "compiler_gb": compiler_gb,
        "peak_gb": peak_gb(),
        "temporary_gb": step.memory_analysis().temp_size_in_bytes / 1e9,
        "energy": float(value),
        "gradient": float(jnp.abs(gradient).mean()),
    }


def main() -> None:
    tune_for_cpu()
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]), int(sys.argv[3]))))
        return
    side, *tiles = [int(argument) for argument in sys.argv[1:]] or [2048]
    print("  tile compile s  step s   peak GB: compiler, total  temporary GB      energy mean |g|")
    for tile in tiles or (0, 512):
        command = [sys.executable, "-m", "benchmarks.dream_speed", "--one", str(side), str(tile)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        row = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{tile or 'whole':>6} {row['compile_s']:9.1f} {row['step_s']:7.1f} "
            f"{row['compiler_gb']:18.2f} {row['peak_gb']:7.2f} {row['temporary_gb']:13.2f} "
            f"{row['energy']:11.6g} {row['gradient']:8.4g}"
        )


if __name__ == "__main__":
    main()
