"""Style transfer's loss and gradient here beside plain PyTorch: time, and memory at its peak.

    pip install -e '.[torch]' && python -m benchmarks.style_transfer_speed

VGG-19 of random filters to relu5_1, five Gram matrices and relu4_2, one picture of 256x256 pixels.
One process, rounds interleaved, medians; each memory is that of a process of its own. As for
`training_speed`, a figure counts only where nothing else runs.
"""

import resource
import subprocess
import sys
from collections.abc import Callable

import numpy as np

from lecture_models.training.process_setup import tune_for_cpu

SIDE = 256
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
STYLE_WEIGHT = 1e3
REPETITIONS = 2
MEMORY = "memory"
MEGABYTE = 2**20


def pictures() -> list[np.ndarray]:
    """The image, the content and the style, in [-1, 1]."""
    random = np.random.default_rng(0)
    return [random.uniform(-1.0, 1.0, (1, SIDE, SIDE, 3)).astype(np.float32) for _ in range(3)]


def ours() -> Callable[[], object]:
    import jax
    import jax.numpy as jnp

    from lecture_models.image_space.parameterizations import pixels
    from lecture_models.image_space.step import image_loss
    from lecture_models.image_space.terms import targets
    from lecture_models.models.vgg import VGG_E
    from lecture_models.nn.cpu.convolutions import faster_convolutions
    from lecture_models.tasks.style import terms
    from lecture_models.tasks.style.images import Style

    model = VGG_E(num_classes=0)
    variables = jax.jit(model.init)(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    image, content, style = (jnp.asarray(each) for each in pictures())
    layer_weights = dict.fromkeys(STYLE_LAYERS, 1.0 / len(STYLE_LAYERS))
    weighting = terms.Weighting(
        1.0, STYLE_WEIGHT, layer_weights, (CONTENT_LAYER,), 0.0, per_pixel=False
    )
    wanted = terms.content_targets(model.apply, (CONTENT_LAYER,))(variables, content)
    terms = (
        *terms.content_terms(wanted, weighting, SIDE, SIDE),
        *terms.style_terms(
            model.apply, variables, [Style(style, 1.0, None, None)], weighting, 1.0, {}
        ),
    )

    @jax.jit
    @faster_convolutions()
    def evaluate(image, variables, wanted):
        def loss(image):
            return image_loss(model.apply, pixels(), terms, image, variables, wanted)[0]

        return jax.value_and_grad(loss)(image)

    given = targets(terms)
    return lambda: jax.block_until_ready(evaluate(image, variables, given))


def theirs() -> Callable[[], object]:
    import torch

    from benchmarks import torch_style

    net = torch_style.vgg19_to_relu5_1()
    image, content, style = (
        torch.from_numpy(each.transpose(0, 3, 1, 2).copy()) for each in pictures()
    )
    evaluate = torch_style.loss_and_gradient(net, content, style, STYLE_WEIGHT)
    return lambda: evaluate(image)


SIDES = {"here": ours, "torch": theirs}


def peak_memory(name: str) -> float:
    """Megabytes that a process of its own held at most, the libraries' own included."""
    command = [sys.executable, "-m", "benchmarks.style_transfer_speed", MEMORY, name]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(found.stdout)


def measure_memory(name: str) -> None:
    """Prints the peak after three evaluations."""
    run = SIDES[name]()
    for _ in range(3):
        run()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE)


def main() -> None:
    tune_for_cpu()
    from benchmarks.convolution_speed import compare

    # First, while this process is small: a child's peak is at least what its parent held.
    here, torch = peak_memory("here"), peak_memory("torch")
    print(f"peak memory of the process: {here:.0f} MB here, {torch:.0f} MB PyTorch")
    compare(f"VGG-19 to relu5_1, {SIDE} px, loss and gradient", ours(), theirs(), REPETITIONS)


if __name__ == "__main__":
    if sys.argv[1:2] == [MEMORY]:
        measure_memory(sys.argv[2])
    else:
        main()
