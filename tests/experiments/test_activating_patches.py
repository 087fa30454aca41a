import numpy as np
import pytest

import launch
from experiments import activating_patches as experiment
from lecture_models.attribution.patches import PatchBox, PixelSpan, TopPeaks
from lecture_models.data.lookup import Library
from lecture_models.tasks.codes import LabeledPictures, make_layer_reader
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Weights

UNTRAINED_FLAGS = ["--preset=smoke", "--wandb=disabled"]


@pytest.fixture(scope="module")
def network():
    return Weights(None, lambda line: None).load("untrained")


def test_an_unknown_layer_is_an_error_that_lists_the_layers(tmp_path, capsys):
    arguments = [*UNTRAINED_FLAGS, "--layer=conv9_9", f"--workdir={tmp_path / 'run'}"]
    assert launch.main(["launch.py", "--experiment=activating_patches", *arguments]) == 1
    (error,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert error.startswith("error: untrained has no layer 'conv9_9' for images of 56x56")
    assert error.endswith("Its layers: conv1_1, relu1_1, pool1, conv2_1, relu2_1, pool2, fc6, "
                          "relu6, fc7, relu7")  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_a_layer_without_maps_and_a_channel_too_many_are_refused(network):
    config = experiment.Config(channels=(3, 16))
    with pytest.raises(WeightsError, match="fc6 has the shape .*must have rows and columns"):
        experiment.choose_channels(config, make_layer_reader(network, "fc6", 56))
    with pytest.raises(WeightsError, match="--channels has 16; conv2_1 has the channels 0 to 15"):
        experiment.choose_channels(config, make_layer_reader(network, "conv2_1", 56))


def test_channels_are_those_named_or_evenly_spaced(network):
    reader = make_layer_reader(network, "conv2_1", 56)
    named = experiment.Config(channels=(5, 2))
    assert experiment.choose_channels(named, reader) == [5, 2]
    spaced = experiment.Config(num_channels=4)
    assert experiment.choose_channels(spaced, reader) == [0, 5, 10, 15]
    many = experiment.Config(num_channels=99)
    assert experiment.choose_channels(many, reader) == list(range(16))


def test_without_a_name_the_layer_sees_at_most_half_a_picture(network):
    assert experiment.choose_layer(network, "", 56) == "pool2"  # 10 pixels.
    assert experiment.choose_layer(network, "", 16) == "relu2_1"  # 8 pixels.
    assert experiment.choose_layer(network, "", 4) == "conv1_1"
    assert experiment.choose_layer(network, "fc6", 56) == "fc6"


def test_the_run_finds_each_channels_pictures_and_its_crops_say_the_same(network, tmp_path):
    config = experiment.Config(**experiment.SMOKE | {"batch_size": 7, "channels": (4,)})
    library = Library(None, lambda line: None)
    weights = Weights(None, lambda line: None)
    found = experiment.build(config, library, weights).evaluate({}, None)
    assert found["patches"].pixels.shape == (3, 16, 16, 3)
    assert found["pictures_with_boxes"].pixels.shape == (3, 16, 16, 3)
    assert found["crop_difference"] <= 1e-5
    assert found["alarm_crop"] == ""
    assert found["strongest"].splitlines()[1].startswith("channel 4, 10x10 pixels: ")


def test_a_box_is_drawn_where_it_is():
    white = np.ones((40, 40, 3), np.float32)
    drawn = experiment.outlined(white, PatchBox(PixelSpan(-8, 19), PixelSpan(20, 39)), 20)
    changed = np.argwhere((drawn < 0.9).any(axis=2))
    assert changed.min(axis=0).tolist() == [0, 10]
    assert changed.max(axis=0).tolist() == [9, 19]
    assert (drawn[3:7, 13:16] > 0.9).all()
    assert (white == 1.0).all()


def test_lines_name_the_classes_of_the_strongest():
    pixels = np.zeros((3, 2, 2, 3), np.uint8)
    collection = LabeledPictures(pixels, np.array([0, 1, 1]), ("cat", "dog"))
    ones = np.zeros((3, 1), int)
    found = TopPeaks(
        np.array([[3.0], [2.0], [1.5]], np.float32), np.array([[2], [1], [0]]), ones, ones
    )
    (line,) = experiment.channel_lines(
        [7], [PatchBox(PixelSpan(0, 4), PixelSpan(-2, 1))], found, collection
    )
    assert line == "channel 7, 5x4 pixels: 3 to 1.5: 2 dog, 1 cat"


def test_training_is_refused():
    with pytest.raises(ValueError, match="--num_steps is 5; it must be 0"):
        experiment.Config(num_steps=5)
    with pytest.raises(ValueError, match="--channels is -1; it must be at least 0"):
        experiment.Config(channels=(-1,))
