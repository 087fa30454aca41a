"""Builds the experiment that inverts one layer after the other, each in a phase of its own."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int32, Key

from lecture_models.experiment import Evaluation, Experiment, Phase, Result
from lecture_models.image_space.inversion import UnitWindow
from lecture_models.image_space.optimizers import Optimizer
from lecture_models.image_space.parameterizations import Parameterization, pixels
from lecture_models.image_space.step import ImageState, Network, image_step, init_image
from lecture_models.image_space.terms import Term, targets
from lecture_models.metrics.receptive_field import extent, gradient_support
from lecture_models.metrics.traced_field import traced_fields

Pictures = Float[Array, "image height width 3"]


class Inversion(NamedTuple):
    """Describes the inversion of one layer.

    Attributes:
        layer: the name of the layer.
        terms: the terms of the loss.
        window: the units that are matched; None for all.
        box: the pixels that these units depend on, as top, left, bottom, right, the last two
            included; None for all.
    """

    layer: str
    terms: tuple[Term, ...]
    window: UnitWindow | None
    box: tuple[int, int, int, int] | None


class InversionState(NamedTuple):
    """Holds the images of all layers.

    Attributes:
        image: the images of the current layer, with the optimizer's state.
        base: the initial images.
        finished: the images of the layers before `stage`, zeros for the others.
        stage: the index of the current layer.
    """

    image: ImageState
    base: Pictures
    finished: Float[Array, "layer image height width 3"]
    stage: Int32[Array, ""]


def inversion_experiment(
    network: Network,
    variables: Any,
    inversions: Sequence[Inversion],
    num_steps: int,
    size: tuple[int, int],
    start: Callable[[Key[Array, ""]], Pictures],
    optimizer: Optimizer,
    judge: Callable[[np.ndarray, int], Evaluation],
) -> Experiment:
    """Returns the experiment that inverts all layers in turn.

    Args:
        network: the network's logits and activations for images in [-1, 1].
        variables: the network's variables.
        inversions: the layers, in order.
        num_steps: the steps of all layers together; each has an equal share, the last one the rest.
        size: (height, width) of the images in pixels.
        start: a function key -> the initial images of every layer.
        optimizer: the optimizer of the images.
        judge: a function (images of all layers in [-1, 1], number of layers started) -> the results
            of an evaluation.
    """
    forms = [_visible_pixels(inversion, size) for inversion in inversions]
    share = num_steps // len(inversions)

    def init(key):
        base = start(key)
        finished = jnp.zeros((len(inversions), *base.shape))
        image = init_image(forms[0], optimizer, base)
        return InversionState(image, base, finished, jnp.zeros((), jnp.int32))

    def gathered(state: InversionState):
        return state.finished.at[state.stage].set(optimizer.accepted(*state.image))

    def enter(index: int, state: InversionState) -> InversionState:
        image = init_image(forms[index], optimizer, state.base)
        stage = jnp.full_like(state.stage, index)
        return InversionState(image, state.base, gathered(state), stage)

    def phase(index: int, inversion: Inversion) -> Phase:
        step = _layer_step(image_step(network, forms[index], inversion.terms, optimizer), index)
        first = index * share
        return Phase(first, step, functools.partial(enter, index)) if index else Phase(0, step)

    arrays = {
        "variables": jax.tree.map(jnp.asarray, variables),
        "targets": tuple(targets(inversion.terms) for inversion in inversions),
    }
    gather = jax.jit(gathered)
    return Experiment(
        init,
        tuple(phase(index, inversion) for index, inversion in enumerate(inversions)),
        lambda state, key: judge(
            np.clip(np.asarray(gather(state)), -1.0, 1.0), int(state.stage) + 1
        ),
        lambda first_step: itertools.repeat(arrays),
        result=Result("inverted"),
        cadence_decides={"num_steps": "the steps of each layer"} if len(inversions) > 1 else {},
    )


def _layer_step(step_of_image: Callable[..., Any], index: int) -> Callable[..., Any]:
    """Returns the training step of the layer with this index, from that of its images."""

    def step(state, batch, key):
        image, metrics = step_of_image(
            state.image, batch["variables"], batch["targets"][index], key
        )
        return state._replace(image=image), metrics

    return step


def _visible_pixels(inversion: Inversion, size: tuple[int, int]) -> Parameterization:
    """Returns the pixels of the box as parameters; the pixels outside stay gray."""
    if inversion.box is None:
        return pixels(limited=False)
    inside = np.zeros((1, *size, 1), np.float32)
    top, left, bottom, right = inversion.box
    inside[:, top : bottom + 1, left : right + 1] = 1.0
    return Parameterization(lambda params: params * inside, lambda images: images * inside)


def field_boxes(
    network: Network, variables: Any, size: tuple[int, int], windows: dict[str, UnitWindow]
) -> dict[str, tuple[int, int, int, int]]:
    """Returns, for each layer, the box of pixels that the units in its window can depend on.

    The size is (height, width) in pixels. A box is top, left, bottom, right, the last two included.
    """
    images = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
    fields = traced_fields(lambda *args: network(*args)[1], variables, images)
    boxes = {}
    for layer, window in windows.items():
        box = [0, 0, size[0] - 1, size[1] - 1]
        for axis, field in enumerate(fields[layer]):
            if field is not None:
                box[axis] = max(0, field.span(window.first[axis])[0])
                box[axis + 2] = min(size[axis] - 1, field.span(window.last[axis])[1])
        boxes[layer] = tuple(box)
    return boxes


def gradient_box(
    network: Network, variables: Any, layer: str, window: UnitWindow, images: Pictures
) -> tuple[int, int, int, int]:
    """Returns the box around the pixels whose change moves a corner unit of the window."""

    @functools.partial(jax.jit, static_argnums=2)
    def support(variables, images, unit):
        return gradient_support(lambda seen: network(variables, seen)[1][layer], images, unit)

    corners = [support(variables, images, unit) for unit in {window.first, window.last}]
    support_map: Bool[Array, "height width"] = jnp.any(jnp.stack(corners), axis=0)
    (top, bottom), (left, right) = extent(support_map)
    return top, left, bottom, right


def framed(images: np.ndarray, box: tuple[int, int, int, int] | None) -> np.ndarray:
    """Draws a white line around the box, on those sides where the image continues beyond it."""
    if box is None:
        return images
    images = images.copy()
    height, width = images.shape[1:3]
    top, left, bottom, right = box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1
    rows, columns = slice(max(top, 0), bottom + 1), slice(max(left, 0), right + 1)
    for row in (top, bottom):
        if 0 <= row < height:
            images[:, row, columns] = 1.0
    for column in (left, right):
        if 0 <= column < width:
            images[:, rows, column] = 1.0
    return images
