import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.video_classifier import (
    AveragedFilm,
    FrameEncoder,
    RecurrentFilm,
    running_mean,
)

FILMS = jax.random.normal(jax.random.key(0), (3, 5, 8, 8, 1))
MASK = jnp.arange(5)[None] < jnp.array([[5], [3], [4]])


@pytest.fixture(scope="module", params=[RecurrentFilm, AveragedFilm])
def answers(request):
    """Returns a compiled network with its parameters."""
    module = request.param(4, features=6)
    variables = jax.jit(module.init)(jax.random.key(1), FILMS, MASK)
    apply = jax.jit(module.apply)
    return lambda films, mask: np.asarray(apply(variables, films, mask))


def test_padding_changes_no_answer(answers):
    other = jnp.where(MASK[..., None, None, None], FILMS, 7.0)
    np.testing.assert_array_equal(answers(FILMS, MASK)[:, -1], answers(other, MASK)[:, -1])


def test_the_answer_so_far_does_not_know_later_frames(answers):
    later = FILMS.at[:, 3:].add(5.0)
    full = jnp.ones_like(MASK)
    before, after = answers(FILMS, full), answers(later, full)
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (before[:, 3:] != after[:, 3:]).any()


def test_only_the_recurrent_network_knows_the_order():
    full, backward = jnp.ones_like(MASK), FILMS[:, ::-1]
    differences = []
    for kind in (RecurrentFilm, AveragedFilm):
        module = kind(4, features=6)
        variables = jax.jit(module.init)(jax.random.key(1), FILMS, full)
        apply = jax.jit(module.apply)
        forward, reverse = (apply(variables, films, full)[:, -1] for films in (FILMS, backward))
        differences.append(float(jnp.abs(forward - reverse).max()))
    assert differences[0] > 1e-3
    assert differences[1] < 1e-6


def test_patches_are_those_of_a_convolution_without_overlap():
    encoder = FrameEncoder((5,), 3)
    variables = encoder.init(jax.random.key(2), FILMS, False)
    kernel = variables["params"]["Dense_0"]["kernel"].reshape(4, 4, 1, 5)
    images = FILMS.reshape(15, 8, 8, 1)
    maps = jax.lax.conv_general_dilated(
        images, kernel, (4, 4), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    dense = variables["params"]["Dense_1"]
    expected = jax.nn.relu(
        jax.nn.relu(maps).reshape(15, -1) @ dense["kernel"] + dense["bias"][None]
    )
    found = encoder.apply(variables, FILMS, False)
    np.testing.assert_allclose(found.reshape(15, 3), expected, atol=1e-5)


def test_the_running_mean_repeats_over_padding():
    values = jnp.array([[[1.0], [3.0], [100.0]]])
    mask = jnp.array([[True, True, False]])
    assert running_mean(values, mask)[0, :, 0].tolist() == [1.0, 2.0, 2.0]
