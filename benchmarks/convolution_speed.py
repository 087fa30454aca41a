"""Convolutional networks here beside plain PyTorch: training, inference, gradient to the image.

    pip install -e '.[torch]' && python -m benchmarks.convolution_speed

One process, rounds interleaved, medians; random pixels in memory. A round of each goes before them
uncounted: in its first steps a process asks the system for memory that it then keeps. As for
`training_speed`, a figure counts only where nothing else runs.
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
    return torch.from_numpy(images.transpose(0, 3, 1, 2).copy())


def seconds(run: Callable[[], object], repetitions: int) -> float:
    """Per call, after one that is not counted."""
    run()
    began = time.perf_counter()
    for _ in range(repetitions):
        last = run()
    jax.block_until_ready(last)
    return (time.perf_counter() - began) / repetitions


def compare(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], repetitions: int
) -> None:
    """Prints the medians; the ratio is the median of the rounds' ratios."""
    _, *rounds = (
        (seconds(ours, repetitions), seconds(theirs, repetitions)) for _ in range(ROUNDS + 1)
    )
    medians = [1e3 * statistics.median(each) for each in zip(*rounds, strict=True)]
    ratios = [torch_s / jax_s for jax_s, torch_s in rounds]
    shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(
        f"{name}: {medians[0]:.1f} ms here, {medians[1]:.1f} ms PyTorch, "
        f"{statistics.median(ratios):.2f}x (rounds: {shown})",
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
    """The shipped step, and then the forward pass of what it trained."""
    labels = np.arange(len(images), dtype=np.int32) % 10
    step = functools.partial(classifier_step, net.apply, optimizer)
    step = jax.jit(faster_convolutions()(step), donate_argnums=0)
    batch = {"images": jnp.asarray(images), "labels": jnp.asarray(labels)}
    blank = jnp.zeros((1, *images.shape[1:]))
    state, key = init_classifier(net.init, optimizer, blank, jax.random.key(0)), jax.random.key(1)
    box = [state]

    def train():
        box[0], metrics = step(box[0], batch, key)
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
        lambda: forward(box[0].variables, batch["images"]),
        lambda: torch_forward(torch_images),
        repetitions,
    )


def compare_vgg(side: int) -> None:
    """Features of conv4_2 and the gradient to the image, as image-space optimization needs them."""
    net, images = VGG_E(num_classes=0), pixels(1, side, side, 3)
    variables = jax.jit(net.init)(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))

    @faster_convolutions()
    def energy(images):
        return 0.5 * jnp.sum(net.apply(variables, images)[1]["relu4_2"] ** 2)

    gradient, given = jax.jit(jax.grad(energy)), jnp.asarray(images)
    torch_net = torch_convolutions.vgg19_to_conv4_2()
    torch_gradient, torch_images = torch_convolutions.input_gradient(torch_net), for_torch(images)
    compare(
        f"VGG-19 to conv4_2, {side} px, gradient to the image",
        lambda: gradient(given),
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
