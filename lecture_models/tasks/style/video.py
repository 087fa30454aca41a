"""Stylizes a sequence of frames as one ordinary run whose targets change from frame to frame.

Every frame has the steps between two evaluations, the first one `LEAD` times as many. An evaluation
shows the frame that has just been finished, so the images of the run are the stylized sequence, and
a stopped run resumes in the middle of a frame. One compiled program serves all frames.

There is no optical flow. A pixel keeps the previous result where the frames' colors agree, and is
initialized anew where they change.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32, UInt8

from lecture_models.data.dataset import DataError
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.image_space.objectives import image_match
from lecture_models.image_space.optimizers import Optimizer
from lecture_models.image_space.parameterizations import Parameterization
from lecture_models.image_space.step import ImageState, image_step, init_image
from lecture_models.image_space.terms import Term, targets
from lecture_models.tasks.canvas import cropped, extended
from lecture_models.tasks.image_optimization import Pictures
from lecture_models.tasks.pictures import as_images
from lecture_models.tasks.style.inputs import StyleInputs

LEAD = 4  # The first frame has no previous result to start from, so it needs more steps.
_COLOR_SCALE = 0.1  # Root mean square difference, in units of [-1, 1], at which agreement falls.


class FramesState(NamedTuple):
    """Holds the state of a run over frames.

    Attributes:
        image: the frame that is being optimized, with its optimizer state.
        first: the initial image of the run.
        previous: the last finished frame.
        step: the number of steps done.
    """

    image: ImageState
    first: Pictures
    previous: Pictures
    step: Int32[Array, ""]


class Frames(NamedTuple):
    """Holds the frames and the loss terms that they share.

    Attributes:
        pixels: the frames, of equal size, as bytes.
        names: the name of each frame, after which its result is named.
        canvas: height and width of what is optimized; see `tasks.canvas`.
        content_terms: the content terms, whose targets change with the frame.
        content_targets: a function (variables, picture) -> the targets of `content_terms`.
        other_terms: the terms whose targets are the same for all frames.
        temporal_weight: the weight of the squared change against the previous result.
        warm_start: every frame starts from the previous result where the colors agree.
        from_content: every frame starts from its own content, else from the run's initial image.
    """

    pixels: Sequence[UInt8[Array, "height width 3"]]
    names: Sequence[str]
    canvas: tuple[int, int]
    content_terms: tuple[Term, ...]
    content_targets: Callable[[Any, Pictures], tuple[Any, ...]]
    other_terms: tuple[Term, ...]
    temporal_weight: float
    warm_start: bool
    from_content: bool


def require_steps(num_frames: int, steps: int, num_steps: int) -> None:
    """Raises DataError, naming the right number, unless `num_steps` are the steps of all frames."""
    needed = (num_frames + LEAD - 1) * steps
    if num_steps != needed:
        raise DataError(
            f"--num_steps is {num_steps}; {num_frames} frames of --eval_every={steps} steps, the "
            f"first of {LEAD} times as many, need --num_steps={needed}"
        )


def frame_of(step: int, steps: int) -> int:
    """Returns the index of the frame that a step belongs to."""
    return max(0, step // steps - LEAD + 1)


def agreement(frame: Pictures, before: Pictures) -> Float[Array, "height width"]:
    """Returns the weight of the previous result at each pixel: 1 for equal colors, 0 for different.

    exp(-d^2 / (2 s^2)) for the root mean square color difference d and s = 0.1.
    """
    change = jnp.square(frame - before).mean(-1)[0]
    return jnp.exp(-change / (2.0 * _COLOR_SCALE**2))


def frames_experiment(
    inputs: StyleInputs,
    frames: Frames,
    steps: int,
    start: Callable[[Any], Pictures],
    optimizer: Optimizer,
    form: Parameterization,
    judge: Callable[[Pictures], Evaluation],
) -> Experiment:
    """Returns the experiment that stylizes all frames.

    Args:
        inputs: network, pictures and weights.
        frames: the frames and their loss terms.
        steps: the steps of each frame but the first.
        start: a function key -> the initial image of the first frame.
        optimizer: the optimizer of the image.
        form: the parameterization of the image.
        judge: a function image -> further results of an evaluation.
    """
    temporal = Term("temporal", image_match(weights=True), frames.temporal_weight)
    terms = (*frames.content_terms, *frames.other_terms, temporal)
    inner = image_step(inputs.apply, form, terms, optimizer)

    def init(key):
        first = extended(start(key), frames.canvas)
        image = init_image(form, optimizer, first)
        return FramesState(image, first, jnp.zeros_like(first), jnp.zeros((), jnp.int32))

    def shown(image: ImageState) -> Pictures:
        return form.decode(optimizer.accepted(*image))

    def step(state: FramesState, batch, key):
        finished = shown(state.image)
        begun = init_image(form, optimizer, _beginning(frames, state, batch, finished))
        fresh: Bool[Array, ""] = batch["fresh"]
        new, old = (begun, finished), (state.image, state.previous)
        image, previous = jax.tree.map(lambda a, b: jnp.where(fresh, a, b), new, old)
        held = {"image": previous[0], "weights": batch["agreement"]}
        image, metrics = inner(image, batch["variables"], (*batch["targets"], held), key)
        return FramesState(image, state.first, previous, state.step + 1), metrics

    def evaluate(state, key) -> Evaluation:
        done = int(state.step)
        if done % steps or done < LEAD * steps:
            return {}
        image = jnp.clip(jax.jit(shown)(state.image), -1.0, 1.0)
        image = cropped(image, frames.pixels[0].shape[:2])
        name = frames.names[frame_of(done - 1, steps)]
        return {"frame": Images(image, 1, file_name=name), **judge(image)}

    return Experiment(
        init,
        step,
        evaluate,
        _batches(frames, inputs.network.variables, steps),
        cadence_decides={"eval_every": "the steps of each frame", "num_steps": "the frames"},
    )


def _beginning(frames: Frames, state: FramesState, batch: Any, finished: Pictures) -> Pictures:
    """Returns the image that a frame starts from, after the `finished` previous frame."""
    begin = batch["content"] if frames.from_content else state.first
    if not frames.warm_start:
        return begin
    stays = batch["agreement"][None, :, :, None]
    return stays * finished + (1.0 - stays) * begin


def _batches(frames: Frames, variables: Any, steps: int) -> Callable[[int], Iterator[Any]]:
    """Returns the batches by first step; only one frame's targets are in memory at a time."""
    others = targets(frames.other_terms)
    variables = jax.tree.map(jnp.asarray, variables)

    def picture(index: int) -> Pictures:
        return extended(as_images(frames.pixels[index]), frames.canvas)

    def of_frame(index: int) -> dict[str, Any]:
        held = jnp.zeros(frames.canvas)
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
