"""Who does which trial: each index once, its retries counted, whatever dies in between.

A trial of the sweep has an index; each try at it is one trial of Optuna's study, with the number
of the try. Two workers may open the same try at once: of the two the one that Optuna numbered
first counts, and the other is set aside. Nothing is held in a process, so any may be killed.
"""

import itertools
import warnings
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from lecture_models.sweeps.heartbeat import WorkerHeartbeat
from lecture_models.sweeps.spec import Spec
from lecture_models.sweeps.storage import Storage

INDEX, TRY, WORKER, OUTCOME, ERROR = "index", "try", "worker", "outcome", "error"
# Neither a result nor a failure: the next try goes on, and is not counted.
SET_ASIDE, INTERRUPTED = "set aside", "interrupted"
DIVERGED = "diverged"
FINAL = "final"  # A failure that another try would only repeat.


class Entry(NamedTuple):
    """An index and its tries, in order."""

    index: int
    tries: list[FrozenTrial]

    @property
    def last(self) -> FrozenTrial:
        return self.tries[-1]

    @property
    def failures(self) -> int:
        failed = [each for each in self.tries if each.state == TrialState.FAIL]
        return sum(each.user_attrs.get(OUTCOME) != INTERRUPTED for each in failed)

    def is_open(self, max_retries: int) -> bool:
        """Whether nobody works on it, and another try is due."""
        if self.last.state != TrialState.FAIL or self.last.user_attrs.get(OUTCOME) == FINAL:
            return False
        return self.failures <= max_retries


class ClaimedTrial(NamedTuple):
    """A trial that this process alone works on."""

    index: int
    trial: optuna.Trial
    draws: dict[str, Any]


def entries(trials: list[FrozenTrial]) -> dict[int, Entry]:
    """Every index with the tries that count."""
    tries: dict[int, dict[int, FrozenTrial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        index = trial.user_attrs.get(INDEX)
        if index is not None:
            tries.setdefault(index, {}).setdefault(trial.user_attrs[TRY], trial)
    return {
        index: Entry(index, [each for _, each in sorted(found.items())])
        for index, found in sorted(tries.items())
    }


class TrialQueue:
    """The study as one worker sees it; `limit` is how many trials the sweep has."""

    def __init__(
        self,
        study: optuna.Study,
        storage: Storage,
        spec: Spec,
        crew: WorkerHeartbeat,
        *,
        limit: int,
        max_retries: int,
        seed: int,
    ):
        self.study, self._storage, self._spec, self._crew = study, storage, spec, crew
        self.limit, self._max_retries, self._seed = limit, max_retries, seed
        self._grid = list(spec.points()) if spec.method == "grid" else None

    def claim(self) -> ClaimedTrial | None:
        """The next trial to do; None where there is none now, see `is_done`."""
        self._bury_the_dead()
        if not self._open_one():
            return None
        with warnings.catch_warnings():
            # Optuna beats its heart only inside its own loop; `WorkerHeartbeat.beating` does here.
            warnings.simplefilter("ignore")
            trial = self.study.ask()
        self._storage.beat(trial._trial_id)
        trial.set_user_attr(WORKER, self._crew.name)
        index = trial.user_attrs.get(INDEX)
        if index is None or self._came_second(trial):
            trial.set_user_attr(OUTCOME, SET_ASIDE)
            self.tell(trial, TrialState.FAIL)
            return self.claim()
        self.study.sampler = _sampler(self._spec, self._seed, index)
        draws = {
            name: trial._suggest(name, each.drawn) for name, each in self._spec.parameters.items()
        }
        return ClaimedTrial(index, trial, draws)

    def is_done(self) -> bool:
        found = entries(self.study.get_trials(deepcopy=False))
        busy = (TrialState.RUNNING, TrialState.WAITING)
        pending = (e.last.state in busy or e.is_open(self._max_retries) for e in found.values())
        return len(found) >= self.limit and not any(pending)

    def beat(self, claim: ClaimedTrial) -> None:
        self._storage.beat(claim.trial._trial_id)

    def tell(
        self, trial: optuna.Trial | int, state: TrialState, value: float | None = None
    ) -> bool:
        """False where the trial was taken from this worker, who was thought dead."""
        try:
            self.study.tell(trial, value, state=state)
        except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
            return False
        return True

    def fail(self, claim: ClaimedTrial, error: str, outcome: str = "failed") -> None:
        try:
            claim.trial.set_user_attr(OUTCOME, outcome)
            claim.trial.set_user_attr(ERROR, error)
        except optuna.exceptions.UpdateFinishedTrialError:
            return
        self.tell(claim.trial, TrialState.FAIL)

    def _came_second(self, trial: optuna.Trial) -> bool:
        mine = {name: trial.user_attrs[name] for name in (INDEX, TRY)}
        return any(
            mine.items() <= other.user_attrs.items()
            for other in self.study.get_trials(deepcopy=False)
            if other.number < trial.number
        )

    def _open_one(self) -> bool:
        """Puts a trial in the queue where none waits: a due retry, else the next index."""
        trials = self.study.get_trials(deepcopy=False)
        if any(trial.state == TrialState.WAITING for trial in trials):
            return True
        found = entries(trials)
        for entry in found.values():
            if entry.is_open(self._max_retries):
                tried = {INDEX: entry.index, TRY: len(entry.tries)}
                point = self._grid[entry.index] if self._grid else entry.last.params
                self.study.enqueue_trial(point, user_attrs=tried)
                return True
        index = next(number for number in itertools.count() if number not in found)
        if index >= self.limit:
            return False
        point = self._grid[index] if self._grid else {}
        self.study.enqueue_trial(point, user_attrs={INDEX: index, TRY: 0})
        return True

    def _bury_the_dead(self) -> None:
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            worker = trial.user_attrs.get(WORKER)
            if worker is None:
                dead = self._crew.is_late(trial.datetime_start)
            else:
                dead = self._crew.is_dead(worker)
                if dead is None:  # A database knows it by its heartbeats.
                    dead = not self._storage.is_shared
            if dead:
                self.tell(trial.number, TrialState.FAIL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(self.study)


def _sampler(spec: Spec, seed: int, index: int) -> optuna.samplers.BaseSampler:
    """One of its own for every index: a sweep that was stopped goes on with the same trials."""
    drawn = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
    if spec.method == "bayes":
        return optuna.samplers.TPESampler(seed=drawn)
    return optuna.samplers.RandomSampler(seed=drawn)


def open_study(storage: Storage, name: str, spec: Spec, evaluations: int) -> optuna.Study:
    """The study of that name, made where there is none; `evaluations` are those of a whole run."""
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if spec.early:
        most = spec.early.most or evaluations
        pruner = optuna.pruners.HyperbandPruner(spec.early.least, most, spec.early.eta)
    return optuna.create_study(
        storage=storage.optuna,
        study_name=name,
        direction=spec.goal,
        sampler=optuna.samplers.RandomSampler(),
        pruner=pruner,
        load_if_exists=True,
    )
