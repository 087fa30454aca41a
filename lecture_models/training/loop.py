"""Drives training, with one loop for every experiment."""

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax

from lecture_models.experiment import Cadence, Evaluation, Experiment
from lecture_models.training import metric_window
from lecture_models.training.checkpoint import Checkpoints, digest
from lecture_models.training.devices import ONE_DEVICE, Devices
from lecture_models.training.dispatch import Position, make_advance
from lecture_models.training.interrupt import Interrupted
from lecture_models.training.metric_window import MetricWindow, NonFiniteError


@runtime_checkable
class Recorder(Protocol):
    """Records results; `recorder.RunRecorder` does so in a run's folder."""

    def train(self, step: int, metrics: dict[str, float]) -> None:
        """Records the metrics of training, each a mean over the steps since the last call."""

    def evaluation(self, step: int, evaluation: Evaluation) -> None:
        """Records what `evaluate` returned."""

    def sync(self) -> None:
        """Returns when what was recorded is on the disk."""


class Outcome(NamedTuple):
    """Holds the result of a training.

    Attributes:
        state: the final state.
        digest: SHA-256 of the final state and metric window.
        steps_timed: number of steps after the first dispatch, which compiles.
        training_s: seconds that these steps took, with checkpoints and without evaluations.
    """

    state: Any
    digest: str
    steps_timed: int
    training_s: float

    @property
    def steps_per_second(self) -> float | None:
        """Returns the speed of this process; None if no step was timed."""
        return self.steps_timed / self.training_s if self.steps_timed > 0 else None


class Hooks(NamedTuple):
    """Holds functions that the loop calls in the process around it.

    Attributes:
        stop_signal: returns the number of a received signal, 0 for none.
        on_start: called with the step at which the run begins or resumes.
        on_first_dispatch: called when the first dispatch has computed.
        on_stop: called with the step after every evaluation or checkpoint.
    """

    stop_signal: Callable[[], int] = lambda: 0
    on_start: Callable[[int], None] = lambda step: None
    on_first_dispatch: Callable[[], None] = lambda: None
    on_stop: Callable[[int], None] = lambda step: None


NO_HOOKS = Hooks()


def train(
    experiment: Experiment,
    cadence: Cadence,
    seed: int,
    checkpoints: Checkpoints,
    recorder: Recorder,
    hooks: Hooks = NO_HOOKS,
    steps_per_dispatch: int | None = None,
    devices: Devices = ONE_DEVICE,
) -> Outcome:
    """Trains from the newest checkpoint, or from step 0, to the last step.

    An experiment of no steps is evaluated once, and its state is not saved. Between log points the
    host never waits for the device: the metrics of a log point are fetched at the next one. Of
    several processes only process 0 evaluates and saves.

    Args:
        experiment: what is trained.
        cadence: how many steps, and when to log, evaluate and save.
        seed: from which all random keys are derived.
        checkpoints: where the state is saved.
        recorder: where results are recorded.
        hooks: called at the start, at the first dispatch and at stops.
        steps_per_dispatch: steps that the device computes at once; None chooses by device.
        devices: where the arrays are placed.

    Raises:
        NonFiniteError: a metric is not finite, or the state holds NaN.
        CheckpointError: a checkpoint cannot be written or read.
        Interrupted: a signal was received, and the state is saved.
    """
    init_key, step_key, eval_key = jax.random.split(jax.random.key(seed), 3)
    if cadence.num_steps == 0:
        return _analyze(experiment, init_key, eval_key, recorder, hooks)
    experiment = _traced_once(experiment)
    names = metric_names(experiment, init_key, step_key)
    position = devices.broadcast(_start(experiment, init_key, len(names), checkpoints))
    position = position._replace(step=int(position.step))
    hooks.on_start(position.step)
    most = cadence.log_every
    advance = make_advance(experiment, step_key, most, steps_per_dispatch, devices)
    stops = _Stops(experiment, cadence, checkpoints, recorder, hooks, eval_key, names, devices)
    while position.step < cadence.num_steps:
        stop = cadence.next_stop(position.step)
        position = advance(position, stop)
        if stops.began is None:
            stops.begin(position)
            hooks.on_first_dispatch()
        signal_number = devices.all_reduce_max(hooks.stop_signal(), due=position.step == stop)
        position = stops.visit(position, must_save=signal_number > 0)
        if signal_number and position.step < cadence.num_steps:
            checkpoints.wait()
            raise Interrupted(signal_number)
    checkpoints.wait()
    return stops.outcome(position)


def _analyze(experiment: Experiment, init_key, eval_key, recorder, hooks: Hooks) -> Outcome:
    hooks.on_start(0)
    state = jax.jit(experiment.init)(init_key)
    recorder.evaluation(0, experiment.evaluate(state, eval_key))
    recorder.sync()
    hooks.on_stop(0)
    return Outcome(state, digest(state), 0, 0.0)


