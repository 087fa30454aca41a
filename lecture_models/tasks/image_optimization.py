"""Builds experiments that optimize an image, in stages of increasing size.

The image is the state of the ordinary training loop. A stage has one size and its own targets; the
next stage starts from the image of the previous one. The state holds arrays of the largest size
throughout, so that its shapes never change. What is optimized is the stage's canvas, of which the
network sees every pixel; the image is its upper left part.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32, Key

from lecture_models.experiment import Evaluation, Experiment, Images, Phase, Result
from lecture_models.image_space.optimizers import Optimizer
from lecture_models.image_space.parameterizations import Parameterization, pixels, within
from lecture_models.image_space.step import ImageState, Network, image_step, init_image
from lecture_models.image_space.terms import Term, targets
from lecture_models.image_space.transforms import Transform, identity
from lecture_models.tasks.canvas import cropped, extended
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained

Pictures = Float[Array, "image height width channel"]


class Stage(NamedTuple):
    """Describes the optimization at one size.

    Attributes:
        height: pixels of the image.
        width: pixels of the image.
        num_steps: the steps of this stage.
        terms: the loss terms, of the whole canvas; all stages of an experiment have terms of the
            same names.
        optimizer: replaces the experiment's optimizer in this stage; its state must have the same
            structure.
        canvas: (height, width) in pixels of what is optimized, at least those of the image; None
            for those of the image. See `canvas.canvas_size`.
        margin: pixels of the canvas above and to the left of the image.
        network: replaces the experiment's network in this stage. In place of the network's
            variables it takes `Targeted` variables, so that it may compute parts of the terms.
    """

    height: int
    width: int
    num_steps: int
    terms: tuple[Term, ...]
    optimizer: Optimizer | None = None
    canvas: tuple[int, int] | None = None
    margin: int = 0
    network: Network | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Returns (height, width) of the image in pixels."""
        return self.height, self.width

    @property
    def canvas_size(self) -> tuple[int, int]:
        """Returns (height, width) of the canvas in pixels."""
        return self.canvas or self.size


class Targeted(NamedTuple):
    """Holds the network's variables and the targets of a stage's terms."""

    variables: Any
    targets: tuple[Any, ...]


class StagedState(NamedTuple):
    """Holds the image, the initial image at the largest size (`base`), and the stage's index."""

    image: ImageState
    base: Pictures
    stage: Int32[Array, ""]


def resized(images: Pictures, size: tuple[int, int]) -> Pictures:
    """Resizes images to (height, width) by linear interpolation with antialiasing.

    Images of the right size are returned unchanged. Linear interpolation does not overshoot.
    """
    if images.shape[1:3] == size:
        return images
    return jax.image.resize(images, (len(images), *size, images.shape[3]), "linear")


def with_opacity(
    images: Pictures, opacity: Float[Array, "full_height full_width"] | None
) -> Float[Array, "image height width channels"]:
    """Returns images with a fourth channel, the opacity resized to their size, if there is one."""
    if opacity is None:
        return images
    plane = resized(2.0 * opacity[None, :, :, None] - 1.0, images.shape[1:3])
    return jnp.concatenate([images, jnp.broadcast_to(plane, (*images.shape[:3], 1))], -1)


def keep(previous: Pictures, base: Pictures, size: tuple[int, int]) -> Pictures:
    """Returns the previous stage's image, resized; the default start of a stage."""
    return resized(previous, size)


def feature_network(network: Pretrained) -> Network:
    """Returns a function of images in [-1, 1] of any size that computes the activations only.

    The classifier's layers, which fix the image size, are removed.
    """
    model = network.model.clone(num_classes=0)
    return lambda variables, images: model.apply(variables, network.preprocess.normalize(images))


def classifier_network(network: Pretrained) -> Network:
    """Returns a function of images in [-1, 1] of the network's own size to logits and activations.

    Raises:
        WeightsError: the network has no class scores.
    """
    if not network.classes:
        raise WeightsError(f"{network.name} has no class scores; choose another --model")

    def apply(variables, images):
        return network.model.apply(variables, network.preprocess.normalize(images))

    return apply


def untrained_alarm(network: Pretrained) -> dict[str, str]:
    """Returns an alarm, a text where the network's weights are not the published ones."""
    return {"alarm_network": network.alarm}


