"""Compares the meaning of a sweep's file with W&B's own tools."""

import math

import numpy as np
import optuna
import pytest
import yaml

from lecture_models.config import UsageError
from lecture_models.sweeps.distributions import parse_parameter
from lecture_models.sweeps.spec import make_spec
from tests.conftest import ROOT

FILES = sorted((ROOT / "experiments" / "sweeps").glob("*.yaml"))
# The quantiles at which W&B's package `sweeps` 0.3.0 gave the values below.
QUANTILES = (0.03, 0.2, 0.5, 0.86, 0.999)
DRAWN = [
    ({"values": ["a", "b", "c"]}, ["a", "a", "b", "c", "c"]),
    (
        {"values": ["a", "b", "c"], "probabilities": [0.25, 0.0, 0.75]},
        ["a", "a", "c", "c", "c"],
    ),
    ({"min": -2, "max": 8}, [-2, 0, 3, 7, 8]),
    ({"min": -1.5, "max": 4.0}, [-1.335, -0.4, 1.25, 3.23, 3.9945]),
    ({"distribution": "uniform", "min": 0, "max": 8}, [0.24, 1.6, 4.0, 6.88, 7.992]),
    (
        {"distribution": "q_uniform", "min": 0.005, "max": 0.035, "q": 0.01},
        [0.01, 0.01, 0.02, 0.03, 0.03],
    ),
    ({"distribution": "q_uniform", "min": 3, "max": 20, "q": 5}, [5, 5, 10, 20, 20]),
    ({"distribution": "q_uniform", "min": 0.5, "max": 9.5}, [1, 2, 5, 8, 9]),
    (
        {"distribution": "log_uniform", "min": -7.0, "max": -1.0},
        [0.00109172092228, 0.00302755474538, 0.0183156388887, 0.158817426107, 0.365678773131],
    ),
    (
        {"distribution": "q_log_uniform", "min": 0.0, "max": 5.0, "q": 0.5},
        [1.0, 2.5, 12.0, 73.5, 147.5],
    ),
    (
        {"distribution": "inv_log_uniform", "min": 1.0, "max": 7.0},
        [0.00109172092228, 0.00302755474538, 0.0183156388887, 0.158817426107, 0.365678773131],
    ),
    (
        {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
        [0.000123026877081, 0.000398107170553, 0.00316227766017, 0.0380189396321, 0.0993116048421],
    ),
    (
        {"distribution": "q_log_uniform_values", "min": 5, "max": 300, "q": 8},
        [8, 8, 40, 168, 296],
    ),
    (
        {"distribution": "inv_log_uniform_values", "min": 1e-4, "max": 0.1},
        [0.000123026877081, 0.000398107170553, 0.00316227766017, 0.0380189396321, 0.0993116048421],
    ),
    (
        {"distribution": "normal"},
        [-1.88079360815, -0.841621233573, 0.0, 1.08031934081, 3.09023230617],
    ),
    (
        {"distribution": "normal", "mu": 2.0, "sigma": 3.0},
        [-3.64238082445, -0.524863700719, 2.0, 5.24095802244, 11.2706969185],
    ),
    ({"distribution": "q_normal", "mu": 10, "sigma": 4, "q": 2}, [2, 6, 10, 14, 22]),
    (
        {"distribution": "q_normal", "mu": 0.1, "sigma": 0.05, "q": 0.02},
        [0.0, 0.06, 0.1, 0.16, 0.26],
    ),
    (
        {"distribution": "log_normal", "mu": -3.0, "sigma": 0.5},
        [0.0194404991454, 0.0326859284349, 0.0497870683679, 0.0854485934899, 0.233427475648],
    ),
    ({"distribution": "q_log_normal", "mu": 3, "sigma": 1, "q": 4}, [4, 8, 20, 60, 440]),
    ({"distribution": "beta"}, [0.03, 0.2, 0.5, 0.86, 0.999]),
    (
        {"distribution": "beta", "a": 2, "b": 3},
        [0.0743876649265, 0.212317128278, 0.385727568132, 0.636245968755, 0.935961860897],
    ),
    ({"distribution": "q_beta", "a": 2, "b": 3, "q": 0.1}, [0.1, 0.2, 0.4, 0.6, 0.9]),
    ({"distribution": "constant", "value": 7}, [7] * 5),
]
# The grids of the same package, which start at min and leave out max.
GRIDS = [
    ({"values": [3, 1, 2]}, [3, 1, 2]),
    ({"min": -1, "max": 2}, [-1, 0, 1, 2]),
    (
        {"distribution": "q_uniform", "min": 0.005, "max": 0.035, "q": 0.01},
        [0.005, 0.015, 0.025],
    ),
    ({"distribution": "q_uniform", "min": 3, "max": 20, "q": 5}, [3, 8, 13, 18]),
    # W&B's own rounding: here max is a value.
    ({"distribution": "q_uniform", "min": 0.1, "max": 0.4, "q": 0.1}, [0.1, 0.2, 0.3, 0.4]),
    ({"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25}, [0.0, 0.25, 0.5, 0.75]),
    ({"distribution": "q_uniform", "min": 0.5, "max": 4}, [0.5, 1.5, 2.5, 3.5]),
    ({"distribution": "q_uniform", "min": 2, "max": 5}, [2, 3, 4]),
]


def name_of(given):
    return given.get("distribution", "-".join(given)) if isinstance(given, dict) else ""


def quantile(distribution, share):
    """Returns what Optuna's random search draws at a quantile of a distribution."""
    if isinstance(distribution, optuna.distributions.CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    low, high = distribution.low, distribution.high
    if isinstance(distribution, optuna.distributions.IntDistribution):
        return low + int(share * (high + 1 - low))
    if distribution.log:
        return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return low + share * (high - low)


def assert_equal(ours, theirs):
    if any(isinstance(value, str) for value in theirs):
        assert ours == theirs
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("given", "values"), DRAWN, ids=name_of)
def test_a_draw_is_the_quantile_that_wandb_draws(given, values):
    parameter = parse_parameter("x", given)
    draws = [quantile(parameter.distribution, share) for share in QUANTILES]
    assert_equal([parameter.from_draw(draw) for draw in draws], values)


@pytest.mark.parametrize(("given", "values"), GRIDS, ids=name_of)
def test_a_grid_has_the_values_of_wandbs_grid(given, values):
    entries = {"x": given, "y": {"values": [1, 2]}}
    spec = make_spec({"method": "grid", "metric": {"name": "loss"}, "parameters": entries}, "s")
    trained = [spec.values(point)["x"] for point in spec.points()]
    assert_equal(trained, [value for value in values for _ in range(2)])
    distribution = spec.parameters["x"].distribution
    assert all(distribution._contains(distribution.to_internal_repr(draw)) for draw in values)


def test_the_values_above_are_those_of_the_package_sweeps():
    reason = "W&B's draws: pip install --no-deps sweeps"
    params = pytest.importorskip("sweeps.params", reason=reason)
    grid_search = pytest.importorskip("sweeps.grid_search", reason=reason)
    for given, values in DRAWN:
        parameter = params.HyperParameter("x", given)
        assert_equal([parameter.ppf(share) for share in QUANTILES], values)
    for given, values in GRIDS:
        file = {"method": "grid", "parameters": {"x": given}}
        runs = grid_search.grid_search_next_runs([], file, n=len(values) + 1)
        assert_equal([run.config["x"]["value"] for run in runs if run], values)


def test_the_tails_of_a_normal_are_cut():
    from_draw = parse_parameter("x", {"distribution": "normal"}).from_draw
    assert from_draw(0.0) == pytest.approx(-3.719, abs=1e-3)
    assert from_draw(1.0) == pytest.approx(-from_draw(0.0))


@pytest.mark.parametrize(
    "given",
    [
        {"min": 1, "max": 9},
        {"min": 1.0, "max": 9.0},
        {"values": ["a", "b"]},
        {"distribution": "log_uniform_values", "min": 1e-3, "max": 1.0},
    ],
)
def test_a_parameter_is_drawn_as_wandb_itself_draws_it_with_optuna(given):
    wandb = pytest.importorskip("wandb.sdk.sweeps.scheduler.optuna")
    assert parse_parameter("x", given).distribution == wandb.sweep_parameter_to_distribution(given)


def test_a_quantized_value_is_a_whole_number_if_its_step_is():
    whole = parse_parameter(
        "x", {"distribution": "q_log_uniform_values", "min": 5, "max": 100, "q": 5}
    )
    assert [whole.from_draw(draw) for draw in (5.1, 12.4, 12.6)] == [5, 10, 15]
    assert isinstance(whole.from_draw(12.4), int)
    parts = parse_parameter("x", {"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25})
    assert parts.from_draw(0.3) == 0.25
    assert parts.grid == (0.0, 0.25, 0.5, 0.75)


def test_probabilities_are_shares_of_the_draws():
    weighted = parse_parameter("x", {"values": ["a", "b"], "probabilities": [0.25, 0.75]})
    draws = [weighted.from_draw(q) for q in np.linspace(0.0, 0.9999, 400)]
    assert draws.count("a") == 100


def test_the_exponents_of_log_uniform_are_natural():
    distribution = parse_parameter(
        "x", {"distribution": "log_uniform", "min": -2, "max": 0}
    ).distribution
    assert distribution == optuna.distributions.FloatDistribution(math.exp(-2), 1.0, log=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"values": [[1, 2]]}, 'write "1,2", as on a command line'),
        ({"values": [1, 1]}, "lists the value 1 twice"),
        ({"values": [1], "q": 2}, "the key 'q'; categorical allows values"),
        ({"parameters": {"y": {"value": 1}}}, "nested parameters"),
        ({"distribution": "log_uniform_values", "min": 0.0, "max": 1.0}, "it must be above 0"),
        ({"values": [1, 2], "probabilities": [0.5, 0.6]}, "they must sum to 1"),
        ({"distribution": "normal", "sigma": 0.0}, "sigma 0.0; it must be above 0"),
        ({"min": 1}, "x has min; it must have value, values, or min and max"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(given, message):
    with pytest.raises(UsageError, match=message):
        parse_parameter("x", given)


def test_the_command_of_wandbs_agent_gives_flags_to_every_trial():
    raw = yaml.safe_load(FILES[0].read_text())
    macros = ["${env}", "python", "${program}", "--preset=smoke", "${args}"]
    assert make_spec(raw | {"command": macros}, "x").constants["preset"] == "smoke"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_wandb_accepts_this_projects_files(path):
    """Uses the check of W&B's client; the next test uses its schema, where that is installed."""
    sweeps = pytest.importorskip("wandb.apis.public.sweeps")
    raw = yaml.safe_load(path.read_text())
    make_spec(raw, path.stem)
    assert sweeps._validate_config_and_fill_distribution(raw)["method"] == raw["method"]


@pytest.mark.filterwarnings("ignore")  # The package was written for an older pydantic.
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_wandbs_schema_accepts_this_projects_files(path):
    schema = pytest.importorskip(
        "sweeps.config.schema", reason="W&B's schema: pip install --no-deps sweeps"
    )
    assert list(schema.validator.iter_errors(yaml.safe_load(path.read_text()))) == []
    assert list(schema.validator.iter_errors({"method": "grid", "parameters": {"x": {"min": 1}}}))
