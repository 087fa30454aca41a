"""Tests the evaluation of models of pixels with a model whose pixels are independent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.evaluators import autoregressive, autoregressive_pictures, dispatch_memory
from lecture_models.evaluators.causality import causality_line, make_dependence
from lecture_models.evaluators.pixel_sampling import PixelModel

INDEPENDENT = PixelModel(
    2, lambda variables, images, labels: jnp.broadcast_to(variables["logits"], images.shape)
)
LEAKING = PixelModel(2, lambda variables, images, labels: images * 1.0)


def bits(count, side=4, probability=0.5, seed=0):
    generator = np.random.default_rng(seed)
    drawn = generator.random((count, side, side, 1)) < probability
    return np.where(drawn, 1.0, -1.0).astype(np.float32)


def test_the_nats_of_every_image_are_counted_once():
    images = bits(230)
    variables = {"logits": jnp.float32(np.log(4.0))}  # Probability 0.8.
    nats = autoregressive.make_nats(INDEPENDENT)(variables, images, None)
    ones = (images > 0).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(nats, -ones * np.log(0.8) - (16 - ones) * np.log(0.2), rtol=1e-5)


def test_a_leak_is_counted():
    images = bits(2)
    leaks, line = causality_line(make_dependence(LEAKING), {}, images, None)
    assert leaks == 16
    assert line.startswith("16 of 136 derivatives")


def test_new_images_of_each_class_take_turns():
    by_class = PixelModel(
        2,
        lambda variables, images, labels: jnp.broadcast_to(
            40.0 * labels[:, None, None, None] - 20.0, images.shape
        ),
    )
    drawn = autoregressive.make_sample(by_class, 2, (3, 3, 1))({}, jax.random.key(0), 5)
    assert drawn[:, 0, 0, 0].tolist() == [-1.0, 1.0, -1.0, 1.0, -1.0]


def test_completions_keep_the_upper_half():
    test = bits(6, side=6)
    shown = autoregressive_pictures.Shown(test, None, test, 0)
    drawer = autoregressive.make_drawer(INDEPENDENT)
    variables = {"logits": jnp.float32(0.0)}
    picture = autoregressive_pictures.complete(drawer, variables, jax.random.key(0), shown, 2, 3)
    rows = np.asarray(picture.pixels).reshape(2, 5, 6, 6, 1)
    assert picture.columns == 5
    np.testing.assert_array_equal(rows[:, 0], test[[0, 5]])
    for column in range(1, 5):
        np.testing.assert_array_equal(rows[:, column, :3], rows[:, 0, :3])
    assert (rows[:, 1, 3:] != 1.0).all()
    assert (abs(rows[:, 2:, 3:]) == 1.0).all()
    assert (rows[:, 2, 3:] != rows[:, 3, 3:]).any()


def test_a_film_ends_with_the_whole_images_and_never_takes_a_pixel_back():
    film = np.asarray(autoregressive_pictures.order(bits(3, side=8)).frames)
    known = abs(film) == 1.0
    assert not known[0].any()
    assert known[-1].sum() == 3 * 64
    assert (known[1:] >= known[:-1]).all()
    assert (film[1:][known[:-1]] == film[:-1][known[:-1]]).all()


def test_images_of_another_kind_are_told_by_their_nats():
    observed = autoregressive.Observed(
        bits(200, probability=0.9), bits(10), bits(200, probability=0.2, seed=1), "sparse"
    )
    nats_of = autoregressive.make_nats(INDEPENDENT)
    variables = {"logits": jnp.float32(2.0)}
    test = nats_of(variables, observed.test, None)
    found = autoregressive.tell_outside(nats_of, variables, observed, test, 0)
    assert found["out_of_distribution_auroc"] > 0.99
    assert found["outside_negative_log_likelihood"] > test.mean()
    none = autoregressive.tell_outside(
        nats_of, variables, observed._replace(outside=None, outside_name="no shape"), test, 0
    )
    assert none == {"out_of_distribution": "not computed: no shape"}


def test_what_exceeds_the_memory_is_refused():
    dispatch_memory.require_memory(1, "the maps", "--batch_size")
    with pytest.raises(DataError, match="the maps need .* GiB .* give a smaller --batch_size"):
        dispatch_memory.require_memory(2**60, "the maps", "--batch_size")