def image_experiment(
    network: Network,
    variables: Any,
    stages: Sequence[Stage],
    start: Callable[[Key[Array, ""]], Pictures],
    optimizer: Optimizer,
    parameterize: Callable[[int, int], Parameterization] = lambda height, width: pixels(),
    transform: Transform = identity,
    carry: Callable[[Pictures, Pictures, tuple[int, int]], Pictures] = keep,
    judge: Callable[[Pictures], Evaluation] = lambda images: {},
    columns: int = 5,
    opacity: Float[Array, "height width"] | None = None,
) -> Experiment:
    """Returns the experiment that optimizes images through all stages.

    Args:
        network: the network's logits and activations for images in [-1, 1].
        variables: the network's variables.
        stages: the stages, in order; the last one has the largest size.
        start: a function key -> the initial images at the largest size.
        optimizer: the optimizer of the images.
        parameterize: a function (height, width) -> the parameterization of the canvas.
        transform: a random transformation of the images before the network sees them.
        carry: a function (previous images, initial images, size) -> a later stage's initial images.
        judge: a function images -> further results of an evaluation.
        columns: images per row where they are shown.
        opacity: the opacity of the images at the largest size, from 0 to 1; None for opaque ones.
    """
    makers = _stage_makers(stages, optimizer, parameterize)

    def init(key):
        base = start(key)
        image = makers[0].begin(resized(base, stages[0].size))
        return StagedState(image, base, jnp.zeros((), jnp.int32))

    decoders = [jax.jit(functools.partial(_StageMaker.shown, maker)) for maker in makers]

    def evaluate(state, key):
        images = jnp.clip(decoders[int(state.stage)](state.image), -1.0, 1.0)
        return {"image": Images(with_opacity(images, opacity), columns), **judge(images)}

    def enter(index: int, state: StagedState) -> StagedState:
        images = carry(makers[index - 1].shown(state.image), state.base, stages[index].size)
        image = makers[index].begin(images)
        return StagedState(image, state.base, jnp.full_like(state.stage, index))

    def phase(index: int) -> Phase:
        step = _stage_step(makers[index], index, network, transform)
        first = sum(earlier.num_steps for earlier in stages[:index])
        return Phase(first, step, functools.partial(enter, index)) if index else Phase(0, step)

    batch = _only_batch(variables, stages)
    return Experiment(
        init,
        tuple(map(phase, range(len(stages)))),
        evaluate,
        lambda first_step: itertools.repeat(batch),
        result=Result("image"),
        cadence_decides={"num_steps": "the steps of each size"} if len(stages) > 1 else {},
    )


class _StageMaker(NamedTuple):
    """Makes the images of a stage."""

    stage: Stage
    form: Parameterization
    optimizer: Optimizer

    def begin(self, images: Pictures) -> ImageState:
        canvas = extended(images, self.stage.canvas_size, self.stage.margin)
        return init_image(self.form, self.optimizer, canvas)

    def shown(self, image: ImageState) -> Pictures:
        canvas = self.form.decode(self.optimizer.accepted(*image))
        return cropped(canvas, self.stage.size, self.stage.margin)


def _stage_makers(stages, optimizer, parameterize) -> list[_StageMaker]:
    """Returns the maker of each stage; those of several have arrays of the largest canvas."""
    makers = []
    for stage in stages:
        form = parameterize(*stage.canvas_size)
        if len(stages) > 1:
            form = within(form, *stage.canvas_size, stages[-1].canvas_size)
        makers.append(_StageMaker(stage, form, stage.optimizer or optimizer))
    return makers


def _only_batch(variables: Any, stages: Sequence[Stage]) -> dict[str, Any]:
    """Returns the batch of every step: what would else be constants of the compiled program."""
    return {
        "variables": jax.tree.map(jnp.asarray, variables),
        "targets": tuple(targets(stage.terms) for stage in stages),
    }


def _stage_step(maker: _StageMaker, index: int, network: Network, transform: Transform):
    """Returns the training step of the stage with this index."""
    stage = maker.stage
    inner = image_step(
        stage.network or network, maker.form, stage.terms, maker.optimizer, transform
    )

    def step(state, batch, key):
        stage_targets, given = batch["targets"][index], batch["variables"]
        if stage.network is not None:
            given = Targeted(given, stage_targets)
        image, metrics = inner(state.image, given, stage_targets, key)
        return state._replace(image=image), metrics

    return step
