"""Shares out a study among workers that may die: each trial is done once."""

import contextlib

import optuna
import pytest
from optuna.trial import TrialState

from lecture_models.sweeps.address import read_address
from lecture_models.sweeps.heartbeat import WorkerHeartbeat
from lecture_models.sweeps.spec import make_spec
from lecture_models.sweeps.storage import open_storage
from lecture_models.sweeps.study import SET_ASIDE, TrialQueue, attempts_by_index, open_study

SPEC = make_spec(
    {
        "method": "random",
        "metric": {"name": "eval/loss"},
        "parameters": {"x": {"min": 0.0, "max": 1.0}},
    },
    "sweep",
)


@pytest.fixture(params=["journal", "database"])
def worker(request, tmp_path):
    """Returns a function that adds a worker to one study: its queue and its heartbeat."""
    with contextlib.ExitStack() as stack:

        def make(limit=3, max_retries=1, folder="workers"):
            url = f"sqlite:///{tmp_path}/study.db" if request.param == "database" else None
            storage = open_storage(url and read_address(url), tmp_path, interval_s=1)
            heartbeat = stack.enter_context(
                contextlib.closing(WorkerHeartbeat(tmp_path / folder, 1))
            )
            study = open_study(storage, "study", SPEC, 4)
            if url:
                stack.callback(storage.optuna.engine.dispose)
            limits = {"limit": limit, "max_retries": max_retries, "seed": 0}
            return TrialQueue(study, storage, SPEC, heartbeat, **limits), heartbeat

        yield make


def finish(queue):
    while (claimed := queue.claim()) is not None:
        assert queue.tell(claimed.trial, TrialState.COMPLETE, claimed.draws["x"])


def states(queue):
    trials = attempts_by_index(queue.study.get_trials()).values()
    return {trial.index: [attempt.state.name for attempt in trial.attempts] for trial in trials}


def test_two_workers_share_out_the_trials(worker):
    (first, _), (second, _) = worker(), worker()
    claims = [first.claim(), second.claim(), first.claim()]
    assert sorted(claimed.index for claimed in claims) == [0, 1, 2]
    assert second.claim() is None
    assert not second.is_done()
    for claimed in claims:
        first.tell(claimed.trial, TrialState.COMPLETE, 0.0)
    assert second.is_done()


def test_the_trial_of_a_dead_worker_is_done_by_another_with_the_same_draws(worker):
    (first, heartbeat), (second, _) = worker(), worker()
    lost = first.claim()
    heartbeat._lock.close()  # As the system does when a process dies.
    taken = second.claim()
    assert (taken.index, taken.draws) == (lost.index, lost.draws)
    assert not first.tell(lost.trial, TrialState.COMPLETE, 0.0)
    second.tell(taken.trial, TrialState.COMPLETE, 0.0)
    finish(second)
    assert states(second) == {0: ["FAIL", "COMPLETE"], 1: ["COMPLETE"], 2: ["COMPLETE"]}


def test_the_second_of_two_equal_attempts_is_set_aside(worker):
    queue, _ = worker()
    for _ in range(2):
        queue.study.enqueue_trial({}, user_attrs={"index": 0, "try": 0})
    finish(queue)
    outcomes = [trial.user_attrs.get("outcome") for trial in queue.study.get_trials()]
    assert outcomes.count(SET_ASIDE) == 1
    assert states(queue) == {0: ["COMPLETE"], 1: ["COMPLETE"], 2: ["COMPLETE"]}


def test_a_trial_without_an_index_is_not_counted(worker):
    queue, _ = worker(limit=1)
    queue.study.enqueue_trial({})
    finish(queue)
    assert states(queue) == {0: ["COMPLETE"]}


def test_failures_are_retried_within_the_limit_and_interruptions_always(worker):
    queue, _ = worker(limit=1, max_retries=1)
    for outcome in ("interrupted", "failed", "interrupted", "failed"):
        queue.fail(queue.claim(), "why", outcome)
    assert queue.claim() is None
    assert queue.is_done()


def test_a_journal_is_read_despite_an_incomplete_line(tmp_path):
    for text in (b"", b'{"op_code": 4, "wor'):
        with (tmp_path / "study.journal").open("ab") as file:
            file.write(text)
        storage = open_storage(None, tmp_path, 1)
        open_study(storage, "study", SPEC, 4).enqueue_trial({})
    assert len(optuna.load_study(study_name="study", storage=storage.optuna).trials) == 2
