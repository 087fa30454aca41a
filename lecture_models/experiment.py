"""Defines the contract between experiments and the training loop."""

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float, Int, Key

State = Any  # A pytree of arrays.
Batch = Any  # A pytree of arrays with the examples along the first axis.
Metrics = dict[str, Float[Array, ""]]


class Images(NamedTuple):
    """Holds images of one evaluation, which are tiled row by row into one PNG file.

    Attributes:
        pixels: floats in [-1, 1], (image, height, width, 1, 3 or 4); values outside are clipped,
            and NaN is shown in magenta. A fourth channel is opacity, -1 transparent and 1 opaque.
        columns: the number of images in a row.
        caption: one line for the report, W&B and the file's metadata; "" for none.
        file_name: the name of the file without its ending, if each step has a name of its own, as
            the frames of a film do; "" for the name of the result and the step.
    """

    pixels: Float[Array, "image height width channel"] | jax.typing.ArrayLike
    columns: int = 10
    caption: str = ""
    file_name: str = ""


class LabeledBox(NamedTuple):
    """Describes a rectangle in an image, in pixels from the image's top left corner.

    The edges lie between pixels: (0, 0, height, width) encloses the whole image. A box may extend
    beyond the image; the part outside is not drawn.

    Attributes:
        top: distance of the upper edge from the image's upper edge.
        left: distance of the left edge from the image's left edge.
        bottom: distance of the lower edge from the image's upper edge, at least `top`.
        right: distance of the right edge from the image's left edge, at least `left`.
        label: name of the class, written beside the box; boxes of one label have one color.
        score: confidence, written after the label; None for none, as in a ground-truth box.
    """

    top: float
    left: float
    bottom: float
    right: float
    label: str = ""
    score: float | None = None


class AnnotatedImages(NamedTuple):
    """Holds images with boxes or segmentation masks drawn on them, written like `Images`.

    Attributes:
        pixels: floats in [-1, 1], (image, height, width, 1 or 3).
        boxes: for each image a tuple of its boxes; () where no image has any.
        masks: integers, (image, height, width); 0 is background, each other value has a color of
            its own; None for no masks.
        columns: the number of images in a row.
        caption: one line for the report, W&B and the file's metadata; "" for none.
    """

    pixels: Float[Array, "image height width channel"] | jax.typing.ArrayLike
    boxes: tuple[tuple[LabeledBox, ...], ...] = ()
    masks: Int[Array, "image height width"] | jax.typing.ArrayLike | None = None
    columns: int = 10
    caption: str = ""


class Animation(NamedTuple):
    """Holds the frames of an animation, which repeats endlessly.

    Attributes:
        frames: floats in [-1, 1], (frame, height, width, 1 or 3); values outside are clipped, and
            NaN is shown in magenta.
        seconds_per_frame: time that each frame is shown, from 0.02 to 600 seconds, rounded to
            hundredths.
        caption: one line for the report and W&B; "" for none.
    """

    frames: Float[Array, "frame height width channel"] | jax.typing.ArrayLike
    seconds_per_frame: float = 0.1
    caption: str = ""


class Sound(NamedTuple):
    """Holds a sound, which is written with 16 bits per sample.

    Attributes:
        samples: floats in [-1, 1], (frame,) for mono or (frame, channel); values outside are
            refused, because clipping is audible.
        rate: frames per second, in Hz.
        caption: one line for the report and W&B; "" for none.
    """

    samples: Float[Array, " frame"] | Float[Array, "frame channel"] | jax.typing.ArrayLike
    rate: int
    caption: str = ""


class Midi(NamedTuple):
    """Holds a musical score as a Standard MIDI File.

    Attributes:
        content: the bytes of the file, which begin with `MThd`.
        caption: one line for the report; "" for none.
    """

    content: bytes
    caption: str = ""


