import math

import pytest

from lecture_models.config import UsageError
from lecture_models.runs.past_run import read_past_run
from lecture_models.runs.query import matching, parse_query, resolve
from tests.past import write_past_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Writes runs a and b, c of another experiment without the metric, and d with a NaN loss."""
    folder = tmp_path_factory.mktemp("runs")
    write_past_run(folder / "a", {"eval/loss": 3.0}, started="2026-01-04")
    write_past_run(folder / "b", {"eval/loss": 1.0}, config={"seed": 1}, started="2026-01-03")
    write_past_run(
        folder / "c", {"train/rate": 2.0}, "failed", experiment="gan_mnist", started="2026-01-02"
    )
    write_past_run(folder / "d", {"eval/loss": math.nan}, config={"tanh": True, "code_dims": [4]})
    return [read_past_run(folder / name) for name in "abcd"]


def names(given, runs):
    return "".join(run.folder.name for run in matching(resolve(parse_query(given), runs), runs))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("eval/loss<5", "ba"),
        ("loss<5", "ba"),
        ("eval/loss>0.5", "ab"),
        ("loss <= 1", "b"),
        ("loss>=3.0", "a"),
        ("loss!=1", "ad"),
        ("rate=2", "c"),
        ("seed=1", "b"),
        ("learning_rate>=5e-3, seed=0 and status=finished", "da"),
        ("experiment=gan_mnist", "c"),
        ("status!=finished", "c"),
        ("code_dims=2,3,seed<1", "ca"),
        ("code_dims==4", "d"),
        ("tanh=true", "d"),
        ("started>=2026-01-03", "ba"),
        ("device=a CPU and data=digits", "dcba"),
        ("loss<nothing=1", None),
        ("preset<smoke", None),
        ("loss>100", ""),
    ],
)
def test_conditions_find_runs_the_best_first(given, found, runs):
    if found is None:
        with pytest.raises(UsageError):
            names(given, runs)
    else:
        assert names(given, runs) == found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "--runs has 'nothing'"),
        ("loss", "it must be NAME<VALUE"),
        ("loss<", "it must be NAME<VALUE"),
        ("<3", "it must be NAME<VALUE"),
        ("loss<1,", "it must be NAME<VALUE|must be followed by a number"),
        ("0<loss<1", "it must be NAME<VALUE"),
        ("loss<small", "< must be followed by a number"),
        ("loss<nan", "< must be followed by a number"),
        ("__import__('os').abort()", "it must be NAME<VALUE"),
    ],
)
def test_a_bad_condition_is_refused(given, message):
    with pytest.raises(UsageError, match=message):
        parse_query(given)


def test_an_unknown_name_is_refused_with_the_nearest(runs):
    with pytest.raises(UsageError, match="no run has 'lerning_rate'; did you mean 'learning_rate'"):
        names("lerning_rate<1", runs)
    with pytest.raises(UsageError, match="no run has 'los'; did you mean 'loss'"):
        names("los<1", runs)


def test_a_run_whose_metric_is_no_number_comes_last(runs):
    assert names("loss!=3 and seed<9", runs) == "bd"
