"""Inverting one layer after the other: a phase each, whose images are kept when it is over."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int32, Key

from lecture_models.experiment import Evaluation, Experiment, Phase
from lecture_models.image_space.inversion import Window
from lecture_models.image_space.optimizers import Optimizer
from lecture_models.image_space.parameterizations import Parameterization, pixels
from lecture_models.image_space.step import ImageState, Network, image_step, init_image
from lecture_models.image_space.terms import Term, targets
from lecture_models.metrics.receptive_field import extent, gradient_support
from lecture_models.metrics.traced_field import traced_fields

Pictures = Float[Array, "image height width 3"]


class Inversion(NamedTuple):
    """One layer: the terms of its loss, the units that are matched, the pixels these can see."""

    layer: str
    terms: tuple[Term, ...]
    window: Window | None
    box: tuple[int, int, int, int] | None  # Top, left, bottom, right, the last two included.


class InversionState(NamedTuple):
    """`finished` has the images of the layers before `stage`, and zeros for the others."""

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
    """As many steps for each layer, the rest for the last; every layer begins with `start(key)`.

    `judge(images, done)` is given the images of all layers in [-1, 1], of which the first `done`
    have been at least begun.
    """
    forms = [_seen_pixels(each, size) for each in inversions]
    share = num_steps // len(inversions)

    def begin(index: int, base: Pictures) -> ImageState:
        return init_image(forms[index], optimizer, base)

    def init(key):
        base = start(key)
        finished = jnp.zeros((len(inversions), *base.shape))
        return InversionState(begin(0, base), base, finished, jnp.zeros((), jnp.int32))

    def gathered(state: InversionState):
        return state.finished.at[state.stage].set(optimizer.accepted(*state.image))

    def enter(index: int, state: InversionState) -> InversionState:
        image = begin(index, state.base)
        stage = jnp.full_like(state.stage, index)
        return InversionState(image, state.base, gathered(state), stage)

    def phase(index: int, inversion: Inversion) -> Phase:
        inner = image_step(network, forms[index], inversion.terms, optimizer)

        def step(state, batch, key):
            image, metrics = inner(state.image, batch["variables"], batch["targets"][index], key)
            return state._replace(image=image), metrics

        return Phase(index * share, step, functools.partial(enter, index) if index else _same)

    arrays = {
        "variables": jax.tree.map(jnp.asarray, variables),
        "targets": tuple(targets(each.terms) for each in inversions),
    }
    together = jax.jit(gathered)
    return Experiment(
        init,
        tuple(phase(index, each) for index, each in enumerate(inversions)),
        lambda state, key: judge(
            np.clip(np.asarray(together(state)), -1.0, 1.0), int(state.stage) + 1
        ),
        lambda first_step: itertools.repeat(arrays),
    )


def _same(state):
    return state


def _seen_pixels(inversion: Inversion, size: tuple[int, int]) -> Parameterization:
    """The pixels of the box; those outside stay gray, even where the variation would blur it."""
    if inversion.box is None:
        return pixels(limited=False)
    seen = np.zeros((1, *size, 1), np.float32)
    top, left, bottom, right = inversion.box
    seen[:, top : bottom + 1, left : right + 1] = 1.0
    return Parameterization(lambda params: params * seen, lambda images: images * seen)


def field_boxes(
    network: Network, variables: Any, size: tuple[int, int], windows: dict[str, Window]
) -> dict[str, tuple[int, int, int, int]]:
    """The pixels of an image of (height, width) that the units in each window can depend on."""
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
    network: Network, variables: Any, layer: str, window: Window, images: Pictures
) -> tuple[int, int, int, int]:
    """The box around all pixels that move the corner units of the window at any of the images."""

    @functools.partial(jax.jit, static_argnums=2)
    def support(variables, images, unit):
        return gradient_support(lambda seen: network(variables, seen)[1][layer], images, unit)

    corners = [support(variables, images, unit) for unit in {window.first, window.last}]
    seen: Bool[Array, "height width"] = jnp.any(jnp.stack(corners), axis=0)
    (top, bottom), (left, right) = extent(seen)
    return top, left, bottom, right


def framed(images: np.ndarray, box: tuple[int, int, int, int] | None) -> np.ndarray:
    """With a white line around the box, where the picture goes on beyond it."""
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
