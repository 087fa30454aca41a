"""Tests what gradient_flow adds to the parts that it composes."""

import jax
import numpy as np
import pytest

from experiments import gradient_flow
from experiments.gradient_flow import Config, Flow

SMOKE = Config(**gradient_flow.SMOKE)


def test_clipping_by_norm_keeps_the_direction_and_by_value_does_not():
    table = gradient_flow.clipping_table(SMOKE, jax.random.key(0))
    rows = {row[0].split(",")[0]: row[1:] for row in table.rows}
    assert rows["not clipped"][0] > 10.0
    assert rows["by norm"][0] == pytest.approx(1.0, rel=1e-4)
    assert rows["by norm"][1] == pytest.approx(1.0, abs=1e-5)
    assert rows["by value"][1] < 0.999
    assert rows["by value"][2] == 1.0


def test_a_norm_above_the_bound_raises_an_alarm():
    powers = 0.9 ** np.arange(1, 6)
    within = Flow("within", powers, powers, 0.9)
    above = Flow("above", 1.1 * powers, powers, 0.9)
    gates = Flow("gates", 9.0 * powers, powers, None)
    assert gradient_flow.above_the_bound([within, gates]) == ""
    assert gradient_flow.above_the_bound([within, above]) == "above the bound sigma^t: above"


def test_unknown_networks_and_lengths_are_refused():
    with pytest.raises(ValueError, match=r"--networks is \(5,\); it must be numbers from 0 to 4"):
        Config(networks=(5,))
    with pytest.raises(ValueError, match="--adding_lengths is 1; it must be at least 2"):
        Config(adding_lengths=(1,))
