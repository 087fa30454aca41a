"""Compares convolutional networks with plain PyTorch: training, inference, gradient to the image.

    pip install -e '.[torch]' && python -m benchmarks.convolution_speed

Both run in one process in interleaved rounds on random pixels in memory; medians are printed. One
round of each comes first and is not counted, because in its first steps a process requests memory
that it then keeps. Results are only valid if nothing else runs on the machine, as for
`training_speed`.
"""

import functools
import statistics
import time
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

from benchmarks import torch_convolutions
from lecture_models.models.cifar_resnet import cifar_resnet
from lecture_models.models.lenet import LeNet5
from lecture_models.models.vgg import VGG_E
from lecture_models.nn.cpu.convolutions import faster_convolutions
from lecture_models.steps.classifier import classifier_step, init_classifier
from lecture_models.training.process_setup import tune_for_cpu

ROUNDS = 5
BATCH_SIZE = 128
RATE, MOMENTUM = 0.1, 0.9


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def for_torch(images: np.ndarray) -> torch.Tensor:
    """Converts NHWC images to an NCHW tensor."""
    return torch.from_numpy(images.transpose(0, 3, 1, 2).copy())


def seconds(run: Callable[[], object], repetitions: int) -> float:
    """Returns the mean seconds per call, after one call that is not counted."""
    run()
    began = time.perf_counter()
    for _ in range(repetitions):
        last = run()
    jax.block_until_ready(last)
    return (time.perf_counter() - began) / repetitions


def compare(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], repetitions: int
) -> None:
    """Prints the median time of both, and the median of the rounds' ratios, PyTorch's over ours.

    Args:
        name: what is compared.
        ours: one call of this project's computation.
        theirs: one call of PyTorch's.
        repetitions: the number of calls per round.
    """
    _, *rounds = (
        (seconds(ours, repetitions), seconds(theirs, repetitions)) for _ in range(ROUNDS + 1)
    )
    medians = [1e3 * statistics.median(times) for times in zip(*rounds, strict=True)]
    ratios = [torch_s / jax_s for jax_s, torch_s in rounds]
    shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(
        f"{name}: {medians[0]:.1f} ms ours, {medians[1]:.1f} ms PyTorch, ratio "
        f"{statistics.median(ratios):.2f} (rounds: {shown})",
        flush=True,
    )


def compare_training(
    name: str,
    net: nn.Module,
    images: np.ndarray,
    optimizer: optax.GradientTransformation,
    torch_net: torch.nn.Module,
    torch_optimizer: torch.optim.Optimizer,
    repetitions: int,
) -> None:
    """Compares the training step of this project, and then the inference of the trained network.

    Args:
        name: the network's name.
        net: this project's network.
        images: the images, NHWC.
        optimizer: the optimizer of `net`.
        torch_net: PyTorch's network.
        torch_optimizer: the optimizer of `torch_net`.
        repetitions: the number of calls per round.
    """
    labels = np.arange(len(images), dtype=np.int32) % 10
    step = functools.partial(classifier_step, net.apply, optimizer)
    step = jax.jit(faster_convolutions()(step), donate_argnums=0)
    batch = {"images": jnp.asarray(images), "labels": jnp.asarray(labels)}
    blank = jnp.zeros((1, *images.shape[1:]))
    state, key = init_classifier(net.init, optimizer, blank, jax.random.key(0)), jax.random.key(1)
    current = [state]  # The step donates its argument.

    def train():
        current[0], metrics = step(current[0], batch, key)
        return metrics

    torch_images, torch_labels = for_torch(images), torch.from_numpy(labels.astype(np.int64))
    torch_step = torch_convolutions.training_step(torch_net, torch_optimizer)
    compare(f"{name}, training", train, lambda: torch_step(torch_images, torch_labels), repetitions)
    forward = jax.jit(
        faster_convolutions()(lambda variables, images: net.apply(variables, images)[0])
    )
    torch_forward = torch_convolutions.inference(torch_net)
    compare(
        f"{name}, inference",
        lambda: forward(current[0].variables, batch["images"]),
        lambda: torch_forward(torch_images),
        repetitions,
    )


def compare_vgg(side: int) -> None:
    """Compares the gradient to the image of conv4_2's energy, as image optimization needs it."""
    net, images = VGG_E(num_classes=0), pixels(1, side, side, 3)
    variables = jax.jit(net.init)(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))

    @faster_convolutions()
    def energy(images):
        return 0.5 * jnp.sum(net.apply(variables, images)[1]["relu4_2"] ** 2)

    gradient, jax_images = jax.jit(jax.grad(energy)), jnp.asarray(images)
    torch_net = torch_convolutions.vgg19_to_conv4_2()
    torch_gradient, torch_images = torch_convolutions.input_gradient(torch_net), for_torch(images)
    compare(
        f"VGG-19 to conv4_2, {side} px, gradient to the image",
        lambda: gradient(jax_images),
        lambda: torch_gradient(torch_images),
        3,
    )


def main() -> None:
    tune_for_cpu()
    print(f"jax {jax.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    lenet = torch_convolutions.lenet5()
    compare_training(
        f"LeNet-5, batch {BATCH_SIZE}",
        LeNet5(nonlinearity=nn.relu),
        pixels(BATCH_SIZE, 28, 28, 1),
        optax.adam(1e-3),
        lenet,
        torch.optim.Adam(lenet.parameters(), 1e-3),
        30,
    )
    resnet = torch_convolutions.resnet20()
    compare_training(
        f"ResNet-20, batch {BATCH_SIZE}",
        cifar_resnet(20),
        pixels(BATCH_SIZE, 32, 32, 3),
        optax.sgd(RATE, MOMENTUM),
        resnet,
        torch.optim.SGD(resnet.parameters(), RATE, MOMENTUM),
        10,
    )
    compare_vgg(256)


if __name__ == "__main__":
    main()
