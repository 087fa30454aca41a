import jax
import pytest

from experiments.attribution import BASELINES
from lecture_models.tasks.attribution.completeness import completeness
from lecture_models.tasks.attribution.methods import attribution_maps
from tests.tasks.attribution.brightness import SETTINGS, inputs_of


def test_integrated_gradients_and_relevance_report_what_they_add_up_to(functions, found):
    results = completeness(functions, inputs_of(0, 2), found, SETTINGS, ["first", "second"])
    # A rectifier of gray is 0, so the score of the baseline is 0, and there are no biases.
    assert results["integrated_gradients_delta_percent"] == pytest.approx(0.0, abs=1e-3)
    assert results["lrp_conserved_percent"] == pytest.approx(100.0, abs=1e-3)
    lines = results["integrated_gradients_convergence"].split("\n")
    # 16 of 256 pixels of red 1 make 30 / 16.
    assert " ".join(lines[1].split()) == "0.00 % sum 1.875 1.875 - 0 = 1.875 first"
    assert results["lrp_conservation"].split("\n")[2].endswith("sum       1.5 of 1.5   second")


def test_a_coarse_integral_is_reported_as_such(functions):
    # From black, the first of the two points has no gradient: half of the path counts for the rest.
    settings = SETTINGS._replace(baseline=BASELINES["black"], integrated_steps=2)
    methods = ("integrated_gradients",)
    found = attribution_maps(methods, functions, inputs_of(0, 2), settings, jax.random.key(0))
    results = completeness(functions, inputs_of(0, 2), found, settings, ["first", "second"])
    assert set(results) == {
        "integrated_gradients_convergence",
        "integrated_gradients_delta_percent",
    }
    # The spot of 1.0: 1 against 1; that of 0.8: 0.9 of the path's 1.8, against 0.8.
    assert results["integrated_gradients_delta_percent"] == pytest.approx(12.5 / 2, rel=1e-4)
