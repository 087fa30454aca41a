"""Checks what style_transfer refuses before the first step."""

import pytest

from experiments.style_transfer import Config
from lecture_models.data.dataset import DataError
from lecture_models.weights.error import WeightsError
from tests.tasks.style.styling import built, configured, draw_pictures, stripes


@pytest.fixture
def pictures(tmp_path):
    return draw_pictures(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "--size is 0; it must be at least 1"),
        ({"style_scale": 0.0}, "--style_scale is 0.0; it must be above 0"),
        ({"style": ("a", "b"), "style_mix": (1.0,)}, "--style_mix has 1 values; it must have 2"),
        ({"style": ("a", "b"), "content_mask": ("m",)}, "--content_mask has 1 values"),
        ({"style_mix": (0.0,)}, "--style_mix adds up to 0"),
        ({"style_layer_weights": (1.0,)}, "has 1 values; it must have 5, one per --style_layers"),
        ({"coarse_sizes": (400,)}, r"are \(400, 320\); each must be above the one before"),
        ({"coarse_steps": (300,)}, "must be below --num_steps=200"),
        ({"keep_colors": True, "match_colors": True}, "are both set"),
        ({"white_noise": True, "init": "a"}, "are both given"),
        ({"content_weight": -1.0}, "--content_weight is -1.0; it must be at least 0"),
    ],
)
def test_flags_that_contradict_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"content": "absent.png"}, DataError, "there is no picture .*absent.png"),
        ({"style": ("absent.png",)}, DataError, "there is no picture .*absent.png"),
        ({"style_layers": ("relu9",)}, WeightsError, "has no layer 'relu9'.*relu1, relu2"),
        ({"content_mask": ("black.png",)}, DataError, "black.png is black everywhere at 24x18"),
        (
            {"style_mask": ("black_square.png",)},
            DataError,
            "black_square.png is black everywhere at 24x24",
        ),
        ({"style_mask": ("half.png",)}, DataError, "half.png is 48x36, and .* at 24x24; both must"),
        ({"size": 200}, DataError, "content.png.*--size=200 would enlarge it"),
        (
            {"style_scale": 4.0},
            DataError,
            "style.png is 20x20; --style_scale times --size=96 would enlarge it 4.8 times",
        ),
        ({"style_scale": 0.5}, DataError, "--style_scale times --size is 12; it must be at least"),
    ],
)
def test_pictures_that_will_not_do_are_refused_before_the_first_step(
    pictures, changes, error, message
):
    with pytest.raises(error, match=message):
        built(configured(pictures, **changes))


def test_a_picture_too_small_for_a_layer_is_refused(pictures):
    stripes((40, 1), (0, 0, 0), (9, 9, 9)).save(pictures / "line.png")
    with pytest.raises(DataError):
        built(configured(pictures, content="line.png"))
