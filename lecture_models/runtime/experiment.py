"""The one contract between experiments and the loop."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float, Key

State = Any  # A pytree of arrays.
Batch = Any  # A pytree of arrays with the examples along the first axis.
Metrics = dict[str, Float[Array, ""]]


class Images(NamedTuple):
    """Pictures of one evaluation: NHWC in [-1, 1], tiled row by row when they are written."""

    pixels: Float[Array, "image height width channel"] | jax.typing.ArrayLike
    columns: int = 10
    caption: str = ""


Evaluation = dict[str, Array | float | Images | str]


class Best(NamedTuple):
    """The evaluated metric whose best checkpoint is kept; `sign` is -1 where less is better."""

    metric: str
    sign: float = 1.0


class Experiment(NamedTuple):
    """Pure functions that share only the state: what optax's pair is to an update.

    - `init(key)` gives the first state, a pytree of arrays only.
    - `step(state, batch, key)` gives the next state and scalar metrics; it is jitted once and its
      state is donated.
    - `evaluate(state, key)` gives scalars (0-d arrays or floats), `Images` and texts by name; a
      name that begins with `alarm_` is a text, empty when all is well, that is flagged in the
      summary and the report.
    - `batches(first_step)` gives the batches from that step on, the same for the same step. Where
      it has `arrays` (a dict) and `indices(step)`, as `data.batches.ArrayBatches` has, an
      accelerator holds the arrays and gathers there.
    - `best`, where it is given, names a metric to keep one more checkpoint by.
    """

    init: Callable[[Key[Array, ""]], State]
    step: Callable[[State, Batch, Key[Array, ""]], tuple[State, Metrics]]
    evaluate: Callable[[State, Key[Array, ""]], Evaluation]
    batches: Callable[[int], Iterator[Batch]]
    best: Best | None = None
