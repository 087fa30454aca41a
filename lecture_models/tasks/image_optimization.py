"""What the experiments that optimize an image share: their network, their stages, their pictures.

The image is the state of the ordinary loop. A stage has one size and its own targets, and the next
one begins with the image of the one before; the state holds arrays of the largest size throughout.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32, Key

from lecture_models.experiment import Evaluation, Experiment, Images, Phase
from lecture_models.image_space.optimizers import Optimizer
from lecture_models.image_space.parameterizations import Parameterization, pixels, within
from lecture_models.image_space.step import ImageState, Network, image_step, init_image
from lecture_models.image_space.terms import Term, targets
from lecture_models.image_space.transforms import Transform, identity
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained

Pictures = Float[Array, "image height width channel"]


class Stage(NamedTuple):
    """So many steps at one size. The stages of an experiment have terms of the same names.

    `optimizer` is where a stage moves otherwise than the rest, with a state of the same structure.
    """

    height: int
    width: int
    num_steps: int
    terms: tuple[Term, ...]
    optimizer: Optimizer | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width


class StagedState(NamedTuple):
    """`base` is the first image at the largest size; `stage` counts from 0."""

    image: ImageState
    base: Pictures
    stage: Int32[Array, ""]


def resized(images: Pictures, size: tuple[int, int]) -> Pictures:
    """Linear with antialiasing, which does not overshoot; untouched where the size is right."""
    if images.shape[1:3] == size:
        return images
    return jax.image.resize(images, (len(images), *size, images.shape[3]), "linear")


def keep(previous: Pictures, base: Pictures, size: tuple[int, int]) -> Pictures:
    """The image of the stage before, resized: how a stage begins where nothing else is said."""
    return resized(previous, size)


def feature_network(network: Pretrained) -> Network:
    """Images in [-1, 1] of any size to the activations alone, without the classifier's layers."""
    model = network.model.clone(num_classes=0)
    return lambda variables, images: model.apply(variables, network.preprocess.normalize(images))


def classifier_network(network: Pretrained) -> Network:
    """Images in [-1, 1] of the network's own size to logits and activations.

    Raises WeightsError where the network has no class scores.
    """
    if not network.classes:
        raise WeightsError(f"{network.name} has no class scores; name another --model")

    def apply(variables, images):
        return network.model.apply(variables, network.preprocess.normalize(images))

    return apply


def untrained_alarm(network: Pretrained) -> dict[str, str]:
    """For an evaluation: flagged where the network is not the published one."""
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
) -> Experiment:
    """`start(key)` gives the images of the first state at the largest size, that of the last stage.

    `carry(previous, base, size)` gives the images that a later stage begins with. `judge` is given
    the images in [-1, 1] at every evaluation, beside which they are shown.
    """
    canvas = stages[-1].size
    forms = [_form(parameterize, stage, canvas, len(stages) > 1) for stage in stages]
    movers = [stage.optimizer or optimizer for stage in stages]

    def init(key):
        base = start(key)
        image = init_image(forms[0], movers[0], resized(base, stages[0].size))
        return StagedState(image, base, jnp.zeros((), jnp.int32))

    def shown(index: int, image: ImageState) -> Pictures:
        return forms[index].decode(movers[index].accepted(*image))

    decoders = [jax.jit(functools.partial(shown, index)) for index in range(len(stages))]

    def evaluate(state, key):
        images = jnp.clip(decoders[int(state.stage)](state.image), -1.0, 1.0)
        return {"image": Images(images, columns), **judge(images)}

    def enter(index: int, state: StagedState) -> StagedState:
        images = carry(shown(index - 1, state.image), state.base, stages[index].size)
        image = init_image(forms[index], movers[index], images)
        return StagedState(image, state.base, jnp.full_like(state.stage, index))

    def phase(index: int, stage: Stage) -> Phase:
        inner = image_step(network, forms[index], stage.terms, movers[index], transform)

        def step(state, batch, key):
            wanted = batch["targets"][index]
            image, metrics = inner(state.image, batch["variables"], wanted, key)
            return state._replace(image=image), metrics

        first = sum(each.num_steps for each in stages[:index])
        return Phase(first, step, functools.partial(enter, index)) if index else Phase(0, step)

    phases = tuple(phase(index, stage) for index, stage in enumerate(stages))
    arrays = {
        "variables": jax.tree.map(jnp.asarray, variables),
        "targets": tuple(targets(stage.terms) for stage in stages),
    }
    return Experiment(init, phases, evaluate, lambda first_step: itertools.repeat(arrays))


def _form(parameterize, stage: Stage, canvas: tuple[int, int], several: bool) -> Parameterization:
    form = parameterize(*stage.size)
    return within(form, *stage.size, canvas) if several else form
