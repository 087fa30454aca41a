"""Each trial once, whatever dies: the study as several workers see it."""

import contextlib

import optuna
import pytest
from optuna.trial import TrialState

from lecture_models.sweeps.heartbeat import WorkerHeartbeat
from lecture_models.sweeps.spec import make_spec
from lecture_models.sweeps.storage import open_storage, shown
from lecture_models.sweeps.study import SET_ASIDE, TrialQueue, entries, open_study

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
    """Makes another worker of one study, with its crew."""
    with contextlib.ExitStack() as stack:

        def make(limit=3, max_retries=1, folder="workers"):
            url = f"sqlite:///{tmp_path}/study.db" if request.param == "database" else None
            storage = open_storage(url, tmp_path, beat_s=1)
            crew = stack.enter_context(contextlib.closing(WorkerHeartbeat(tmp_path / folder, 1)))
            study = open_study(storage, "study", SPEC, 4)
            if url:
                stack.callback(storage.optuna.engine.dispose)
            limits = {"limit": limit, "max_retries": max_retries, "seed": 0}
            return TrialQueue(study, storage, SPEC, crew, **limits), crew

        yield make


def finish(ledger):
    while (claim := ledger.claim()) is not None:
        assert ledger.tell(claim.trial, TrialState.COMPLETE, claim.draws["x"])


def states(ledger):
    found = entries(ledger.study.get_trials())
    return {index: [each.state.name for each in entry.tries] for index, entry in found.items()}


def test_two_workers_share_out_the_trials(worker):
    (first, _), (second, _) = worker(), worker()
    claims = [first.claim(), second.claim(), first.claim()]
    assert sorted(claim.index for claim in claims) == [0, 1, 2]
    assert second.claim() is None
    assert not second.is_done()
    for claim in claims:
        first.tell(claim.trial, TrialState.COMPLETE, 0.0)
    assert second.is_done()


def test_the_trial_of_a_dead_worker_is_done_by_another_with_the_same_draws(worker):
    (first, crew), (second, _) = worker(), worker()
    lost = first.claim()
    crew._lock.close()  # As the system does when a process dies.
    taken = second.claim()
    assert (taken.index, taken.draws) == (lost.index, lost.draws)
    assert not first.tell(lost.trial, TrialState.COMPLETE, 0.0)
    second.tell(taken.trial, TrialState.COMPLETE, 0.0)
    finish(second)
    assert states(second) == {0: ["FAIL", "COMPLETE"], 1: ["COMPLETE"], 2: ["COMPLETE"]}


def test_of_one_trial_opened_twice_the_second_is_set_aside(worker):
    ledger, _ = worker()
    for _ in range(2):
        ledger.study.enqueue_trial({}, user_attrs={"index": 0, "try": 0})
    finish(ledger)
    found = ledger.study.get_trials()
    assert [each.user_attrs.get("outcome") for each in found].count(SET_ASIDE) == 1
    assert states(ledger) == {0: ["COMPLETE"], 1: ["COMPLETE"], 2: ["COMPLETE"]}


def test_a_trial_that_nobody_opened_by_index_is_no_trial_of_the_sweep(worker):
    ledger, _ = worker(limit=1)
    ledger.study.enqueue_trial({})
    finish(ledger)
    assert states(ledger) == {0: ["COMPLETE"]}


def test_failures_are_tried_again_within_the_limit_and_interruptions_beyond(worker):
    ledger, _ = worker(limit=1, max_retries=1)
    for outcome in ("interrupted", "failed", "interrupted", "failed"):
        ledger.fail(ledger.claim(), "why", outcome)
    assert ledger.claim() is None
    assert ledger.is_done()


def test_a_study_in_a_journal_outlives_a_line_cut_short(tmp_path):
    for text in (b"", b'{"op_code": 4, "wor'):
        with (tmp_path / "study.journal").open("ab") as file:
            file.write(text)
        storage = open_storage(None, tmp_path, 1)
        open_study(storage, "study", SPEC, 4).enqueue_trial({})
    assert len(optuna.load_study(study_name="study", storage=storage.optuna).trials) == 2


def test_a_password_is_not_shown():
    assert shown("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"
    assert shown(None) is None
