import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageFilter

from experiments import texture_nearest_neighbor, texture_synthesis
from experiments.texture_synthesis import (
    Config,
    averaging,
    bordered,
    chosen_layers,
    texture_terms,
)
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.image_space.nonparametric import GrownTexture
from lecture_models.image_space.texture import num_parameters
from lecture_models.models.vgg import VGG_E
from lecture_models.nn.pooling import mean_pool
from lecture_models.tasks.texture import judge_copying, read_halves
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Weights

CHANNELS = {"1": 64, "2": 128, "3": 256, "4": 512, "5": 512}
STAGES = [("1", 2), ("2", 2), ("3", 4), ("4", 4), ("5", 4)]
LAYERS = {}
for stage, count in STAGES:
    for layer in range(1, count + 1):
        for kind in ("conv", "relu"):
            LAYERS[f"{kind}{stage}_{layer}"] = (1, 2, 2, CHANNELS[stage])
    LAYERS[f"pool{stage}"] = (1, 2, 2, CHANNELS[stage])


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path, lambda line: None)


@pytest.fixture
def weights(tmp_path):
    return Weights(tmp_path, lambda line: None)


def saved(folder, width, height, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    path = folder / f"{width}x{height}.png"
    Image.fromarray(values).save(path)
    return str(path)


def count(config):
    layers = chosen_layers(config, LAYERS)
    sizes = [LAYERS[layer][-1] for layer in layers]
    return num_parameters([min(each, config.components or each) for each in sizes])


@pytest.mark.parametrize(
    ("options", "published"),
    [
        ({"components": 20}, 1_050),
        ({"components": 64}, 10_400),
        ({}, 176_640),
        ({"every_layer": True}, 852_128),
        ({"layers": ("relu1_1",)}, 2_080),
        ({"layers": ("relu1_1", "pool1", "pool2")}, 12_416),
    ],
)
def test_flags_give_the_rows_of_the_paper(options, published):
    assert count(Config(**options)) == published


def test_the_layers_of_the_counts_are_those_of_vgg19(weights):
    model = VGG_E(num_classes=0)
    shapes = {}
    for stage, (channels, filters) in enumerate(model.stages, start=1):
        for layer in range(1, len(filters) + 1):
            shapes |= {f"conv{stage}_{layer}": channels, f"relu{stage}_{layer}": channels}
        shapes[f"pool{stage}"] = channels
    assert shapes == {name: shape[-1] for name, shape in LAYERS.items()}


def test_terms_with_components_are_of_as_many_numbers():
    maps = jnp.asarray(np.random.default_rng(0).normal(size=(1, 6, 6, 8)), jnp.float32)
    config = Config(layers=("a",), components=3)
    (term,) = texture_terms(config, {"a": maps}, ["a"])
    assert term.target["gram"].shape == (3, 3)


def test_relative_terms_do_not_depend_on_the_scale_of_the_maps():
    maps = jnp.asarray(np.random.default_rng(1).normal(size=(1, 4, 4, 5)), jnp.float32)
    (one,) = texture_terms(Config(), {"a": maps}, ["a"])
    (ten,) = texture_terms(Config(), {"a": 10.0 * maps}, ["a"])
    # A loss of fourth powers: weights fall by 10^4.
    assert one.weight / ten.weight == pytest.approx(1e4, rel=1e-4)


def test_poolings_become_means(weights):
    assert averaging(weights.load("untrained")).model.pool is mean_pool


def test_a_network_whose_poolings_stay_is_refused(weights):
    class Fixed:
        pass

    network = weights.load("untrained")._replace(model=Fixed())
    with pytest.raises(WeightsError, match="noaverage_pooling"):
        averaging(network)


@pytest.mark.parametrize(("width", "height"), [(40, 20), (20, 40), (30, 30)])
def test_halves_are_apart_and_cut_across_the_longer_side(tmp_path, library, width, height):
    path = saved(tmp_path, width, height)
    halves = read_halves(library, path, max(width, height), 8)
    longer = int(height > width)
    assert halves.source.shape == halves.held_out.shape
    assert sorted(halves.source.shape[:2]) == sorted(
        (width // 2, height) if not longer else (width, height // 2)
    )
    whole = np.concatenate(halves, axis=0 if longer else 1)
    np.testing.assert_array_equal(
        np.round((whole + 1.0) * 127.5), np.asarray(Image.open(path), np.float32)
    )


def test_a_half_that_is_too_small_is_refused(tmp_path, library):
    with pytest.raises(
        DataError, match="half of the texture is 10x20 at this --texture_size; each"
    ):
        read_halves(library, saved(tmp_path, 20, 20), 20, 12)


def test_a_source_of_one_color_is_refused(tmp_path, library):
    path = tmp_path / "gray.png"
    Image.new("RGB", (32, 32), (90, 90, 90)).save(path)
    with pytest.raises(DataError, match="one color"):
        read_halves(library, str(path), 32, 8)


def test_a_copy_has_no_originality_and_the_held_out_half_all(tmp_path, library):
    halves = read_halves(library, saved(tmp_path, 48, 24), 48, 8)
    assert judge_copying(halves.source[2:20, 3:19], halves, 6)["originality"] == 0.0
    assert judge_copying(halves.held_out, halves, 6)["originality"] == 1.0


def test_a_piece_cut_out_whole_is_coherent():
    rows, columns = np.indices((4, 5))
    origin = np.stack([rows + 3, columns + 7], -1)
    image = np.zeros((4, 5, 3), np.float32)
    assert texture_nearest_neighbor.coherence(GrownTexture(image, origin)) == 1.0
    assert texture_nearest_neighbor.coherence(GrownTexture(image, origin[:, ::-1])) == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": ()}, "--size has 0 values"),
        ({"size": (0,)}, "--size is 0"),
        ({"layers": ()}, "--layers is empty"),
        ({"num_steps": 2, "scales": 3}, "at least --scales, 3"),
        ({"components": -1}, "--components is -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Config(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"neighborhood": 4}, "it must be odd"), ({"num_steps": 3}, "nothing is trained")],
)
def test_settings_of_the_baseline_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        texture_nearest_neighbor.Config(**options)


def test_an_unknown_layer_is_refused_with_the_list(tmp_path, library, weights):
    config = Config(
        texture=saved(tmp_path, 48, 24),
        texture_size=48,
        model="untrained",
        layers=("relu1_9",),
        size=(24,),
    )
    with pytest.raises(WeightsError, match="no layer 'relu1_9'.*relu1_1.*pool2"):
        texture_synthesis.build(config, library, weights)


@pytest.mark.slow
def test_scales_share_the_steps_and_end_at_the_size(tmp_path, library, weights):
    smoke = texture_synthesis.SMOKE | {"texture": saved(tmp_path, 128, 70), "num_steps": 5}
    config = Config(**smoke | {"texture_size": 128, "scales": 3, "size": (65, 70)})
    experiment = texture_synthesis.build(config, library, weights)
    assert [phase.first_step for phase in experiment.phases] == [0, 2]
    state = experiment.init(jax.random.key(0))
    assert state.base.shape == (1, 65, 70, 3)
    assert state.image.params.shape == (1, 82, 86, 3)  # A margin around, and whole strides.
    shown = experiment.evaluate(state, jax.random.key(1))["image"].pixels
    assert shown.shape == (1, 32, 35, 3)


def test_scales_that_are_too_small_are_skipped():
    config = Config(size=(96, 150), scales=9)
    assert texture_synthesis.stage_halvings(config, (128, 256)) == [1, 0]
    assert texture_synthesis.stage_halvings(config, (60, 256)) == [0]
    assert texture_synthesis.stage_halvings(Config(size=(20,)), (128, 256)) == [0]


def synthesized(path, library, weights, **options):
    """A texture of noise, from small random filters."""
    config = Config(
        **texture_synthesis.SMOKE
        | {"texture": path, "texture_size": 96, "layers": ("relu1_1", "pool1", "pool2")}
        | {"history_size": 5, "num_steps": 40}
        | options
    )
    experiment = texture_synthesis.build(config, library, weights)
    state, batch = experiment.init(jax.random.key(0)), next(experiment.batches(0))
    (phase,) = experiment.phases
    step = jax.jit(phase.step)
    for number in range(config.num_steps):
        state, _ = step(state, batch, jax.random.key(number))
    return np.asarray(experiment.evaluate(state, jax.random.key(0))["image"].pixels[0])


def blobs(folder):
    """A picture of blurred noise: neighbors are alike, pixels that are far apart are not."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    path = folder / "blobs.png"
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)).save(path)
    return str(path)


@pytest.mark.slow
def test_a_seamless_tile_continues_beyond_its_edges_as_it_does_inside(tmp_path, library, weights):
    """Without --seamless, opposite edges differ 1.4 and 1.6 times as much as neighbors inside."""
    tile = synthesized(blobs(tmp_path), library, weights, size=(40,), seamless=True)
    inside = [np.abs(np.diff(tile, axis=axis)).mean() for axis in (0, 1)]
    around = np.abs(tile[0] - tile[-1]).mean(), np.abs(tile[:, 0] - tile[:, -1]).mean()
    np.testing.assert_allclose(around, inside, rtol=0.25)


@pytest.mark.slow
def test_the_middle_of_a_texture_is_not_duller_than_its_border(tmp_path, library, weights):
    """39 pixels are no multiple of 4, the stride of pool2."""
    texture = synthesized(blobs(tmp_path), library, weights, size=(39,))
    spread = texture[13:26, 13:26].std()
    for name, strip in (("top", np.s_[:6]), ("bottom", np.s_[-6:]), ("right", np.s_[:, -6:])):
        assert 0.75 < texture[strip].std() / spread < 1.35, name


def test_a_tile_of_a_size_that_cannot_be_seamless_is_refused(tmp_path, library, weights):
    with pytest.raises(WeightsError, match="--size is 39,40 .*seamless tile.* is 40,40"):
        synthesized(blobs(tmp_path), library, weights, size=(39, 40), seamless=True)


def test_a_network_that_pads_with_zeros_only_gives_no_tiles(weights):
    network = weights.load("untrained")
    assert bordered(network, "CIRCULAR").model.padding == "CIRCULAR"
    fixed = network._replace(model=object())
    assert bordered(fixed, "REFLECT") is fixed
    with pytest.raises(WeightsError, match="untrained pads with zeros only; --seamless needs"):
        bordered(fixed, "CIRCULAR")
