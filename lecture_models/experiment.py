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


Step = Callable[[State, Batch, Key[Array, ""]], tuple[State, Metrics]]


class Phase(NamedTuple):
    """A stretch of training: `enter(state)` once before step `first_step`, then `step`.

    Each phase is a program of its own. One program with a `lax.switch` between them copies the
    whole state at every step on the CPU: twice the time for a deep autoencoder.
    """

    first_step: int
    step: Step
    enter: Callable[[State], State] = lambda state: state


class Best(NamedTuple):
    """The evaluated metric whose best checkpoint is kept; `sign` is -1 where less is better."""

    metric: str
    sign: float = 1.0


class Experiment(NamedTuple):
    """Pure functions that share only the state: what optax's pair is to an update.

    - `init(key)` gives the first state, a pytree of arrays only.
    - `step(state, batch, key)` gives the next state and scalar metrics; it is jitted once and its
      state is donated. Training in phases gives a tuple of `Phase` in its place, the first at step
      0, whose states have one structure and whose metrics have the same names. An analysis has no
      phase, the empty tuple, and a Config whose `num_steps` is 0: it is evaluated once, and its
      texts are printed.
    - `evaluate(state, key)` gives scalars (0-d arrays or floats), `Images` and texts by name; a
      name that begins with `alarm_` is a text, empty when all is well, that is flagged in the
      summary and the report.
    - `batches(first_step)` gives the batches from that step on, the same for the same step. Where
      it has `arrays` (a dict) and `indices(step)`, as `data.batches.ArrayBatches` has, an
      accelerator holds the arrays and gathers there.
    - `best`, where it is given, names a metric to keep one more checkpoint by.
    """

    init: Callable[[Key[Array, ""]], State]
    step: Step | tuple[Phase, ...]
    evaluate: Callable[[State, Key[Array, ""]], Evaluation]
    batches: Callable[[int], Iterator[Batch]]
    best: Best | None = None

    @property
    def phases(self) -> tuple[Phase, ...]:
        """In order of their first steps; one from step 0 on where `step` is a function."""
        return self.step if isinstance(self.step, tuple) else (Phase(0, self.step),)

    def with_steps(self, change: Callable[[Step], Step]) -> "Experiment":
        """The same, the step of each phase changed."""
        phases = (phase._replace(step=change(phase.step)) for phase in self.phases)
        return self._replace(step=tuple(phases))


class Cadence(NamedTuple):
    """How long to train, and after how many steps to log, evaluate and save."""

    num_steps: int
    log_every: int
    eval_every: int
    checkpoint_every: int

    def next_stop(self, step: int) -> int:
        """The first step after this one at which something is due."""
        intervals = (self.log_every, self.eval_every, self.checkpoint_every)
        return min(self.num_steps, *(step - step % every + every for every in intervals))

    def due(self, every: int, step: int) -> bool:
        return step % every == 0 or step == self.num_steps