def _traced_once(experiment: Experiment) -> Experiment:
    """Jits the functions, so that one trace serves both the metrics' names and compilation."""
    experiment = experiment.with_steps(lambda step: jax.jit(step, inline=True))
    return experiment._replace(init=jax.jit(experiment.init))


def metric_names(experiment: Experiment, init_key, step_key) -> list[str]:
    """Returns the sorted names of the metrics of a step, without computing one.

    Raises ValueError if the phases have different ones.
    """
    state = jax.eval_shape(experiment.init, init_key)
    batch = next(iter(experiment.batches(0)))
    names = [
        sorted(jax.eval_shape(phase.step, state, batch, step_key)[1]) for phase in experiment.phases
    ]
    if any(phase_names != names[0] for phase_names in names):
        raise ValueError(f"the metrics of the phases differ: {names}; they must be the same")
    return names[0]


def checkpoint_structure(experiment: Experiment, init_key, num_metrics: int) -> dict[str, Any]:
    """Returns the shapes of what a checkpoint of the experiment holds."""
    return {
        "state": jax.eval_shape(experiment.init, init_key),
        "window": jax.eval_shape(lambda: metric_window.empty(num_metrics)),
    }


def _start(experiment, init_key, num_metrics: int, checkpoints: Checkpoints) -> Position:
    like = checkpoint_structure(experiment, init_key, num_metrics)
    restored = checkpoints.restore_latest(like)
    if restored is None:
        return Position(0, experiment.init(init_key), metric_window.empty(num_metrics))
    step, saved = restored
    checkpoints.set_aside_after(step)
    saved = jax.tree.map(jax.numpy.asarray, saved)
    return Position(step, saved["state"], MetricWindow(*saved["window"]))


class _Stops:
    """Logs, evaluates and saves at the stops between dispatches, and measures the speed."""

    def __init__(self, experiment, cadence, checkpoints, recorder, hooks, eval_key, names, devices):
        self._experiment, self._cadence = experiment, cadence
        self._checkpoints, self._recorder = checkpoints, recorder
        self._hooks, self._eval_key, self._names = hooks, eval_key, names
        self._devices = devices
        self._pending: tuple[int, MetricWindow] | None = None
        self._digest = ""
        self._paused_s = 0.0
        self.began: float | None = None

    def begin(self, position: Position) -> None:
        """Starts the clock when the first dispatch has computed."""
        jax.block_until_ready(position.window)
        self.began, self._begin_step = time.perf_counter(), position.step

    def visit(self, position: Position, must_save: bool) -> Position:
        """Does what is due at a step; returns the position, its window empty after a log point."""
        step, cadence = position.step, self._cadence
        score = None
        if cadence.due(cadence.log_every, step):
            self._flush()
            self._pending = (step, position.window)
            blank = self._devices.replicate(metric_window.empty(len(self._names)))
            position = position._replace(window=blank)
        must_evaluate = cadence.due(cadence.eval_every, step)
        must_save = must_save or cadence.due(cadence.checkpoint_every, step)
        if must_evaluate or must_save:
            self._flush()
            local = position._replace(
                state=self._devices.to_host(position.state),
                window=self._devices.to_host(position.window),
            )
            self._refuse_nan(local)
            if must_evaluate and self._devices.process_group.is_main:
                score = self._evaluate(local)
            if must_save or score is not None:
                self._save(local, score)
            self._hooks.on_stop(step)
        return position

    def _flush(self) -> None:
        if self._pending is not None:
            step, window = self._pending
            self._recorder.train(step, metric_window.means(window, self._names))
            self._pending = None

    def _evaluate(self, position: Position) -> float | None:
        jax.block_until_ready(position.state)
        paused = time.perf_counter()
        # The same key at every evaluation, so that images of two steps show the same latents.
        key = jax.random.clone(self._eval_key)
        evaluation = self._experiment.evaluate(position.state, key)
        self._recorder.evaluation(position.step, evaluation)
        self._paused_s += time.perf_counter() - paused
        best = self._experiment.best
        score = math.nan if best is None else best.sign * float(evaluation[best.metric])
        return score if math.isfinite(score) else None

    def _save(self, position: Position, score: float | None) -> None:
        self._recorder.sync()
        saved = {"state": position.state, "window": position.window}
        self._digest = self._checkpoints.save(position.step, saved, score)

    def _refuse_nan(self, position: Position) -> None:
        metric_window.refuse_non_finite(position.window, self._names)
        if metric_window.has_nan(position.state):
            raise NonFiniteError(f"the state holds NaN after step {position.step}")

    def outcome(self, end: Position) -> Outcome:
        """Returns the result of the training that ends here."""
        began = self.began or time.perf_counter()
        elapsed = time.perf_counter() - began - self._paused_s
        steps_timed = end.step - self._begin_step if self.began else 0
        # A run that resumes at its last step saves nothing.
        sha256 = self._digest or digest({"state": end.state, "window": end.window})
        return Outcome(end.state, sha256, steps_timed, elapsed)
