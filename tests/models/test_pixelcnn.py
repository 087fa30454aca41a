"""Tests PixelCNN by exact causality, by sums over all images, and by its parameters."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.stats

from lecture_models.evaluators.causality import blind_spot, field_of, make_dependence
from lecture_models.evaluators.pixel_sampling import draw_from_caches, pixel_model
from lecture_models.losses.pixel_likelihood import from_levels, image_nats
from lecture_models.metrics.cost import count_parameters
from lecture_models.models.pixelcnn import GatedPixelCNN, PixelCNN
from lecture_models.nn.masked_convolution import acting_parameters

PLAIN = PixelCNN(features=9, num_blocks=1, head_features=9)
GATED = GatedPixelCNN(features=9, num_layers=2, head_features=9)
both = pytest.mark.parametrize("network", [PLAIN, GATED], ids=["plain", "gated"])


@functools.partial(jax.jit, static_argnames="network")
def parameters(network, images, labels=None):
    """Returns random parameters, none of them 0 but for masks."""
    params = network.init(jax.random.key(0), images, labels)["params"]
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    moved = [
        jnp.where(
            (leaf == 0) & (leaf.ndim == 4), 0.0, leaf + 0.3 * jax.random.normal(k, leaf.shape)
        )
        for leaf, k in zip(leaves, keys, strict=True)
    ]
    return {"params": jax.tree.unflatten(tree, moved)}


def all_images(height, width):
    bits = np.array(list(itertools.product((-1.0, 1.0), repeat=height * width)), np.float32)
    return jnp.asarray(bits.reshape(-1, height, width, 1))


def log_probabilities(network, variables, images, labels=None):
    return -image_nats(jax.jit(network.apply)(variables, images, labels), images)


@both
@pytest.mark.parametrize(("channels", "levels"), [(1, 2), (3, 4)])
def test_no_derivative_to_the_own_or_a_later_pixel(network, channels, levels):
    network = network.clone(levels=levels)
    images = np.asarray(jax.random.normal(jax.random.key(3), (6, 1, 4, 4, channels)))
    variables = parameters(network, jnp.asarray(images[0]))
    dependence = make_dependence(pixel_model(network, levels))
    # At one image alone some rectifiers are off.
    depends = np.any([dependence(variables, image) for image in images], axis=0)
    assert depends.shape == (16 * channels, 16 * channels)
    assert not np.triu(depends).any()
    # The same channel of the pixel before; a few rectifiers are off at all of the images.
    assert np.diagonal(depends, -channels).mean() > 0.7
    if channels == 3:
        own = np.diagonal(depends.reshape(16, 3, 16, 3), axis1=0, axis2=2).any(axis=-1)
        np.testing.assert_array_equal(own, np.tril(np.ones((3, 3)), -1))  # R -> G, R -> B, G -> B


@both
def test_classes_change_the_logits_and_leave_causality(network):
    network = network.clone(num_classes=3)
    image = jax.random.normal(jax.random.key(3), (1, 4, 4, 1))
    labels = jnp.array([1])
    variables = parameters(network, image, labels)
    depends = make_dependence(pixel_model(network, 2))(variables, np.asarray(image), labels)
    assert not np.triu(depends).any()
    others = network.apply(variables, image, jnp.array([2]))
    assert np.asarray(others != network.apply(variables, image, labels)).all()


@both
def test_the_probabilities_of_all_binary_images_add_up_to_one(network):
    images = all_images(3, 3)
    assert len(images) == 2**9
    variables = parameters(network, images[:1])
    total = jnp.exp(log_probabilities(network, variables, images)).sum()
    assert float(total) == pytest.approx(1.0, abs=1e-5)


def test_the_probabilities_of_all_colors_of_two_pixels_add_up_to_one():
    network = PLAIN.clone(levels=3)
    levels = np.array(list(itertools.product(range(3), repeat=6)), np.int32)
    images = from_levels(jnp.asarray(levels.reshape(-1, 1, 2, 3)), 3)
    variables = parameters(network, images[:1])
    total = jnp.exp(log_probabilities(network, variables, images)).sum()
    assert float(total) == pytest.approx(1.0, abs=1e-5)


@both
def test_draws_have_the_frequencies_of_the_model(network):
    images = all_images(2, 3)
    variables = parameters(network, images[:1])
    probabilities = np.exp(np.asarray(log_probabilities(network, variables, images), np.float64))
    blank = jnp.zeros((20_000, 2, 3, 1))
    draw = jax.jit(functools.partial(draw_from_caches, pixel_model(network, 2)))
    bits = np.asarray(draw(variables, jax.random.key(1), blank) > 0).reshape(-1, 6)
    counts = np.bincount(bits @ (2 ** np.arange(5, -1, -1)), minlength=64)
    expected = probabilities / probabilities.sum() * len(bits)
    assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3


@pytest.mark.parametrize("num_layers", [2])
def test_only_the_plain_network_has_a_blind_spot(num_layers):
    unseen = []
    for network in (
        PixelCNN(features=4, num_blocks=num_layers, head_features=4),
        GatedPixelCNN(features=4, num_layers=num_layers + 1, head_features=4),
    ):
        shape = (15, 15, 1)
        variables = parameters(network, jnp.zeros((1, *shape)))
        sees = field_of(pixel_model(network, 2), variables, None, shape)
        window, blind = blind_spot(sees)
        reach = 3 + num_layers
        assert window.sum() == reach * (2 * reach + 1) + reach
        assert not blind[:, :8].any()  # It lies to the right.
        unseen.append(int(blind.sum()))
    assert unseen == [num_layers * (num_layers + 1) // 2, 0]


@pytest.mark.slow
def test_training_recovers_the_entropy_of_a_known_distribution():
    """Pixels of a row copy the pixel before with probability 0.9; the first is a fair coin."""
    generator = np.random.default_rng(0)
    flips = np.where(generator.random((2_048, 4)) < 0.1, -1.0, 1.0)
    flips[:, 0] = np.where(generator.random(2_048) < 0.5, -1.0, 1.0)
    images = jnp.asarray(flips.cumprod(axis=1).reshape(-1, 1, 4, 1), jnp.float32)
    entropy = np.log(2.0) + 3 * scipy.stats.bernoulli.entropy(0.1)
    network = PixelCNN(features=8, num_blocks=1, head_features=8)
    optimizer = optax.adam(0.01)

    def loss(params, images):
        return image_nats(network.apply({"params": params}, images), images).mean()

    @jax.jit
    def step(params, state):
        updates, state = optimizer.update(jax.grad(loss)(params, images[:1_024]), state)
        return optax.apply_updates(params, updates), state

    params = jax.jit(network.init)(jax.random.key(0), images)["params"]
    state = optimizer.init(params)
    for _ in range(80):
        params, state = step(params, state)
    assert float(loss(params, images[1_024:])) == pytest.approx(entropy, abs=0.1)


def shapes_of(network, channels):
    images = jnp.zeros((1, 8, 8, channels))
    return jax.eval_shape(network.init, jax.random.key(0), images)["params"]


def test_the_parameters_of_a_plain_network_are_counted_by_hand():
    h, blocks, head = 16, 5, 32
    first = (3 * 7 + 3) * 2 * h + 2 * h
    block = (2 * h + 1) * h + (4 + 1) * h * h + h + (h + 1) * 2 * h
    acting = first + blocks * block + (2 * h + 1) * head + head + 1
    variables = jax.jit(PixelCNN().init)(jax.random.key(0), jnp.zeros((1, 8, 8, 1)))
    assert acting_parameters(variables["params"]) == acting
    # Stored are also the weights of the own row that the masks set to 0.
    stored = acting + 4 * 2 * h + blocks * h * h
    assert count_parameters(shapes_of(PixelCNN(), 1)) == stored


@both
def test_labels_go_with_classes(network):
    images = jnp.zeros((1, 4, 4, 1))
    with pytest.raises(ValueError, match="3 classes and got no labels"):
        network.clone(num_classes=3).init(jax.random.key(0), images)
    with pytest.raises(ValueError, match="0 classes and got labels"):
        network.init(jax.random.key(0), images, jnp.array([0]))


def test_gated_maps_that_cannot_be_divided_among_the_colors_are_refused():
    with pytest.raises(ValueError, match="4 maps; they must be a multiple of the 3"):
        GATED.clone(features=4).init(jax.random.key(0), jnp.zeros((1, 4, 4, 3)))
