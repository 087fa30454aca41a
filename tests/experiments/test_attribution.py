"""The experiment on networks whose answers are known by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from PIL import Image

import launch
from experiments.attribution import Config, build
from lecture_models.data.dataset import Provenance
from lecture_models.data.lookup import Library
from lecture_models.tasks.attribution import scores as numbers
from lecture_models.tasks.attribution.methods import (
    METHODS,
    Effort,
    attributions,
    in_batches,
    make_attribution_functions,
)
from lecture_models.tasks.attribution.sheet import COLUMNS, colored, contact_sheet, overlay, scaled
from lecture_models.tasks.layers import cam_layer, class_index, feature_shapes, require_unit
from lecture_models.weights.error import WeightsError
from lecture_models.weights.preprocessing import Preprocessing
from lecture_models.weights.pretrained import Pretrained

CLASSES = ("red, scarlet", "crane", "blue", "crane")
SIDE = 16
SQUARES = Preprocessing((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 2.0, bgr=False, size=16, shorter_side=16)


class Brightness(nn.Module):
    """Logits are how much of the image is bright in red, in green and in blue, and nothing."""

    num_classes: int = 4
    nonlinearity: object = nn.relu

    @nn.compact
    def __call__(self, images, training=False):
        gain = self.param("gain", nn.initializers.ones, (1, 1, 1, 3))
        features = self.nonlinearity(gain * images)
        logits = jnp.pad(30.0 * features.mean((1, 2)), ((0, 0), (0, 1)))
        return logits, {"rectified": features, "mean": features.mean((1, 2))}


def network(classes=CLASSES):
    variables = {"params": {"gain": jnp.array([1.0, 1.0, 1.0]).reshape(1, 1, 1, 3)}}
    provenance = Provenance("weights brightness", "by hand", ())
    return Pretrained("brightness", Brightness(), variables, SQUARES, classes, provenance)


class OneNetwork:
    """In place of the weights: the same network under every name."""

    def __init__(self, classes=CLASSES):
        self._network = network(classes)

    def load(self, name):
        return self._network


EFFORT = Effort(4, 4, 2, 2, 0.1, 4)
SPOT = np.s_[4:8, 8:12]


def spots():
    """A red and a blue spot on black, at one place."""
    images = np.full((2, SIDE, SIDE, 3), -1.0, np.float32)
    images[(0, *SPOT, 0)] = 1.0
    images[(1, *SPOT, 2)] = 0.8
    return images


@pytest.fixture(scope="module")
def probes():
    return make_attribution_functions(network(), "", -1, "rectified")


@pytest.fixture(scope="module")
def found(probes):
    targets = np.array([0, 2])
    variables = network().variables
    return attributions(probes, variables, spots(), targets, EFFORT, jax.random.key(0))


@pytest.mark.parametrize("name", ["saliency", "guided_backprop", "occlusion", "grad_cam"])
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
    assert all(each.shape == (2, SIDE, SIDE) for each in found.maps.values())


def test_a_layers_unit_is_projected_in_place_of_the_class(found):
    probes = make_attribution_functions(network(), "rectified", 2, "rectified")
    images, targets = spots(), np.array([0, 0])
    signals = in_batches(probes.guided, network().variables, images, targets, 4)
    assert not signals[..., :2].any()
    assert signals[1, ..., 2].any()
    assert not in_batches(probes.gradient, network().variables, images, targets, 4)[..., 2].any()


def test_batches_of_any_size_give_the_same(probes):
    images, targets = np.concatenate([spots()] * 2)[:3], np.array([0, 2, 1])
    whole, parts = (
        in_batches(probes.gradient, network().variables, images, targets, size) for size in (3, 2)
    )
    np.testing.assert_allclose(whole, parts, rtol=1e-6)


def test_deletion_of_the_right_pixels_is_fast(probes, found):
    maps = numbers.with_baselines({"occlusion": found.maps["occlusion"]}, np.random.default_rng(0))
    deletion, insertion = numbers.replacement_areas(
        probes, network().variables, spots(), np.array([0, 2]), maps, 8, 4
    )
    assert max(deletion["occlusion"]) < min(deletion["random"])
    assert np.mean(insertion["occlusion"]) > np.mean(insertion["random"])


def test_the_pointing_game_is_won_by_methods_and_by_chance_in_a_quarter(probes):
    hits = numbers.pointing_hits(
        probes,
        network().variables,
        spots(),
        np.array([0, 2]),
        EFFORT,
        np.random.default_rng(0),
        jax.random.key(0),
    )
    assert hits["occlusion"] == hits["grad_cam"] == [1.0, 1.0]
    assert hits["random"] == [0.25, 0.25]
    assert hits["center"] == [0.0, 0.0]


def test_pictures_of_one_class_make_no_composites(probes):
    random = np.random.default_rng(0)
    arguments = (EFFORT, random, jax.random.key(0))
    assert not numbers.pointing_hits(
        probes, network().variables, spots(), np.array([1, 1]), *arguments
    )


def test_an_unchanged_network_has_unchanged_maps(probes, found):
    correlations = numbers.rank_correlations(
        probes,
        network().variables,
        spots(),
        np.array([0, 2]),
        found.maps,
        (0.0,),
        4,
        np.random.default_rng(0),
    )
    assert correlations[0.0]["guided_backprop"] == pytest.approx([1.0, 1.0])


def test_a_table_has_means_and_spreads():
    columns = {"deletion": {"saliency": [0.1, 0.3], "random": [0.5]}}
    lines = numbers.table(columns).split("\n")
    assert lines[1].split() == ["saliency", "0.200", "±", "0.141"]
    assert lines[-2].split() == ["random", "0.500"]
    assert numbers.means(columns) == {"deletion_saliency": 0.2, "deletion_random": 0.5}


def test_a_sheet_holds_the_picture_and_every_map(found):
    sheet = contact_sheet(spots()[0], found, 0, "red, or scarlet as some would call it 99.9%")
    assert sheet.shape[0] == 1
    assert sheet.shape[2] > COLUMNS * 160
    assert sheet.min() >= -1.0
    assert sheet.max() <= 1.0


def test_maps_without_evidence_are_black_and_signals_gray():
    zeros = np.zeros((3, 3), np.float32)
    np.testing.assert_array_equal(scaled(zeros - 1.0), zeros)
    np.testing.assert_array_equal(colored(np.zeros((3, 3, 3))), np.full((3, 3, 3), 0.5))
    np.testing.assert_allclose(overlay(np.full((3, 3, 3), -1.0), zeros), 0.0)


def test_a_class_goes_by_number_and_by_each_of_its_names():
    assert class_index("2", CLASSES) == 2
    assert class_index("Scarlet", CLASSES) == class_index("red, scarlet", CLASSES) == 0


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("4", "--target is 4; it must be from 0 to 3"),
        ("scarlett", "there is no class 'scarlett'; did you mean 'scarlet'"),
        ("crane", r"--target=crane is 2 classes; give a number: 1 \(crane\); 3 \(crane\)"),
    ],
)
def test_a_class_that_cannot_be_meant_is_refused(written, message):
    with pytest.raises(WeightsError, match=message):
        class_index(written, CLASSES)


def test_layers_are_listed_from_the_image_on_and_the_last_with_rows_is_grad_cams():
    shapes = feature_shapes(network())
    assert list(shapes.items()) == [("rectified", (16, 16, 3)), ("mean", (3,))]
    assert cam_layer(shapes, "") == "rectified"


def test_layers_and_units_that_are_not_there_are_refused():
    shapes = feature_shapes(network())
    with pytest.raises(WeightsError, match="no layer 'rectifier'.* Known: rectified, mean"):
        require_unit(shapes, "rectifier", -1)
    with pytest.raises(WeightsError, match="--unit is 3; rectified has units 0 to 2"):
        require_unit(shapes, "rectified", 3)
    with pytest.raises(WeightsError, match="--unit is 3, but no --layer"):
        require_unit(shapes, "", 3)
    with pytest.raises(WeightsError, match=r"--cam_layer is mean, of shape \(3,\)"):
        cam_layer(shapes, "mean")


def test_a_network_without_classes_is_refused_before_the_work():
    with pytest.raises(WeightsError, match="has no class scores"):
        build(Config(), Library(None, print), OneNetwork(()))


@pytest.mark.parametrize(
    "values",
    [
        {"randomized_shares": (0.5, 1.5)},
        {"num_steps": 1},
        {"occlusion_size": 1.5},
        {"occlusion_stride": 0.4},
    ],
)
def test_bad_values_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        Config(**values)


def test_a_panorama_is_shown_at_the_networks_size(tmp_path):
    path = tmp_path / "wide.png"
    Image.new("RGB", (12_000, 40), (255, 0, 0)).save(path)
    config = Config(
        images=(str(path),), occlusion_size=0.5, occlusion_stride=0.5, measured_pictures=0
    )
    evaluation = build(config, Library(None, print), OneNetwork()).evaluate({}, jax.random.key(0))
    assert evaluation["picture_0001"].caption.startswith("wide.png: red ")
    assert max(evaluation["picture_0001"].pixels.shape) < 1000


def test_a_missing_picture_is_one_line_of_the_launcher(capsys):
    arguments = ["--experiment=attribution", "--images=/nowhere.png", "--preset=smoke"]
    assert launch.main(["launch.py", *arguments, "--wandb=disabled"]) == 1
    assert capsys.readouterr().err.endswith("error: there is no picture /nowhere.png\n")
