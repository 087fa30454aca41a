"""Compares style transfer's loss and gradient with plain PyTorch: time and peak memory.

    pip install -e '.[torch]' && python -m benchmarks.style_transfer_speed

The network is VGG-19 to relu5_1 with random filters; the loss has five Gram matrices and relu4_2,
for one image of 256x256 pixels. Times are medians of interleaved rounds in one process; memory is
that of a separate process each. Results are only valid if nothing else runs on the machine, as for
`training_speed`.
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


def random_images() -> list[np.ndarray]:
    """Returns the image, the content and the style, in [-1, 1]."""
    random = np.random.default_rng(0)
    return [random.uniform(-1.0, 1.0, (1, SIDE, SIDE, 3)).astype(np.float32) for _ in range(3)]


def ours() -> Callable[[], object]:
    """Returns this project's evaluation of loss and gradient."""
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
    image, content, style = (jnp.asarray(array) for array in random_images())
    layer_weights = dict.fromkeys(STYLE_LAYERS, 1.0 / len(STYLE_LAYERS))
    weighting = terms.Weighting(
        1.0, STYLE_WEIGHT, layer_weights, (CONTENT_LAYER,), 0.0, per_pixel=False
    )
    wanted = terms.content_targets(model.apply, (CONTENT_LAYER,))(variables, content)
    loss_terms = (
        *terms.content_terms(wanted, weighting, SIDE, SIDE),
        *terms.style_terms(
            model.apply, variables, [Style(style, 1.0, None, None)], weighting, 1.0, {}
        ),
    )

    @jax.jit
    @faster_convolutions()
    def evaluate(image, variables, wanted):
        def loss(image):
            return image_loss(model.apply, pixels(), loss_terms, image, variables, wanted)[0]

        return jax.value_and_grad(loss)(image)

    term_targets = targets(loss_terms)
    return lambda: jax.block_until_ready(evaluate(image, variables, term_targets))


def theirs() -> Callable[[], object]:
    """Returns PyTorch's evaluation of loss and gradient."""
    import torch

    from benchmarks import torch_style

    net = torch_style.vgg19_to_relu5_1()
    image, content, style = (
        torch.from_numpy(array.transpose(0, 3, 1, 2).copy()) for array in random_images()
    )
    evaluate = torch_style.loss_and_gradient(net, content, style, STYLE_WEIGHT)
    return lambda: evaluate(image)


CONTESTANTS = {"ours": ours, "torch": theirs}


def peak_memory(name: str) -> float:
    """Returns the peak memory of a separate process in megabytes, libraries included."""
    command = [sys.executable, "-m", "benchmarks.style_transfer_speed", MEMORY, name]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(finished.stdout)


def measure_memory(name: str) -> None:
    """Prints the peak memory of this process in megabytes, after three evaluations."""
    run = CONTESTANTS[name]()
    for _ in range(3):
        run()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE)


def main() -> None:
    tune_for_cpu()
    from benchmarks.convolution_speed import compare

    # Comes first, while this process is small: a child's peak is at least its parent's memory.
    ours_mb, torch_mb = peak_memory("ours"), peak_memory("torch")
    print(f"peak memory of the process: {ours_mb:.0f} MB ours, {torch_mb:.0f} MB PyTorch")
    compare(f"VGG-19 to relu5_1, {SIDE} px, loss and gradient", ours(), theirs(), REPETITIONS)


if __name__ == "__main__":
    if sys.argv[1:2] == [MEMORY]:
        measure_memory(sys.argv[2])
    else:
        main()
