import jax
import numpy as np
import pytest
from PIL import Image

from experiments.feature_visualization import Config, build, chosen_directions, parsed_direction
from lecture_models.data.lookup import Library
from lecture_models.weights.error import WeightsError
from tests.tiny_network import TinyWeights

SETTINGS = {
    "model": "tiny",
    "layers": ("conv1", "conv2"),
    "channels": (1, 4),
    "size": 24,
    "jitter": 1,
    "scale": 0.0,
    "rotation": 0.0,
    "num_steps": 12,
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for index in range(12):
        blocks = random.integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(blocks).resize((32, 32)).save(folder / f"{index}.png")
    return str(folder)


def run(photos, **changes):
    config = Config(**({"images": (photos,)} | SETTINGS | changes))
    experiment = build(config, Library(None, print), TinyWeights())
    state, batch = experiment.init(jax.random.key(0)), next(experiment.batches(0))
    step = jax.jit(experiment.phases[0].step)
    metrics = []
    for index in range(config.num_steps):
        state, found = step(state, batch, jax.random.key(index))
        metrics.append({name: float(value) for name, value in found.items()})
    return experiment.evaluate(state, jax.random.key(0)), metrics


@pytest.mark.slow
def test_every_unit_is_excited_more_by_its_images_than_by_the_photos(photos):
    evaluation, metrics = run(
        photos, negative=True, directions=("1-0.5*4",), learning_rate=0.4, num_steps=30
    )
    for layer in ("conv1", "conv2"):
        assert metrics[-1][layer] > metrics[0][layer] + 1.0
        assert evaluation[f"sheet_{layer}"].pixels.shape == (6, 24, 24, 3)
    assert evaluation["strong_images"] == 1.0
    assert evaluation["least_percent_below"] == 100.0
    assert evaluation["alarm_weak"] == ""
    names = [row[1] for row in evaluation["responses"].rows[:6]]
    assert names == [
        *("channel 1", "channel 1, negative", "channel 4", "channel 4, negative"),
        *("direction 1-0.5*4", "direction 1-0.5*4, negative"),
    ]
    activations = [row[2] for row in evaluation["responses"].rows[:6]]
    assert activations[0] > activations[1]


@pytest.mark.slow
def test_the_images_of_a_layer_do_not_depend_on_other_layers(photos):
    """Adam does not see the factor of the loss, and each sheet has a network of its own."""
    both, _ = run(photos, fourier=False, noise=0.0, num_steps=6)
    alone, _ = run(photos, fourier=False, noise=0.0, num_steps=6, layers=("conv2",))
    np.testing.assert_allclose(both["sheet_conv2"].pixels, alone["sheet_conv2"].pixels, atol=0.02)


@pytest.mark.slow
def test_the_diversity_term_makes_the_images_of_a_unit_differ(photos):
    settings = {"images_per_unit": 3, "layers": ("conv2",), "channels": (1,), "num_steps": 15}
    _, weak = run(photos, diversity=1e-3, **settings)
    evaluation, strong = run(photos, diversity=50.0, **settings)
    assert strong[-1]["conv2_similarity"] < weak[-1]["conv2_similarity"] - 0.01
    assert evaluation["sheet_conv2"].columns == 3


def test_a_neuron_is_the_unit_in_the_middle(photos):
    evaluation, _ = run(
        photos, neuron=True, fourier=False, noise=0.0, layers=("conv1",), num_steps=2
    )
    changed = np.abs(np.asarray(evaluation["sheet_conv1"].pixels)).max((0, 3)) > 0.05
    assert changed.any()
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 8
    assert rows.max() <= 16
    assert columns.min() >= 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12+34", {12: 1.0, 34: 1.0}),
        ("-3", {3: -1.0}),
        ("12-0.5*34", {12: 1.0, 34: -0.5}),
        ("2*7+7", {7: 3.0}),
    ],
)
def test_a_direction_is_a_sum_of_channels(text, expected):
    assert parsed_direction(text) == expected


@pytest.mark.parametrize("text", ["", "a", "12+", "12 34", "1-1", "3*", "1.5"])
def test_other_texts_are_not_directions(text):
    with pytest.raises(ValueError, match="a direction is a sum of channels, such as 12.34"):
        parsed_direction(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ("conv9",)}, "tiny has no layer 'conv9' for images of 24x24; did you mean"),
        ({"layers": ("mean",)}, "--layers has mean; it must have rows and columns"),
        ({"channels": (6,)}, "--channels has 6; conv1 has the channels 0 to 5"),
        ({"directions": ("1+9",)}, r"--directions has 1\+9; conv1 has the channels 0 to 5"),
    ],
)
def test_what_a_network_does_not_have_is_refused(photos, changes, message):
    with pytest.raises(WeightsError, match=message):
        run(photos, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jitter": 30}, "--jitter is 30; it must be below --size, 24"),
        ({"layers": ("a", "a")}, "--layers is a,a; it names a layer twice"),
        ({"directions": ("x",)}, "--directions has 'x'"),
        ({"size": 8}, "--size is 8; it must be at least 16"),
    ],
)
def test_flags_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**(SETTINGS | changes))


def test_without_channels_evenly_spaced_ones_are_shown(photos):
    evaluation, _ = run(photos, channels=(), num_channels=3, layers=("conv2",), num_steps=1)
    assert [row[1] for row in evaluation["responses"].rows] == [
        *("channel 0", "channel 4", "channel 7"),
    ]


def test_a_random_direction_has_length_one_and_is_the_same_for_one_seed():
    drawn = [
        chosen_directions(Config(**SETTINGS, random_directions=2, seed=seed), "conv1", 6)
        for seed in (3, 3, 4)
    ]
    assert list(drawn[0]) == ["random direction 0", "random direction 1"]
    first, again, other = (each["random direction 1"] for each in drawn)
    np.testing.assert_allclose(np.linalg.norm(first), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
