"""Tests the attribution experiment on a network whose answers are known by hand."""

import jax
import numpy as np
import pytest
from flax import linen as nn
from PIL import Image

import launch
from experiments.attribution import Config, build, make_baseline, make_functions
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import ArrayFile
from lecture_models.weights.error import WeightsError
from tests.tasks.attribution.brightness import SIDE, OneNetwork, network, spots


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


def test_layers_that_the_network_lacks_are_refused():
    for config in (Config(layer="rectifier"), Config(cam_layer="rectifier")):
        message = "brightness has no layer 'rectifier' .*'rectified'.* Its layers: rectified, mean"
        with pytest.raises(WeightsError, match=message):
            make_functions(config, network())


def test_a_model_whose_nonlinearity_is_fixed_allows_the_other_methods():
    class Fixed(nn.Module):
        num_classes: int = 4

        @nn.compact
        def __call__(self, images, training=False):
            return images.mean((1, 2)), {"pixels": images}

    fixed = network(("a", "b", "c"))._replace(model=Fixed())
    message = (
        "--methods has guided_backprop, deconvnet, guided_grad_cam, lrp, .* brightness does not "
        ".* allowed: saliency,smoothgrad,integ"
    )
    with pytest.raises(WeightsError, match=message):
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