class DataTable(NamedTuple):
    """Holds a table of numbers and texts.

    Attributes:
        columns: the names of the columns.
        rows: for each row a tuple with one number or text for each column.
        caption: one line for the report; "" for none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[int | float | str, ...], ...]
    caption: str = ""


class ArrayFile(NamedTuple):
    """Holds numbers for another program, which are written as a .npy file of NumPy.

    Attributes:
        values: an array of any shape and any type of numbers or booleans that NumPy has.
        caption: one line for the report; "" for none.
    """

    values: jax.typing.ArrayLike
    caption: str = ""


# What is written to a file of its own; `training/artifact_files.py` says how.
Artifact = Images | AnnotatedImages | Animation | Sound | Midi | DataTable | ArrayFile

# Numbers are metrics; a text may have any length and any number of lines.
Evaluation = dict[str, Array | float | str | Artifact]

Step = Callable[[State, Batch, Key[Array, ""]], tuple[State, Metrics]]


class Phase(NamedTuple):
    """Describes a stretch of training with a step function of its own.

    Each phase is compiled separately. One program with a `lax.switch` between the phases copies the
    whole state at every step on the CPU, which doubles the time of a deep autoencoder.

    Attributes:
        first_step: the first step of the phase; the phase lasts until the next one begins.
        step: computes one training step, as `Experiment.step` does.
        enter: changes the state once, before `first_step`.
    """

    first_step: int
    step: Step
    enter: Callable[[State], State] = lambda state: state


class Best(NamedTuple):
    """Describes the metric by which a best checkpoint is kept.

    Attributes:
        metric: the name of a scalar that `evaluate` returns.
        sign: 1 where higher is better, -1 where lower is better.
    """

    metric: str
    sign: float = 1.0


class Result(NamedTuple):
    """Describes the picture or film that an experiment makes, which `--output` writes to a file.

    Attributes:
        name: the name of its `Images` in what `evaluate` returns. The last ones are the picture;
            those of all steps are the frames of a film.
        seconds_per_frame: the time that each frame of a film is shown; None for a picture.
    """

    name: str
    seconds_per_frame: float | None = None


class Classifier(NamedTuple):
    """Describes the classifier of images that a run trains, so that other experiments can use it.

    Its input are images in [-1, 1], standardized: (image - mean) / deviation.

    Attributes:
        model: the linen module; it returns logits and activations.
        variables: `variables(state)` returns what `model.apply` takes.
        classes: the names of the logits.
        image_shape: height, width and channels of an image.
        mean: the mean of each channel over the training images.
        deviation: the standard deviation of each channel, likewise.
    """

    model: Any
    variables: Callable[[State], Any]
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def record(self) -> dict[str, Any]:
        """Returns what a run's record says of the classifier, in the values that JSON has."""
        names = ("classes", "image_shape", "mean", "deviation")
        return {name: list(getattr(self, name)) for name in names}


class Experiment(NamedTuple):
    """Holds the pure functions of an experiment, which share only the state.

    It is to an experiment what optax's GradientTransformation is to an optimizer.

    Attributes:
        init: `init(key)` returns the initial state, a pytree of arrays only.
        step: `step(state, batch, key)` returns the next state and scalar metrics. It is compiled
            once, and its state is donated. For training in phases it is a tuple of `Phase` instead,
            the first of which begins at step 0; all states have one structure, and all metrics the
            same names. An analysis has no phases: `step` is (), and `num_steps` of its Config is 0.
            It is evaluated once, and its texts are printed.
        evaluate: `evaluate(state, key)` returns results by name: scalars (0-d arrays or floats),
            texts, and the artifacts of this module, such as `Images` or `Sound`. A name that begins
            with `alarm_` has a text: "" when all is well; any other text is flagged in the summary
            and the report.
        batches: `batches(first_step)` yields the batch of each step from `first_step` on; a step
            always gets the same batch. If `batches` also has `arrays` (a dict) and `indices(step)`,
            as `data.batches.ArrayBatches` has, an accelerator holds the arrays and gathers there.
        best: the metric by which one more checkpoint is kept; None for none.
        classifier: the classifier that the state holds, for other experiments; None for none.
        result: the picture or film that the run makes; None for none.
        sample: `sample(state, key, count)` draws images in [-1, 1] from the model; None if the
            model draws none, or only in `evaluate`.
        cadence_decides: maps a field of `Cadence` to what it decides about the steps, such as
            {"num_steps": "the schedule of learning_rate"}. A run that resumes cannot change such a
            field. It can change the others, but `num_steps` only to a larger number.
    """

    init: Callable[[Key[Array, ""]], State]
    step: Step | tuple[Phase, ...]
    evaluate: Callable[[State, Key[Array, ""]], Evaluation]
    batches: Callable[[int], Iterator[Batch]]
    best: Best | None = None
    classifier: Classifier | None = None
    result: Result | None = None
    sample: Callable[[State, Key[Array, ""], int], jax.typing.ArrayLike] | None = None
    cadence_decides: Mapping[str, str] = types.MappingProxyType({})

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Lists the phases in the order of their first steps; a single `step` is one phase."""
        return self.step if isinstance(self.step, tuple) else (Phase(0, self.step),)

    def with_steps(self, change: Callable[[Step], Step]) -> "Experiment":
        """Returns the experiment with `change` applied to the step of each phase."""
        phases = (phase._replace(step=change(phase.step)) for phase in self.phases)
        return self._replace(step=tuple(phases))


class Cadence(NamedTuple):
    """Says how long to train, and how often to log, evaluate and save; all are numbers of steps."""

    num_steps: int
    log_every: int
    eval_every: int
    checkpoint_every: int

    def next_stop(self, step: int) -> int:
        """Returns the first step after `step` at which something is due."""
        intervals = (self.log_every, self.eval_every, self.checkpoint_every)
        return min(self.num_steps, *(step - step % every + every for every in intervals))

    def due(self, every: int, step: int) -> bool:
        """Returns True at multiples of `every` and at the last step."""
        return step % every == 0 or step == self.num_steps
