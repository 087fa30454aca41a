"""A sequence of frames in one style: an ordinary run whose targets change from frame to frame.

Every frame has as many steps as lie between two evaluations, the first `LEAD` times as many, and a
finished frame is shown at its evaluation. So the pictures of the run are the stylized sequence, and
a run that is stopped goes on in the middle of a frame. One program serves all frames.

There is no optical flow: a place is held where its colors stay, and begins anew where they change.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32, UInt8

from lecture_models.data.dataset import DataError
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.image_space.objectives import image_match
from lecture_models.image_space.optimizers import Optimizer
from lecture_models.image_space.parameterizations import Parameterization
from lecture_models.image_space.step import ImageState, image_step, init_image
from lecture_models.image_space.terms import Term, targets
from lecture_models.tasks.image_optimization import Pictures
from lecture_models.tasks.style.scene import StyleInputs

LEAD = 4  # The first frame has no result before it to start from.
_CHANGED = 0.1  # Standard deviation, in [-1, 1], of what still counts as the same color.


class FramesState(NamedTuple):
    """`first` is the image that the run began with, `previous` the last finished frame."""

    image: ImageState
    first: Pictures
    previous: Pictures
    step: Int32[Array, ""]


class Frames(NamedTuple):
    """What every frame shares, and how the content terms of one are found.

    `content_targets(variables, picture)` gives the targets of `content_terms`, which come first.
    """

    pixels: Sequence[UInt8[Array, "height width 3"]]
    content_terms: tuple[Term, ...]
    content_targets: Callable[[Any, Pictures], tuple[Any, ...]]
    other_terms: tuple[Term, ...]
    temporal_weight: float
    warm_start: bool
    from_content: bool  # Else every frame begins anew from what the first one began with.


def require_steps(num_frames: int, steps: int, num_steps: int) -> None:
    """Raises DataError where a run has not the steps of its frames, saying how many those are."""
    needed = (num_frames + LEAD - 1) * steps
    if num_steps != needed:
        raise DataError(
            f"{num_frames} frames of --eval_every={steps} steps each, the first of {LEAD} times as "
            f"many, need --num_steps={needed}, not {num_steps}"
        )


def frame_of(step: int, steps: int) -> int:
    """The frame that a step belongs to."""
    return max(0, step // steps - LEAD + 1)


def agreement(frame: Pictures, before: Pictures) -> Float[Array, "height width"]:
    """1 where two frames have the same colors, falling to 0 where they differ."""
    change = jnp.square(frame - before).mean(-1)[0]
    return jnp.exp(-change / (2.0 * _CHANGED**2))


def frames_experiment(
    scene: StyleInputs,
    frames: Frames,
    steps: int,
    start: Callable[[Any], Pictures],
    optimizer: Optimizer,
    form: Parameterization,
    judge: Callable[[Pictures], Evaluation],
) -> Experiment:
    """`start(key)` gives the image that the first frame begins with."""
    temporal = Term("temporal", image_match(weights=True), frames.temporal_weight)
    terms = (*frames.content_terms, *frames.other_terms, temporal)
    inner = image_step(scene.apply, form, terms, optimizer)

    def init(key):
        first = start(key)
        image = init_image(form, optimizer, first)
        return FramesState(image, first, jnp.zeros_like(first), jnp.zeros((), jnp.int32))

    def shown(image: ImageState) -> Pictures:
        return form.decode(optimizer.accepted(*image))

    def step(state: FramesState, batch, key):
        finished = shown(state.image)
        begin = batch["content"] if frames.from_content else state.first
        if frames.warm_start:
            stays = batch["agreement"][None, :, :, None]
            begin = stays * finished + (1.0 - stays) * begin
        fresh: Bool[Array, ""] = batch["fresh"]
        image, previous = jax.tree.map(
            lambda new, old: jnp.where(fresh, new, old),
            (init_image(form, optimizer, begin), finished),
            (state.image, state.previous),
        )
        held = {"image": previous[0], "weights": batch["agreement"]}
        image, metrics = inner(image, batch["variables"], (*batch["targets"], held), key)
        return FramesState(image, state.first, previous, state.step + 1), metrics

    def evaluate(state, key) -> Evaluation:
        done = int(state.step)
        if done % steps or done < LEAD * steps:
            return {}
        images = jnp.clip(jax.jit(shown)(state.image), -1.0, 1.0)
        return {"frame": Images(images, 1), **judge(images)}

    return Experiment(init, step, evaluate, _batches(frames, scene.network.variables, steps))


def _batches(frames: Frames, variables: Any, steps: int) -> Callable[[int], Iterator[Any]]:
    """The targets of one frame at a time are held."""
    others = targets(frames.other_terms)
    variables = jax.tree.map(jnp.asarray, variables)

    def picture(index: int) -> Pictures:
        return jnp.asarray(images_from_uint8(frames.pixels[index][None]))

    def of_frame(index: int) -> dict[str, Any]:
        height, width = frames.pixels[index].shape[:2]
        held = jnp.zeros((height, width))
        if index:
            held = agreement(picture(index), picture(index - 1))
        content = picture(index)
        found = frames.content_targets(variables, content)
        return {
            "variables": variables,
            "targets": (*found, *others),
            "content": content,
            "agreement": held,
        }

    def batches(first_step: int) -> Iterator[Any]:
        current, batch = -1, {}
        for step in range(first_step, steps * (len(frames.pixels) + LEAD - 1)):
            index = frame_of(step, steps)
            if index != current:
                current, batch = index, of_frame(index)
            yield batch | {"fresh": jnp.asarray(index > 0 and step % steps == 0)}

    return batches
