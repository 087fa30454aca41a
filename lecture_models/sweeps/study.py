"""Distributes a sweep's trials among workers, each index once, whichever worker dies.

A trial of the sweep has an index. Each attempt at it is one trial of Optuna's study, which stores
the index and the number of the attempt. If two workers enqueue the same attempt at once, the one
that Optuna numbered first counts and the other is set aside. The study holds the whole state, so
any process may be killed.
"""

import itertools
import warnings
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from lecture_models.sweeps.heartbeat import WorkerHeartbeat
from lecture_models.sweeps.spec import SweepSpec
from lecture_models.sweeps.storage import Storage

# Names of the attributes that Optuna stores with a trial.
INDEX, ATTEMPT, WORKER, OUTCOME, ERROR = "index", "try", "worker", "outcome", "error"
# Values of OUTCOME.
SET_ASIDE = "set aside"  # A duplicate.
INTERRUPTED = "interrupted"  # Not counted as a failure; another attempt continues.
DIVERGED = "diverged"
FINAL = "final"  # A failure that another attempt would only repeat.


class TrialAttempts(NamedTuple):
    """Holds the index of a trial and all attempts at it, in order."""

    index: int
    attempts: list[FrozenTrial]

    @property
    def last(self) -> FrozenTrial:
        return self.attempts[-1]

    @property
    def failures(self) -> int:
        """Returns the number of failed attempts without interrupted ones."""
        failed = [attempt for attempt in self.attempts if attempt.state == TrialState.FAIL]
        return sum(attempt.user_attrs.get(OUTCOME) != INTERRUPTED for attempt in failed)

    def needs_retry(self, max_retries: int) -> bool:
        """Tells whether the last attempt failed and another one is allowed."""
        if self.last.state != TrialState.FAIL or self.last.user_attrs.get(OUTCOME) == FINAL:
            return False
        return self.failures <= max_retries


class ClaimedTrial(NamedTuple):
    """Holds a trial that only this process works on; `draws` is what Optuna drew."""

    index: int
    trial: optuna.Trial
    draws: dict[str, Any]


