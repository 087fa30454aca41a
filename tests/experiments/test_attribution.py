"""Tests the attribution experiment on a network whose answers are known by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from PIL import Image

import launch
from experiments.attribution import BASELINES, Config, build, make_baseline, make_functions
from lecture_models.data.dataset import DataError, Provenance
from lecture_models.data.lookup import Library
from lecture_models.experiment import ArrayFile
from lecture_models.tasks.attribution import scores
from lecture_models.tasks.attribution.completeness import completeness
from lecture_models.tasks.attribution.functions import (
    AttributionInputs,
    in_batches,
    make_attribution_functions,
)
from lecture_models.tasks.attribution.methods import (
    METHODS,
    AttributionMaps,
    MethodSettings,
    attribution_maps,
)
from lecture_models.tasks.attribution.sheet import (
    COLUMNS,
    colored,
    contact_sheet,
    diverging,
    method_scales,
    overlay,
    scale_words,
    scales_text,
    shaded,
)
from lecture_models.tasks.image_optimization import classifier_network
from lecture_models.tasks.layers import cam_layer, class_index, layer_shapes, require_unit
from lecture_models.weights.error import WeightsError
from lecture_models.weights.preprocessing import Preprocessing
from lecture_models.weights.pretrained import Pretrained

CLASSES = ("red, scarlet", "crane", "blue", "crane")
SIDE = 16
SQUARES = Preprocessing((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 2.0, bgr=False, size=16, shorter_side=16)


class Brightness(nn.Module):
    """Computes as logits the brightness of an image in red, in green and in blue, and a zero."""

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
    """Stands for the pretrained weights: the same network under every name."""

    def __init__(self, classes=CLASSES):
        self._network = network(classes)

    def load(self, name):
        return self._network


SETTINGS = MethodSettings(4, 4, 2, 2, 0.1, 4, BASELINES["gray"], 0)
SPOT = np.s_[4:8, 8:12]


def spots():
    """Returns two black images with a spot at the same place, one red and one blue."""
    images = np.full((2, SIDE, SIDE, 3), -1.0, np.float32)
    images[(0, *SPOT, 0)] = 1.0
    images[(1, *SPOT, 2)] = 0.8
    return images


def inputs_of(*targets):
    return AttributionInputs(network().variables, spots(), np.array(targets))


@pytest.fixture(scope="module")
def functions():
    return make_attribution_functions(network(), "", -1, "rectified")


@pytest.fixture(scope="module")
def found(functions):
    methods = tuple(METHODS)
    return attribution_maps(methods, functions, inputs_of(0, 2), SETTINGS, jax.random.key(0))


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


@pytest.mark.parametrize(("name", "value"), [("black", -1.0), ("gray", 0.0), ("white", 1.0)])
def test_a_baseline_has_one_color(name, value):
    baseline = make_baseline(Config(baseline=name), Library(None, print), network())
    np.testing.assert_array_equal(baseline(spots()[0]), np.full((SIDE, SIDE, 3), value))


def test_a_blurred_baseline_has_no_detail():
    baseline = make_baseline(Config(baseline="blur"), Library(None, print), network())
    image = spots()[0]
    assert np.abs(baseline(image) - image.mean((0, 1), keepdims=True)).max() < 0.1
    assert np.abs(image - image.mean((0, 1), keepdims=True)).max() > 1.0


def test_a_baseline_may_be_a_picture(tmp_path):
    path = tmp_path / "red.png"
    Image.new("RGB", (20, 40), (255, 0, 0)).save(path)
    library = Library(None, print)
    baseline = make_baseline(Config(baseline=str(path)), library, network())(spots()[0])
    np.testing.assert_array_equal(baseline[3, 3], [1.0, -1.0, -1.0])
    assert baseline.shape == (SIDE, SIDE, 3)
    assert library.provenance[0].files[0].path == path


def test_a_baseline_that_is_neither_a_color_nor_a_picture_is_refused(tmp_path):
    for name in ("green", str(tmp_path)):
        with pytest.raises(DataError, match="--baseline is '.*black, gray, white, blur|of 0 pict"):
            make_baseline(Config(baseline=name), Library(None, print), network())


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


def test_deletion_of_the_right_pixels_is_fast(functions, found):
    maps = scores.with_baselines({"occlusion": found.maps["occlusion"]}, np.random.default_rng(0))
    deletion, insertion = scores.replacement_areas(functions, inputs_of(0, 2), maps, 8, 4)
    assert max(deletion["occlusion"]) < min(deletion["random"])
    assert np.mean(insertion["occlusion"]) > np.mean(insertion["random"])


def test_the_pointing_game_is_won_by_methods_and_by_chance_in_a_quarter(functions):
    random, key = np.random.default_rng(0), jax.random.key(0)
    methods = ("occlusion", "grad_cam")
    hits = scores.pointing_hits(methods, functions, inputs_of(0, 2), SETTINGS, random, key)
    assert hits["occlusion"] == hits["grad_cam"] == [1.0, 1.0]
    assert hits["random"] == [0.25, 0.25]
    assert hits["center"] == [0.0, 0.0]


def test_pictures_of_one_class_make_no_composites(functions):
    random, key = np.random.default_rng(0), jax.random.key(0)
    inputs = inputs_of(1, 1)
    assert not scores.pointing_hits(("grad_cam",), functions, inputs, SETTINGS, random, key)


def test_an_unchanged_network_has_unchanged_maps(functions, found):
    correlations = scores.rank_correlations(
        functions, inputs_of(0, 2), found.maps, (0.0,), SETTINGS, np.random.default_rng(0)
    )
    assert correlations[0.0]["guided_backprop"] == pytest.approx([1.0, 1.0])
    assert "occlusion" not in correlations[0.0]


def test_a_table_has_means_and_spreads():
    columns = {"deletion": {"saliency": [0.1, 0.3], "random": [0.5]}}
    lines = scores.scores_table(columns).split("\n")
    assert lines[1].split() == ["saliency", "0.200", "±", "0.141"]
    assert lines[2].split() == ["random", "0.500"]
    assert len(lines) == 3
    assert scores.mean_scores(columns) == {"deletion_saliency": 0.2, "deletion_random": 0.5}


def test_a_sheet_holds_the_picture_and_every_map(found):
    title = ("red, or scarlet as some would call it", "99.9%")
    sheet = contact_sheet(spots()[0], found, method_scales(found), 0, title)
    assert sheet.shape[0] == 1
    assert sheet.shape[2] > COLUMNS * 160
    assert sheet.min() >= -1.0
    assert sheet.max() <= 1.0


def test_maps_without_evidence_are_black_or_white_and_signals_gray():
    zeros = np.zeros((3, 3), np.float32)
    np.testing.assert_array_equal(shaded(zeros, 2.0), zeros)
    np.testing.assert_array_equal(diverging(zeros, 2.0), np.ones((3, 3, 3)))
    np.testing.assert_array_equal(colored(np.zeros((3, 3, 3)), 2.0), np.full((3, 3, 3), 0.5))
    np.testing.assert_allclose(overlay(np.full((3, 3, 3), -1.0), zeros, 2.0), 0.0)


def test_signs_have_colors():
    signed = np.array([[2.0, -2.0, 1.0, 9.0]])
    red, blue, pink = [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.5, 0.5]
    np.testing.assert_array_equal(diverging(signed, 2.0)[0], [red, blue, pink, red])
    drawn = overlay(np.full((1, 4, 3), -1.0), signed / 2.0, 2.0)[0]
    assert drawn[0, 0] > drawn[0, 2]
    assert drawn[1, 2] > drawn[1, 0]


def test_all_maps_of_a_method_have_one_scale():
    present = np.linspace(0.0, 1.0, 101).reshape(1, 1, 101)
    raw = {"saliency": np.concatenate([present, 0.1 * present]), "lrp": -2.0 * present}
    raw["grad_cam"] = np.concatenate([0.5 * present, 0.0 * present])
    scales = method_scales(AttributionMaps(raw))
    assert scales == pytest.approx({"saliency": 0.99, "lrp": 1.98, "grad_cam": 0.5})
    # So the same class score in another picture is drawn a tenth as bright.
    assert shaded(raw["saliency"][1], scales["saliency"]).max() == pytest.approx(0.1 / 0.99)
    assert [scale_words(name, top) for name, top in scales.items()] == [
        *("0 to 0.99", "-1.98 to 1.98", "0 to 0.5"),
    ]
    assert scales_text(scales).split("\n")[2] == "LRP-epsilon  -1.98 to 1.98"
    assert method_scales(AttributionMaps({"saliency": np.zeros((1, 2, 2))})) == {"saliency": 1.0}


def test_a_class_whose_name_is_a_number_goes_by_its_name():
    years = ("2019", "2020", "1")
    assert [class_index(name, years) for name in ("2020", "1", "0")] == [1, 2, 0]


def test_a_class_goes_by_number_and_by_each_of_its_names():
    assert class_index("2", CLASSES) == 2
    assert class_index("Scarlet", CLASSES) == class_index("red, scarlet", CLASSES) == 0


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("4", "--target is 4; it must be from 0 to 3"),
        ("scarlett", "there is no class 'scarlett'; did you mean 'scarlet'"),
        ("crane", r"--target is crane, the name of 2 classes; give an index: 1 \(crane\); 3"),
    ],
)
def test_a_class_that_cannot_be_meant_is_refused(written, message):
    with pytest.raises(WeightsError, match=message):
        class_index(written, CLASSES)


def test_layers_are_listed_from_the_image_on_and_the_last_with_rows_is_grad_cams():
    shapes = layer_shapes(classifier_network(network()), network(), (SIDE, SIDE))
    assert list(shapes.items()) == [("rectified", (1, 16, 16, 3)), ("mean", (1, 3))]
    assert cam_layer(shapes, "") == "rectified"


def test_layers_and_units_that_are_not_there_are_refused():
    for config in (Config(layer="rectifier"), Config(cam_layer="rectifier")):
        message = "brightness has no layer 'rectifier' .*'rectified'.* Its layers: rectified, mean"
        with pytest.raises(WeightsError, match=message):
            make_functions(config, network())
    shapes = layer_shapes(classifier_network(network()), network(), (SIDE, SIDE))
    with pytest.raises(WeightsError, match="--unit is 3; rectified has the units 0 to 2"):
        require_unit(shapes, "rectified", 3)
    with pytest.raises(WeightsError, match="--unit is 3, but --layer is empty"):
        require_unit(shapes, "", 3)
    with pytest.raises(WeightsError, match=r"--cam_layer is mean, of shape \(3,\)"):
        cam_layer(shapes, "mean")


def test_a_model_whose_nonlinearity_is_fixed_allows_the_other_methods():
    class Fixed(nn.Module):
        num_classes: int = 4

        @nn.compact
        def __call__(self, images, training=False):
            return images.mean((1, 2)), {"pixels": images}

    fixed = network(("a", "b", "c"))._replace(model=Fixed())
    message = "--methods has guided_backprop, deconvnet, guided_grad_cam, lrp, .* Fixed does not "
    with pytest.raises(WeightsError, match=message + ".* allowed: saliency,smoothgrad,integ"):
        make_functions(Config(), fixed)
    assert make_functions(Config(methods=("saliency", "score_cam")), fixed)


def test_a_network_without_classes_is_refused_before_the_work():
    with pytest.raises(WeightsError, match="has no class scores"):
        build(Config(), Library(None, print), OneNetwork(()))


@pytest.mark.parametrize(
    "values",
    [
        {"randomized_shares": (0.5, 1.5)},
        {"methods": ()},
        {"methods": ("saliency", "gradcam")},
        {"lrp_epsilon": -0.1},
        {"score_cam_features": -1},
        {"num_steps": 1},
        {"occlusion_size": 1.5},
        {"occlusion_stride": 0.4},
    ],
)
def test_bad_values_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        Config(**values)


def test_an_unknown_method_is_told_the_allowed_ones():
    message = "--methods has 'gradcam'; did you mean 'grad_cam'. Allowed: saliency, .*, score_cam$"
    with pytest.raises(ValueError, match=message):
        Config(methods=("gradcam",))


def test_several_classes_have_sheets_and_raw_maps_of_their_own(tmp_path):
    path = tmp_path / "a spot.png"
    Image.fromarray(((spots()[0] + 1.0) * 127.5).astype(np.uint8)).save(path)
    config = Config(
        images=(str(path),),
        methods=("integrated_gradients", "guided_backprop"),
        targets=("scarlet", "2", "red"),
        integrated_steps=4,
        measured_pictures=0,
    )
    found = build(config, Library(None, print), OneNetwork()).evaluate({}, jax.random.key(0))
    arrays = {name: value for name, value in found.items() if isinstance(value, ArrayFile)}
    assert list(arrays) == [
        f"0001_a_spot_{target}_{method}"
        for target in ("0_red", "2_blue")
        for method in config.methods
    ]
    names = [f"0001_a_spot_{target}_integrated_gradients" for target in ("0_red", "2_blue")]
    present, absent = (arrays[name].values for name in names)
    assert present.shape == (SIDE, SIDE)
    assert present.sum() == pytest.approx(1.875, rel=1e-3)
    assert not absent.any()
    assert "a spot.png: blue" in arrays["0001_a_spot_2_blue_guided_backprop"].caption
    assert arrays["0001_a_spot_2_blue_guided_backprop"].values.shape == (SIDE, SIDE, 3)
    sheets = [found[f"picture_0001_{target}"].pixels for target in ("0_red", "2_blue")]
    # The title's tile aside: the present class is drawn in red, the absent one not at all.
    assert not np.array_equal(*sheets)
    assert "integrated gradients  -" in found["scales"]


def test_raw_maps_may_be_left_out():
    config = Config(methods=("saliency",), raw_maps=False, measured_pictures=0)
    found = build(config, Library(None, print), OneNetwork()).evaluate({}, jax.random.key(0))
    assert not [value for value in found.values() if isinstance(value, ArrayFile)]
    assert "picture_0002" in found


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
    (error,) = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert "/nowhere.png" in error
