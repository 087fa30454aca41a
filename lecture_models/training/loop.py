"""The one training loop. Experiments vary in what they compute, never in how they are driven."""

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax

from lecture_models.experiment import Cadence, Evaluation, Experiment
from lecture_models.training import metric_window as windows
from lecture_models.training.checkpoint import Checkpoints, digest
from lecture_models.training.devices import ONE_DEVICE, Devices
from lecture_models.training.dispatch import Position, make_advance
from lecture_models.training.interrupt import Interrupted


@runtime_checkable
class Recorder(Protocol):
    """Where results go. `sync` returns when they are on the disk."""

    def train(self, step: int, metrics: dict[str, float]) -> None: ...

    def evaluation(self, step: int, evaluation: Evaluation) -> None: ...

    def sync(self) -> None: ...


class Outcome(NamedTuple):
    """The last state, its SHA-256, and how fast this process got there.

    `training_s` counts steps after the first dispatch (which compiles), checkpoints included and
    evaluations not.
    """

    state: Any
    digest: str
    steps_timed: int
    training_s: float

    @property
    def steps_per_second(self) -> float | None:
        return self.steps_timed / self.training_s if self.steps_timed > 0 else None


class Hooks(NamedTuple):
    """What the loop asks and tells the process around it.

    `stop_signal()` gives the number of a received signal, 0 for none; `on_start(step)` is called
    with the step that a run begins or resumes at, `on_first_dispatch()` when it has computed, and
    `on_stop(step)` after an evaluation or a checkpoint.
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
    """Trains from the newest checkpoint, or from the start, to the last step.

    An experiment of no steps is evaluated once, and its state is not saved. Between log points the
    host never waits for the device: what a log point gathered is fetched at the next one. On many
    devices the processes that do not lead evaluate and save nothing. Raises NonFiniteError,
    CheckpointError, and Interrupted once all is saved.
    """
    init_key, step_key, eval_key = jax.random.split(jax.random.key(seed), 3)
    if cadence.num_steps == 0:
        return _analyze(experiment, init_key, eval_key, recorder, hooks)
    experiment = _traced_once(experiment)
    names = _metric_names(experiment, init_key, step_key)
    position = devices.begin(_start(experiment, init_key, len(names), checkpoints))
    position = position._replace(step=int(position.step))
    hooks.on_start(position.step)
    most = cadence.log_every
    advance = make_advance(experiment, step_key, most, steps_per_dispatch, devices)
    run = _Run(experiment, cadence, checkpoints, recorder, hooks, eval_key, names, devices)
    while position.step < cadence.num_steps:
        stop = cadence.next_stop(position.step)
        position = advance(position, stop)
        if run.began is None:
            run.begin(position)
            hooks.on_first_dispatch()
        signal_number = devices.all_reduce_max(hooks.stop_signal(), due=position.step == stop)
        position = run.visit(position, must_save=signal_number > 0)
        if signal_number and position.step < cadence.num_steps:
            checkpoints.wait()
            raise Interrupted(signal_number)
    checkpoints.wait()
    return run.outcome(position)


def _analyze(experiment: Experiment, init_key, eval_key, recorder, hooks: Hooks) -> Outcome:
    hooks.on_start(0)
    state = jax.jit(experiment.init)(init_key)
    recorder.evaluation(0, experiment.evaluate(state, eval_key))
    recorder.sync()
    hooks.on_stop(0)
    return Outcome(state, digest(state), 0, 0.0)


def _traced_once(experiment: Experiment) -> Experiment:
    """jax remembers the trace of a jitted function: for the metrics' names, and to compile."""
    experiment = experiment.with_steps(lambda step: jax.jit(step, inline=True))
    return experiment._replace(init=jax.jit(experiment.init))


def _metric_names(experiment: Experiment, init_key, step_key) -> list[str]:
    state = jax.eval_shape(experiment.init, init_key)
    batch = next(iter(experiment.batches(0)))
    names = [
        sorted(jax.eval_shape(phase.step, state, batch, step_key)[1]) for phase in experiment.phases
    ]
    if any(other != names[0] for other in names):
        raise ValueError(f"the metrics of the phases differ: {names}; they must have one set")
    return names[0]


def _start(experiment, init_key, num_metrics: int, checkpoints: Checkpoints) -> Position:
    blank = windows.empty(num_metrics)
    state = jax.eval_shape(experiment.init, init_key)
    like = {"state": state, "window": jax.eval_shape(lambda: blank)}
    restored = checkpoints.restore_latest(like)
    if restored is None:
        return Position(0, experiment.init(init_key), blank)
    step, saved = restored
    checkpoints.set_aside_after(step)
    saved = jax.tree.map(jax.numpy.asarray, saved)
    return Position(step, saved["state"], windows.Window(*saved["window"]))


class _Run:
    """What is done at the stops between dispatches, and what remains to be fetched from them."""

    def __init__(self, experiment, cadence, checkpoints, recorder, hooks, eval_key, names, devices):
        self._experiment, self._cadence = experiment, cadence
        self._checkpoints, self._recorder = checkpoints, recorder
        self._hooks, self._eval_key, self._names = hooks, eval_key, names
        self._devices = devices
        self._pending: tuple[int, windows.Window] | None = None
        self._digest = ""
        self._paused_s = 0.0
        self.began: float | None = None

    def begin(self, position: Position) -> None:
        jax.block_until_ready(position.window)
        self.began, self._begin_step = time.perf_counter(), position.step

    def visit(self, position: Position, must_save: bool) -> Position:
        step, cadence = position.step, self._cadence
        score = None
        if cadence.due(cadence.log_every, step):
            self._flush()
            self._pending = (step, position.window)
            blank = self._devices.replicate(windows.empty(len(self._names)))
            position = position._replace(window=blank)
        must_evaluate = cadence.due(cadence.eval_every, step)
        must_save = must_save or cadence.due(cadence.checkpoint_every, step)
        if must_evaluate or must_save:
            self._flush()
            seen = position._replace(
                state=self._devices.to_host(position.state),
                window=self._devices.to_host(position.window),
            )
            self._refuse_nan(seen)
            if must_evaluate and self._devices.process_group.is_main:
                score = self._evaluate(seen)
            if must_save or score is not None:
                self._save(seen, score)
            self._hooks.on_stop(step)
        return position

    def _flush(self) -> None:
        if self._pending is not None:
            step, window = self._pending
            self._recorder.train(step, windows.means(window, self._names))
            self._pending = None

    def _evaluate(self, position: Position) -> float | None:
        jax.block_until_ready(position.state)
        paused = time.perf_counter()
        # The same key each time, so that pictures of two steps show the same latents.
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
        windows.refuse_non_finite(position.window, self._names)
        if windows.has_nan(position.state):
            raise windows.NonFiniteError(f"the state holds NaN after step {position.step}")

    def outcome(self, end: Position) -> Outcome:
        began = self.began or time.perf_counter()
        elapsed = time.perf_counter() - began - self._paused_s
        steps_timed = end.step - self._begin_step if self.began else 0
        # A run that resumes at its end has saved nothing.
        sha256 = self._digest or digest({"state": end.state, "window": end.window})
        return Outcome(end.state, sha256, steps_timed, elapsed)
