import jax
import numpy as np
import pytest

from lecture_models.tasks.attribution.functions import (
    AttributionInputs,
    in_batches,
    make_attribution_functions,
)
from lecture_models.tasks.attribution.methods import METHODS, attribution_maps
from tests.tasks.attribution.brightness import SETTINGS, SIDE, inputs_of, network, spots

# What leads to the class score alone: the deconvnet ignores the network's input.
SPOTTED = ("saliency", "guided_backprop", "guided_grad_cam", "lrp", "occlusion", "grad_cam")


@pytest.mark.parametrize("name", [*SPOTTED, "grad_cam_plus_plus", "score_cam"])
def test_a_map_points_at_the_spot_that_makes_the_class(found, name):
    for map_ in found.maps[name]:
        place = np.unravel_index(map_.argmax(), map_.shape)
        assert 4 <= place[0] < 8
        assert 8 <= place[1] < 12


def test_the_deconvnet_ignores_what_is_dark_and_guided_backpropagation_does_not(found):
    assert (found.maps["deconvnet"] > 0.0).all()
    assert (found.maps["guided_backprop"][0] > 0.0).sum() == 16


def test_maps_come_in_the_order_of_a_sheet(found):
    assert list(found.maps) == list(METHODS)
    assert all(maps.shape == (2, SIDE, SIDE) for maps in found.maps.values())


def test_chosen_methods_alone_are_computed(functions):
    chosen = ("grad_cam", "saliency")
    maps = attribution_maps(chosen, functions, inputs_of(0, 2), SETTINGS, jax.random.key(0)).raw
    assert tuple(maps) == chosen


def test_guided_grad_cam_is_the_product_of_both(found):
    product = found.raw["guided_backprop"] * found.raw["grad_cam"][..., None]
    np.testing.assert_allclose(found.raw["guided_grad_cam"], product, rtol=1e-6)


def test_a_layers_unit_is_projected_in_place_of_the_class(found):
    functions = make_attribution_functions(network(), "rectified", 2, "rectified")
    signals = in_batches(functions.guided, inputs_of(0, 0), 4)
    assert not signals[..., :2].any()
    assert signals[1, ..., 2].any()
    assert not in_batches(functions.gradient, inputs_of(0, 0), 4)[..., 2].any()


def test_batches_of_any_size_give_the_same(functions):
    images = np.concatenate([spots()] * 2)[:3]
    inputs = AttributionInputs(network().variables, images, np.array([0, 2, 1]))
    whole, parts = (in_batches(functions.gradient, inputs, size) for size in (3, 2))
    np.testing.assert_allclose(whole, parts, rtol=1e-6)