def attempts_by_index(trials: list[FrozenTrial]) -> dict[int, TrialAttempts]:
    """Groups Optuna's trials by index, in order, without duplicates."""
    attempts: dict[int, dict[int, FrozenTrial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        index = trial.user_attrs.get(INDEX)
        if index is not None:
            attempts.setdefault(index, {}).setdefault(trial.user_attrs[ATTEMPT], trial)
    return {
        index: TrialAttempts(index, [attempt for _, attempt in sorted(by_number.items())])
        for index, by_number in sorted(attempts.items())
    }


class TrialQueue:
    """Hands out the trials of a study to one worker; `limit` is the sweep's number of trials."""

    def __init__(
        self,
        study: optuna.Study,
        storage: Storage,
        spec: SweepSpec,
        heartbeat: WorkerHeartbeat,
        *,
        limit: int,
        max_retries: int,
        seed: int,
    ):
        self.study, self._storage, self._spec, self._heartbeat = study, storage, spec, heartbeat
        self.limit, self._max_retries, self._seed = limit, max_retries, seed
        self._grid = list(spec.points()) if spec.method == "grid" else None

    def claim(self) -> ClaimedTrial | None:
        """Returns the next trial; None if there is none now (see `is_done`)."""
        self._fail_stale_trials()
        if not self._enqueue_next():
            return None
        with warnings.catch_warnings():
            # Optuna records heartbeats only in its own loop; here `keep_alive` does.
            warnings.simplefilter("ignore")
            trial = self.study.ask()
        self._storage.record_heartbeat(trial._trial_id)
        trial.set_user_attr(WORKER, self._heartbeat.name)
        index = trial.user_attrs.get(INDEX)
        if index is None or self._is_duplicate(trial):
            trial.set_user_attr(OUTCOME, SET_ASIDE)
            self.tell(trial, TrialState.FAIL)
            return self.claim()
        self.study.sampler = _sampler(self._spec, self._seed, index)
        draws = {
            name: trial._suggest(name, parameter.distribution)
            for name, parameter in self._spec.parameters.items()
        }
        return ClaimedTrial(index, trial, draws)

    def is_done(self) -> bool:
        """Tells whether all trials have ended and none needs a retry."""
        trials = attempts_by_index(self.study.get_trials(deepcopy=False))
        active = (TrialState.RUNNING, TrialState.WAITING)
        pending = (
            trial.last.state in active or trial.needs_retry(self._max_retries)
            for trial in trials.values()
        )
        return len(trials) >= self.limit and not any(pending)

    def record_heartbeat(self, claimed: ClaimedTrial) -> None:
        self._storage.record_heartbeat(claimed.trial._trial_id)

    def tell(
        self, trial: optuna.Trial | int, state: TrialState, value: float | None = None
    ) -> bool:
        """Records the end of a trial.

        Returns False if another worker took the trial over because this one seemed dead.
        """
        try:
            self.study.tell(trial, value, state=state)
        except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
            return False
        return True

    def fail(self, claimed: ClaimedTrial, error: str, outcome: str = "failed") -> None:
        """Records a failed attempt with its error and outcome."""
        try:
            claimed.trial.set_user_attr(OUTCOME, outcome)
            claimed.trial.set_user_attr(ERROR, error)
        except optuna.exceptions.UpdateFinishedTrialError:
            return
        self.tell(claimed.trial, TrialState.FAIL)

    def _is_duplicate(self, trial: optuna.Trial) -> bool:
        attempt = {name: trial.user_attrs[name] for name in (INDEX, ATTEMPT)}
        return any(
            attempt.items() <= other.user_attrs.items()
            for other in self.study.get_trials(deepcopy=False)
            if other.number < trial.number
        )

    def _enqueue_next(self) -> bool:
        """Enqueues a needed retry, else the next index, unless a trial is waiting already.

        Returns False if no trial waits and all have been started.
        """
        optuna_trials = self.study.get_trials(deepcopy=False)
        if any(trial.state == TrialState.WAITING for trial in optuna_trials):
            return True
        trials = attempts_by_index(optuna_trials)
        for trial in trials.values():
            if trial.needs_retry(self._max_retries):
                attributes = {INDEX: trial.index, ATTEMPT: len(trial.attempts)}
                point = self._grid[trial.index] if self._grid else trial.last.params
                self.study.enqueue_trial(point, user_attrs=attributes)
                return True
        index = next(number for number in itertools.count() if number not in trials)
        if index >= self.limit:
            return False
        point = self._grid[index] if self._grid else {}
        self.study.enqueue_trial(point, user_attrs={INDEX: index, ATTEMPT: 0})
        return True

    def _fail_stale_trials(self) -> None:
        """Marks the running trials of dead workers as failed, so that they are retried."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            worker = trial.user_attrs.get(WORKER)
            if worker is None:
                is_dead = self._heartbeat.is_start_overdue(trial.datetime_start)
            else:
                is_dead = self._heartbeat.is_dead(worker)
                if is_dead is None:  # Unknown here; a database knows it by its heartbeats.
                    is_dead = not self._storage.is_shared
            if is_dead:
                self.tell(trial.number, TrialState.FAIL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(self.study)


def _sampler(spec: SweepSpec, seed: int, index: int) -> optuna.samplers.BaseSampler:
    """Returns a sampler seeded by the index, so that a continued sweep has the same trials."""
    sampler_seed = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
    if spec.method == "bayes":
        return optuna.samplers.TPESampler(seed=sampler_seed)
    return optuna.samplers.RandomSampler(seed=sampler_seed)


def open_study(storage: Storage, name: str, spec: SweepSpec, evaluations: int) -> optuna.Study:
    """Opens the study of that name, or creates it; `evaluations` is their number in a whole run."""
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if spec.hyperband:
        minimum, maximum, eta = spec.hyperband
        pruner = optuna.pruners.HyperbandPruner(minimum, maximum or evaluations, eta)
    return optuna.create_study(
        storage=storage.optuna,
        study_name=name,
        direction=spec.goal,
        sampler=optuna.samplers.RandomSampler(),
        pruner=pruner,
        load_if_exists=True,
    )
