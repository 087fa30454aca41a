import jax
import numpy as np
import optax
import pytest

from lecture_models.tasks.dense_config import (
    SMOKE_DENSE,
    SMOKE_FEATURES,
    DenseConfig,
    FeatureConfig,
)
from lecture_models.tasks.dense_prediction import (
    make_feature_network,
    make_network,
    make_predict,
    make_step,
    own_pictures,
)
from tests.tasks.attribution.brightness import OneNetwork

CONFIG = DenseConfig(**SMOKE_DENSE)
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 20, 24, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def network():
    return make_network(CONFIG, 1)


@pytest.fixture(scope="module")
def state(network):
    return jax.jit(lambda key: network.init(key, optax.adam(1e-2)))(jax.random.key(0))


def test_pictures_are_squeezed_and_there_may_be_none(network):
    inputs = network.inputs(PIXELS)
    assert inputs["images"].shape == (5, 16, 16, 3)
    assert inputs["features"].shape == (5, 0)
    assert network.inputs(PIXELS[:0])["images"].shape == (0, 16, 16, 3)


def test_predictions_do_not_depend_on_the_number_of_pictures(network, state, monkeypatch):
    inputs = network.inputs(PIXELS)
    whole = make_predict(network)(state, inputs, (20, 24))
    monkeypatch.setattr("lecture_models.tasks.dense_prediction.PREDICTED_AT_ONCE", 2)
    parts = make_predict(network)(state, inputs, (20, 24))
    assert whole.shape == (5, 20, 24, 1)
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    assert make_predict(network)(state, network.inputs(PIXELS[:0]), (8, 8)).shape == (0, 8, 8, 1)


def test_steps_lower_the_loss_and_repeat_exactly(network, state):
    def losses(maps, batch):
        return {"squares": ((maps[..., 0] - 1.0) ** 2).mean(axis=(1, 2))}

    step = jax.jit(make_step(network, optax.adam(1e-2), losses))
    batch = network.inputs(PIXELS)

    def run():
        now, seen = state, []
        for number in range(6):
            now, metrics = step(now, batch, jax.random.key(number))
            seen.append(float(metrics["squares"]))
        return now, seen

    (first, losses_seen), (second, _) = run(), run()
    assert losses_seen[-1] < losses_seen[0]
    assert int(first.step) == 6
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), first, second))


def test_features_are_read_at_the_size_of_each_deeper_level():
    config = FeatureConfig(**SMOKE_FEATURES | {"widths": (4, 6, 6)})
    network = make_feature_network(config, 1, OneNetwork())
    assert network.shapes == ((4, 4, 3), (2, 2, 3))
    gray = np.full((2, 20, 20, 3), 200, np.uint8)
    features = network.inputs(gray)["features"]
    assert features.shape == (2, 4 * 4 * 3 + 2 * 2 * 3)
    places = features.astype(np.float32).reshape(2, -1, 3)
    np.testing.assert_allclose(places, places[:, :1].repeat(20, 1), atol=1e-3)
    assert places.max() > 0.0
    assert np.isfinite(features).all()
    state = jax.eval_shape(lambda key: network.init(key, optax.sgd(0.1)), jax.random.key(0))
    maps = jax.eval_shape(network.maps, state.variables, network.inputs(gray))
    assert maps.shape == (2, 16, 16, 1)


def test_from_scratch_nothing_but_pixels_is_read():
    config = FeatureConfig(**SMOKE_FEATURES | {"scratch": True})
    assert make_feature_network(config, 1, None).shapes == ()


def test_without_names_there_are_no_own_pictures():
    assert own_pictures(None, (), 8).shape == (0, 8, 8, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": 8}, "--side is 8; it must be at least 16"),
        ({"widths": ()}, "--widths has 0 values"),
        ({"least_part": 0.0}, "--least_part is 0.0"),
        ({"views": 0}, "--views is 0"),
    ],
)
def test_wrong_fields_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        DenseConfig(**SMOKE_DENSE | change)
