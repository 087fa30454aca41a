import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.gram import gram_loss, gram_matrix
from lecture_models.image_space.terms import View
from lecture_models.image_space.texture import (
    num_parameters,
    principal_directions,
    relative_gram_error,
    texture_match,
    texture_target,
)


def maps(seed, count=1, rows=6, columns=5, channels=7):
    return jax.random.normal(jax.random.key(seed), (count, rows, columns, channels))


def loss(features, target):
    view = View(jnp.zeros((len(features), 1, 1, 3)), jnp.zeros((len(features), 0)), {"a": features})
    return texture_match("a")(view, target)


@pytest.mark.parametrize(
    ("channels", "published"),
    [
        ([20] * 5, 1_050),
        ([64] * 5, 10_400),
        ([64, 64, 128, 256, 512], 176_640),
        ([64] * 3 + [128] * 3 + [256] * 5 + [512] * 5, 852_128),
        # Row B: the five convolutions of CaffeNet.
        ([96, 256, 384, 384, 256], 218_288),
    ],
)
def test_the_models_have_the_parameters_of_the_figure(channels, published):
    assert num_parameters(channels) == published


def test_row_c_counts_add_up_layer_by_layer():
    channels = [64, 64, 128, 256, 512]
    counts = [num_parameters(channels[: depth + 1]) for depth in range(5)]
    assert counts == [2_080, 4_160, 12_416, 45_312, 176_640]


def test_whole_maps_are_matched_by_the_loss_of_the_paper():
    features, source = maps(0, 2), maps(1, rows=4)
    target = texture_target(source)
    expected = gram_loss(features, gram_matrix(source)[0], None, jnp.asarray(20.0))
    np.testing.assert_allclose(loss(features, target), expected, rtol=1e-6)


@pytest.mark.parametrize("components", [0, 3])
def test_a_source_has_no_error_against_itself(components):
    source = maps(2)
    basis = principal_directions(source, components) if components else None
    target = texture_target(source, basis)
    assert loss(source, target)[0] == pytest.approx(0.0, abs=1e-8)
    assert relative_gram_error(source, target)[0] == pytest.approx(0.0, abs=1e-6)
    assert relative_gram_error(jnp.zeros_like(source), target)[0] == pytest.approx(1.0)


def test_where_things_are_does_not_matter_to_a_texture():
    source = maps(3)
    shuffled = jax.random.permutation(jax.random.key(4), source.reshape(-1, 7)).reshape(1, 5, 6, 7)
    assert loss(shuffled, texture_target(source))[0] == pytest.approx(0.0, abs=1e-8)


def test_directions_are_orthonormal_and_hold_the_most_energy():
    source = maps(5)
    basis = principal_directions(source, 3)
    np.testing.assert_allclose(basis.T @ basis, jnp.eye(3), atol=1e-5)
    kept = jnp.square(source @ basis).sum()
    for axes in itertools.combinations(range(7), 3):
        assert kept >= jnp.square(source[..., list(axes)]).sum()
    singular = np.linalg.svd(np.asarray(source).reshape(-1, 7), compute_uv=False)
    assert float(kept) == pytest.approx(np.square(singular[:3]).sum(), rel=1e-5)


def test_the_projected_matrix_of_the_source_is_diagonal():
    source = maps(6)
    gram = texture_target(source, principal_directions(source, 4))["gram"]
    assert gram.shape == (4, 4)
    np.testing.assert_allclose(gram, jnp.diag(jnp.diag(gram)), atol=1e-4)


def test_no_more_directions_than_channels():
    assert principal_directions(maps(7), 64).shape == (7, 7)
