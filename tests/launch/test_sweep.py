"""Tests --sweep: what is refused, which trials run, and what a finished sweep writes."""

import json
import os
import re

import jax
import pytest
import yaml
from jax.experimental.compilation_cache import compilation_cache

from lecture_models.runs.results import finished_runs
from tests.conftest import ROOT
from tests.launch.launched import tracked_runs
from tests.launch.sweeping import SPEC, sweep, trials, write

X = {"x": {"min": -1.0, "max": 1.0}}
NAMES = ("0000", "0001")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "baies"}, "method is 'baies'; allowed: grid, random, bayes"),
        ({"metod": "grid"}, "the key 'metod'; did you mean 'method'?"),
        ({"metric": None, "method": "bayes"}, "no metric; bayes needs one"),
        ({"metric": {"name": "eval/los"}}, "never logs 'eval/los'; nearest: eval/loss"),
        ({"metric": {"name": "eval/loss", "goal": "smallest"}}, "goal is 'smallest'"),
        ({"parameters": {"ex": {"values": [1.0]}}}, "quadratic has no parameter 'ex'"),
        ({"parameters": {"widht": {"min": 1, "max": 3}}}, "did you mean 'width'?"),
        ({"parameters": X | {"wide": {"value": 1}}}, "no parameter 'wide'"),
        ({"parameters": {"x": {"values": []}}}, "x has values []; it must be a list"),
        ({"parameters": {"x": {"min": 2.0, "max": 1.0}}}, "x has min 2.0, above max 1.0"),
        ({"parameters": {"x": {"min": 1.0, "max": 1.0}}}, "the empty range 1.0 to 1.0"),
        ({"parameters": {"x": {"min": 0, "max": 1.0}}}, "an int and a float"),
        ({"parameters": {"x": {"min": "one", "max": 1.0}}}, "x has min 'one'; it must be a"),
        ({"parameters": {1: {"value": 1.0}}}, "YAML reads the key '1' as int; quote it"),
        ({"parameters": {"x": {"distribution": "normall"}}}, "did you mean 'normal'?"),
        ({"parameters": {"y": {"min": -1.0, "max": 1.0}}}, "--y is -1.0; it must be at least 0"),
        ({"parameters": {"seed": {"values": [0, 2**32]}}}, "--seed is 4294967296; it must be at"),
        ({"parameters": {"seed": {"min": -3, "max": 5}}}, "--seed is -3; it must be at least 0"),
        ({"parameters": X | {"seed": {"value": 10**20}}}, "it must be at most 4294967295"),
        ({"parameters": X | {"num_steps": {"value": 10**20}}}, "it must be at most 2147483647"),
        ({"parameters": X | {"data_dir": {"value": "gs://b/d"}}}, "--data_dir is gs://b/d, a URL"),
        (
            {"parameters": {"width": {"min": 1.5, "max": 2.5}}},
            "--width is 1.5; it must be an integer",
        ),
        ({"parameters": X, "method": "grid"}, "x is a range without steps; a grid needs values"),
        (
            {"parameters": X, "run_cap": None},
            "the number of trials is missing, and random search never ends",
        ),
        ({"early_terminate": {"type": "median"}}, "its type must be hyperband"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 9}}, "a run of quadratic has 4"),
    ],
)
def test_what_is_wrong_with_a_sweep_is_one_line_before_the_first_trial(
    changes, message, tmp_path, monkeypatch, capsys
):
    assert sweep(monkeypatch, write(tmp_path, **changes)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--x=0.5", "--x is also a parameter of the sweep"),
        ("--storage=mysql://host/x", "allowed: postgresql://"),
        ("--num_trials=0", "--num_trials is 0; it must be at least 1"),
        ("--workers=0", "--workers is 0; it must be at least 1"),
        ("--sweep_seed=-1", "--sweep_seed is -1; it must be at least 0"),
        ("--heartbeat=99999999999999999999", "it must be an integer in the range"),
        ("--seeds=3", "--sweep and --seeds are two commands"),
        ("--num_trial=3", "did you mean 'num_trials'?"),
    ],
)
def test_a_wrong_flag_of_a_sweep_is_one_line(flag, message, tmp_path, monkeypatch, capsys):
    assert sweep(monkeypatch, write(tmp_path), flag) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_file_that_is_no_sweep_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "sweep.yaml").write_text("method: [grid")
    assert sweep(monkeypatch, tmp_path / "sweep.yaml") == 2
    assert "is not valid YAML" in capsys.readouterr().err
    assert sweep(monkeypatch, tmp_path / "none.yaml") == 2
    assert "cannot read --sweep=" in capsys.readouterr().err


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Returns the folder of a finished grid of nine points, which tests must not change."""
    folder = tmp_path_factory.mktemp("grid")
    parameters = {"x": {"values": [-0.5, 0.0, 0.5]}, "y": {"values": [0.0, 0.5, 1.0]}}
    with pytest.MonkeyPatch.context() as patch:
        assert sweep(patch, write(folder, method="grid", parameters=parameters, run_cap=None)) == 0
    return folder / "sweep"


@pytest.mark.slow
def test_a_grid_covers_every_point_once(grid):
    points = [(each["config"]["x"], each["config"]["y"]) for each in trials(grid).values()]
    assert len(points) == 9
    assert set(points) == {(x, y) for x in (-0.5, 0.0, 0.5) for y in (0.0, 0.5, 1.0)}


def test_every_trial_is_an_ordinary_run(grid):
    assert len(finished_runs(grid / "trials", "quadratic")) == 9
    record = trials(grid)["0000"]
    assert record["command"].endswith(f"--workdir={grid}/trials/0000")


def test_the_report_names_the_best_and_how_to_run_it_again(grid):
    page = re.sub("</?span>", "", (grid / "report.html").read_text())
    assert "--x=0.5 --y=0.0" in page
    assert page.count('<a href="trials/') == 9 + 1
    assert "functional ANOVA" in page
    assert "parallel coordinates of 9 trials" in page
    assert "http" not in re.sub(r"http-equiv|http://www.w3.org/2000/svg", "", page)  # Names.


def test_a_finished_sweep_shows_its_summary_and_trains_nothing(grid, monkeypatch, capsys):
    before = {path: path.stat().st_mtime_ns for path in (grid / "trials").rglob("*.json")}
    assert sweep(monkeypatch, grid.parent / "sweep.yaml") == 0
    shown = capsys.readouterr()
    assert "9 trials: 9 finished" in shown.out
    assert "best: trial 6, eval/loss 0.0400" in shown.out
    assert before == {path: path.stat().st_mtime_ns for path in (grid / "trials").rglob("*.json")}


def test_the_trials_stand_together_in_wandb_and_each_is_a_run_of_its_own(
    tmp_path, monkeypatch, capsys
):
    tracked = tracked_runs(monkeypatch)
    monkeypatch.setenv("WANDB_RUN_ID", "mine1234")
    monkeypatch.setenv("WANDB_NAME", "mine")
    monkeypatch.setenv("WANDB_PROJECT", "thesis")
    path = write(tmp_path, name="heights", run_cap=2)
    assert sweep(monkeypatch, path, "--num_steps=1", "--wandb=offline", "--wandb_tags=a,b") == 0
    assert tracked.pop(0) is None  # Of the smoke preset, whose W&B is off.
    assert [run.name for run in tracked] == ["heights/0000", "heights/0001"]
    assert len({"mine1234", *(run.run_id for run in tracked)}) == 3
    shared = {(run.group, run.project, run.tags) for run in tracked}
    assert shared == {("heights", "thesis", ("a", "b"))}
    said = "W&B: WANDB_RUN_ID and WANDB_NAME not used; each run of heights gets its own"
    assert capsys.readouterr().err.count(said) == 1
    assert sweep(monkeypatch, path, "--num_steps=1", "--wandb_name=mine") == 2
    assert "--wandb_name is for one run; it cannot be combined with --sweep" in (
        capsys.readouterr().err
    )


def test_another_sweep_never_enters_the_folder(grid, tmp_path, monkeypatch, capsys):
    assert sweep(monkeypatch, write(tmp_path), workdir=grid) == 1
    assert "holds another sweep of quadratic" in capsys.readouterr().err
    assert sweep(monkeypatch, grid.parent / "sweep.yaml", "--sweep_seed=1", workdir=grid) == 1
    assert sweep(monkeypatch, write(tmp_path), workdir=grid / "trials" / "0000") == 1
    assert "but no sweep.json; name a new folder" in capsys.readouterr().err


@pytest.mark.slow
def test_one_seed_gives_the_same_trials_and_another_does_not(tmp_path, monkeypatch):
    path = write(tmp_path)
    drawn = {}
    for name, flag in {"a": "--sweep_seed=0", "b": "--sweep_seed=0", "c": "--sweep_seed=1"}.items():
        assert sweep(monkeypatch, path, flag, "--num_steps=1", workdir=tmp_path / name) == 0
        drawn[name] = [each["config"]["x"] for each in trials(tmp_path / name).values()]
    assert drawn["a"] == drawn["b"]
    assert not set(drawn["a"]) & set(drawn["c"])


def test_more_trials_go_on_with_the_sweep(tmp_path, monkeypatch):
    path = write(tmp_path, method="bayes")
    assert sweep(monkeypatch, path, "--num_steps=1", "--num_trials=1") == 0
    assert sweep(monkeypatch, path, "--num_steps=1", "--num_trials=2") == 0
    assert sorted(trials(tmp_path / "sweep")) == ["0000", "0001"]


@pytest.mark.slow
def test_no_trial_after_the_first_compiles_anything(tmp_path, monkeypatch):
    missed = []

    def count(event, **_):
        if event == "/jax/compilation_cache/cache_misses":
            missed.append(len(trials(tmp_path / "sweep")))

    cache = os.environ["JAX_COMPILATION_CACHE_DIR"]
    jax.clear_caches()
    compilation_cache.reset_cache()
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "xla"))
    least = jax.config.jax_persistent_cache_min_compile_time_secs
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.monitoring.register_event_listener(count)
    path = write(tmp_path, method="grid", parameters={"y": {"values": [0.0, 1.0, 2.0]}})
    try:
        assert sweep(monkeypatch, path) == 0
    finally:
        jax.monitoring.unregister_event_listener(count)
        compilation_cache.reset_cache()
        jax.config.update("jax_compilation_cache_dir", cache)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", least)
    assert missed
    assert max(missed) <= 1


@pytest.mark.slow
def test_hyperband_ends_what_does_worse(tmp_path, monkeypatch):
    parameters = {"y": {"values": [0.0, 1.0, 2.0, 3.0]}}
    early = {"type": "hyperband", "min_iter": 4, "eta": 2}
    path = write(
        tmp_path, method="grid", parameters=parameters, early_terminate=early, run_cap=None
    )
    assert sweep(monkeypatch, path, "--num_steps=7") == 0
    folder = tmp_path / "sweep" / "trials"
    found = [json.loads((folder / f"000{i}" / "summary.json").read_text()) for i in range(4)]
    assert [each["status"] for each in found] == ["finished", "pruned", "pruned", "pruned"]
    assert [each["step"] for each in found] == [7, 4, 4, 4]
    pages = [(folder / name / "report.html").read_text() for name in NAMES]
    assert ["Command to resume" in page for page in pages] == [True, False]
    assert "trials that were pruned, at their last" in (tmp_path / "sweep/report.html").read_text()
    assert "1 finished, 3 pruned" in (tmp_path / "sweep" / "report.html").read_text()


def test_a_failing_trial_is_tried_again_and_then_recorded(tmp_path, monkeypatch, capsys):
    parameters = {"x": {"values": [0.0, 0.5]}, "fail_above": {"value": 0.2}}
    path = write(tmp_path, method="grid", parameters=parameters)
    assert sweep(monkeypatch, path, "--max_retries=1") == 0
    said = capsys.readouterr()
    assert "trial 1 failed, attempt 2: RuntimeError: x is above 0.2" in said.err
    assert "attempt 3" not in said.err
    assert "2 trials: 1 finished, 1 failed" in said.out
    assert "Traceback" in next((tmp_path / "sweep" / "failures").iterdir()).read_text()


def test_a_grid_of_steps_trains_the_values_of_wandbs_grid(tmp_path, monkeypatch, capsys):
    steps = {"distribution": "q_uniform", "min": 0.005, "max": 0.035, "q": 0.01}
    x = {"distribution": "log_uniform", "min": 0.1, "max": 0.2}
    path = write(tmp_path, method="grid", parameters={"y": steps}, run_cap=None)
    assert sweep(monkeypatch, path, "--num_steps=1") == 0
    trained = [each["config"]["y"] for each in trials(tmp_path / "sweep").values()]
    assert trained == [0.005, 0.015, 0.025]
    assert "warning" not in capsys.readouterr().err
    assert sweep(monkeypatch, write(tmp_path, parameters={"x": x})) == 1  # Another sweep.
    assert "warning: parameter x uses log_uniform, where" in capsys.readouterr().err


def test_a_flag_in_any_form_wins_over_the_constant_of_the_file(tmp_path, monkeypatch):
    constant = {"fast_convolutions": {"value": True}}
    path = write(tmp_path, method="grid", parameters={"y": {"values": [0.0]}} | constant)
    words = ("--nofast_convolutions", "--data_dir", str(tmp_path))
    assert sweep(monkeypatch, path, "--num_steps=1", *words) == 0
    (record,) = trials(tmp_path / "sweep").values()
    assert record["environment"]["fast_convolutions"] is False


def test_a_trial_that_failed_once_goes_on_in_its_folder(tmp_path, monkeypatch, capsys):
    once = {"fail_once": {"value": f"{tmp_path}/once"}}
    path = write(tmp_path, method="grid", parameters={"y": {"values": [0.0, 1.0]}} | once)
    assert sweep(monkeypatch, path) == 0
    assert "2 trials: 2 finished" in capsys.readouterr().out
    assert len(trials(tmp_path / "sweep")["0000"]["sessions"]) == 2


def test_a_trial_that_diverges_is_the_worst_and_is_not_tried_again(tmp_path, monkeypatch, capsys):
    parameters = {"x": {"values": [0.0, 0.5]}, "nan_above": {"value": 0.2}}
    assert sweep(monkeypatch, write(tmp_path, method="grid", parameters=parameters)) == 0
    assert "1 finished, 1 diverged" in capsys.readouterr().out
    folder = tmp_path / "sweep" / "trials"
    assert len(trials(tmp_path / "sweep")["0001"]["sessions"]) == 1
    assert json.loads((folder / "0001" / "summary.json").read_text())["diverged"] is True
    shown = ["Command to resume" in (folder / name / "report.html").read_text() for name in NAMES]
    assert shown == [True, False]  # It would diverge again.


def test_the_files_of_the_house_name_their_experiment():
    files = sorted((ROOT / "experiments" / "sweeps").glob("*.yaml"))
    assert len(files) >= 5
    for path in files:
        spec = yaml.safe_load(path.read_text())
        assert spec["parameters"]["experiment"] == {"value": path.stem}
        assert spec["program"] == "launch.py"
    assert SPEC["method"] == "random"
