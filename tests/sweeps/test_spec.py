"""Reads sweep files as their authors wrote them, and refuses wrong ones in one line."""

import math

import pytest
import yaml

from lecture_models.config import UsageError
from lecture_models.sweeps.spec import digest, make_spec, read_spec

FILE = {
    "method": "random",
    "metric": {"name": "eval/loss"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
}
HYPERBAND = {"type": "hyperband", "min_iter": 1}
Q_UNIFORM = {"distribution": "q_uniform", "min": 0.0, "max": 1.0}
GRID = {"method": "grid"}


def loop():
    content = []
    content.append(content)
    return content


def x(**entry):
    return {"parameters": {"x": entry}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": ["grid"]}, "method is ['grid']; allowed: grid, random, bayes"),
        ({1: "grid"}, "the sweep has the key 1, which is not a text; write it in quotes"),
        ({"run_cap": True}, "run_cap is True; it must be a whole number from 1"),
        ({"run_cap": 10**400}, "it must be a whole number from 1"),
        ({"command": None}, "command is None; it must be a list"),
        ({"description": {1, 2}}, "description is {1, 2}; it must hold texts, numbers"),
        ({"controller": loop()}, "controller is [[...]]; it must hold texts, numbers"),
        ({"metric": ["eval/loss"]}, "the metric is ['eval/loss']; it must hold lines such as"),
        ({"metric": {"name": "a", "gaol": "b"}}, "the metric has the key 'gaol'; did you mean"),
        ({"early_terminate": HYPERBAND | {"eta": math.inf}}, "eta is inf; it must be a whole"),
        ({"early_terminate": HYPERBAND | {"eta": "three"}}, "eta is 'three'; it must be a whole"),
        ({"early_terminate": {"type": "hyperband"}}, "needs min_iter, or both max_iter and s"),
        ({"early_terminate": HYPERBAND | {"max_iter": 0}}, "max_iter is 0; it must be a whole"),
        ({"parameters": {True: {"value": 1}}}, "a parameter of the sweep has the name True"),
        ({"parameters": [1]}, "the sweep has no parameters"),
        ({"parameters": {"x": None}}, "x is None; it must have value, values, or min and max"),
        (x(distribution=["uniform"]), "x has the distribution ['uniform']"),
        (x(distribution="uniform", min=1), "parameter x has no max"),
        (x(distribution="log_uniform", min=0, max=1000), "log_uniform takes exponents of e"),
        (x(distribution="log_normal", mu=1000), "x has values that are too large for a number"),
        (x(**Q_UNIFORM, q=0), "x has q 0; it must be above 0"),
        (x(**Q_UNIFORM, q=1e-320), "x has values that are too large for a number"),
        (x(min=1, max=10**400), "it must be a finite number"),
        (x(min=1, max=10**20), "two whole numbers of at most"),
        (x(min=math.nan, max=1.0), "x has min nan; it must be a finite number"),
        (x(min=-1.7e308, max=1.7e308), "which is too large"),
        (x(values=[1, 2], probabilities=[0.5, "a"]), "each must be a finite number"),
        (x(values=[1, 2], probabilities=[1.0]), "x has 2 values and 1 probabilities"),
        (x(values=[math.nan]), "x has values [nan]; a value must be a finite number"),
        (x(values=[{"a": 1}]), "a value must be a number, a text, true or false"),
        ({"parameters": {"x": {"min": 1, "max": 2, 3: 4, "a": 5}}}, "x has the key 3, which is"),
        (GRID | x(values=[1, 2], probabilities=[0.5, 0.5]), "a grid tries all values alike"),
        (GRID | x(**Q_UNIFORM, q=1e-9), "at most 100,000 steps"),
        (GRID | x(min=0, max=10**9), "at most 100,000 steps"),
    ],
)
def test_a_wrong_entry_is_one_line(changes, message):
    with pytest.raises(UsageError) as refused:
        make_spec(FILE | changes, "s")
    assert message in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("raw", "message"), [(None, "is empty"), ([1], "a list"), (3, "one value")]
)
def test_a_file_without_keys_is_refused(raw, message):
    with pytest.raises(UsageError, match=f"the sweep s .*{message}; it must have method and param"):
        make_spec(raw, "s")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("on: 1", "line 1: YAML reads the key 'on' as bool; quote it"),
        ("method: grid\nmethod: bayes", "line 2: the key 'method' is there twice"),
        ("parameters: {1: {value: 2}}", "line 1: YAML reads the key '1' as int; quote it"),
        ("? [a, b]\n: 1", "line 1: YAML reads the key of several values as seq; quote it"),
        ("a: 1\n---\nb: 2", "line 2: expected a single document"),
        ("[" * 600, "it is nested too deeply"),
        ("a: !!timestamp x", "is not valid YAML"),
        ("a: \x01", "special characters are not allowed"),
    ],
)
def test_wrong_yaml_is_one_line_that_names_the_place(tmp_path, text, message):
    (tmp_path / "sweep.yaml").write_text(text)
    with pytest.raises(UsageError) as refused:
        read_spec(tmp_path / "sweep.yaml")
    assert message in str(refused.value)


def test_a_key_may_override_a_merged_one(tmp_path):
    (tmp_path / "sweep.yaml").write_text(
        "method: random\nmetric: {name: eval/loss}\nparameters:\n"
        "  x: &x {min: 0.0, max: 1.0}\n  y: {<<: *x, max: 2.0}\n"
    )
    spec = read_spec(tmp_path / "sweep.yaml")
    assert spec.parameters["y"].edge_draws == (0.0, 2.0)


def test_numbers_that_yaml_reads_as_texts_are_numbers():
    text = "{values: [1e-3, 5E-3, .5e2, 1.5e-3, 0.2, some, 1e, '12']}"
    spec = make_spec(FILE | {"parameters": {"x": yaml.safe_load(text)}}, "s")
    expected = (0.001, 0.005, 50.0, 0.0015, 0.2, "some", "1e", "12")
    assert spec.parameters["x"].edge_draws == expected
    assert make_spec(FILE | {"name": "12e4"}, "s").name == "12e4"
    ends = make_spec(FILE | {"parameters": {"x": yaml.safe_load("{min: 1e-4, max: 1e-1}")}}, "s")
    assert ends.parameters["x"].edge_draws == (1e-4, 0.1)


def test_exponents_that_look_like_values_are_a_warning():
    def warnings(kind, low, high):
        entry = {"distribution": kind, "min": low, "max": high}
        return make_spec(FILE | {"parameters": {"x": entry}}, "s").warnings

    (line,) = warnings("log_uniform", 1e-4, 0.1)
    assert "it goes from 1 to 1.105; if it must go from 0.0001 to 0.1, use log_uniform_valu" in line
    assert len(warnings("q_log_uniform", 16, 256)) == 1
    assert len(warnings("inv_log_uniform", 1e-4, 0.1)) == 1
    assert warnings("log_uniform", -9.0, -2.0) == warnings("inv_log_uniform", 2.0, 9.0) == ()
    target = make_spec(FILE | {"metric": {"name": "eval/loss", "target": 0.5}}, "s")
    assert target.warnings == ("the metric has the target 0.5; it does not end this sweep",)


def test_a_grid_of_an_older_version_with_other_values_is_another_sweep():
    steps = {"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25}
    other = make_spec(FILE | {"method": "grid", "parameters": {"x": {"values": [1, 2]}}}, "s")
    assert digest(other).startswith("e05f92ce5d04d5961d5fa108")
    spec = make_spec(FILE | {"method": "grid", "parameters": {"x": steps}}, "s")
    assert digest(spec) != digest(spec._replace(parameters={}))
