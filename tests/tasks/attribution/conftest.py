import jax
import pytest

from lecture_models.tasks.attribution.functions import make_attribution_functions
from lecture_models.tasks.attribution.methods import METHODS, attribution_maps
from tests.tasks.attribution.brightness import SETTINGS, inputs_of, network


@pytest.fixture(scope="package")
def functions():
    return make_attribution_functions(network(), "", -1, "rectified")


@pytest.fixture(scope="package")
def found(functions):
    methods = tuple(METHODS)
    return attribution_maps(methods, functions, inputs_of(0, 2), SETTINGS, jax.random.key(0))
