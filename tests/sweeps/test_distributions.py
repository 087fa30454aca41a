"""Compares the meaning of a sweep's file with W&B's own tools."""

import math

import numpy as np
import optuna
import pytest
import yaml
from scipy import stats

from lecture_models.config import UsageError
from lecture_models.sweeps.distributions import parse_parameter
from lecture_models.sweeps.spec import make_spec
from tests.conftest import ROOT

FILES = sorted((ROOT / "experiments" / "sweeps").glob("*.yaml"))
QUANTILES = np.linspace(0.01, 0.99, 9)


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


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ({"distribution": "normal", "mu": 2.0, "sigma": 3.0}, stats.norm(2.0, 3.0)),
        ({"distribution": "log_normal", "mu": 1.0, "sigma": 0.5}, stats.lognorm(0.5, 0, math.e)),
        ({"distribution": "beta", "a": 2, "b": 3}, stats.beta(2, 3)),
    ],
)
def test_distributions_that_optuna_lacks_are_drawn_by_their_quantiles(given, family):
    from_draw = parse_parameter("x", given).from_draw
    np.testing.assert_allclose([from_draw(q) for q in QUANTILES], family.ppf(QUANTILES), rtol=1e-9)


def test_a_quantized_value_is_a_whole_number_if_its_step_is():
    whole = parse_parameter(
        "x", {"distribution": "q_log_uniform_values", "min": 5, "max": 100, "q": 5}
    )
    assert [whole.from_draw(draw) for draw in (5.1, 12.4, 12.6)] == [5, 10, 15]
    assert isinstance(whole.from_draw(12.4), int)
    parts = parse_parameter("x", {"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25})
    assert parts.from_draw(0.3) == 0.25
    assert parts.grid == (0.0, 0.25, 0.5, 0.75, 1.0)


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
