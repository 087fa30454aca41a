import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.frame_network import FrameNetwork
from lecture_models.models.sentence_recognizer import SentenceRecognizer, moments
from lecture_models.models.sound_classifier import (
    SpectrogramConvolution,
    SpectrogramLSTM,
    WaveformConvolution,
    masked_mean,
)


def parameters(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


def test_the_mean_counts_what_belongs_to_the_sound():
    values = jnp.array([[[1.0], [3.0], [100.0]], [[1.0], [1.0], [1.0]]])
    mask = jnp.array([[True, True, False], [False] * 3])
    assert masked_mean(values, mask).tolist() == [[2.0], [0.0]]


@pytest.mark.parametrize(
    ("module", "shape", "count"),
    [
        # 3x3 filters of 1 to 4 and of 4 to 5 maps; 10 bands become 3 rows.
        (SpectrogramConvolution(3, (4, 5)), (2, 12, 10), 4 * 10 + 5 * 37 + 3 * (3 * 5 + 1)),
        # Both directions: 4 (6 (6 + 10) + 6) weights each.
        (SpectrogramLSTM(3, (6,)), (2, 12, 10), 2 * 4 * (6 * 16 + 6) + 3 * (2 * 6 + 1)),
        # 8 samples and a bias; 3 places of 4 filters; a scale and a shift of each.
        (
            WaveformConvolution(3, (4, 5), first_width=8),
            (2, 64),
            4 * 9 + 2 * 4 + 5 * (3 * 4 + 1) + 2 * 5 + 3 * (5 + 1),
        ),
    ],
)
def test_networks_have_as_many_parameters_as_counted_by_hand(module, shape, count):
    inputs, mask = jnp.ones(shape), jnp.ones(shape[:2], bool)
    variables = module.init(jax.random.key(0), inputs, mask)
    assert parameters(variables) == count
    assert module.apply(variables, inputs, mask).shape == (2, 3)


@pytest.mark.parametrize(
    "module", [SpectrogramConvolution(3, (4, 4)), SpectrogramLSTM(3, (6,))], ids=["conv", "lstm"]
)
def test_what_follows_a_sound_does_not_matter(module):
    inputs = jax.random.normal(jax.random.key(0), (1, 16, 10))
    mask = jnp.arange(16)[None] < 9
    variables = module.init(jax.random.key(1), inputs, mask)
    other = jnp.where(mask[..., None], inputs, 7.0)
    np.testing.assert_allclose(
        module.apply(variables, inputs, mask), module.apply(variables, other, mask), atol=1e-6
    )


def test_samples_after_a_sound_do_not_matter():
    module = WaveformConvolution(2, (3, 3), first_width=8)
    inputs = jax.random.normal(jax.random.key(0), (1, 64))
    mask = jnp.arange(64)[None] < 40
    variables = module.init(jax.random.key(1), inputs, mask)
    other = jnp.where(mask, inputs, -3.0)
    np.testing.assert_allclose(
        module.apply(variables, inputs, mask), module.apply(variables, other, mask), atol=1e-6
    )


def test_a_recognizer_names_a_word_or_the_blank_at_every_fourth_frame():
    module = SentenceRecognizer(3, 4, (5,))
    inputs, mask = jnp.ones((2, 18, 6)), jnp.arange(18)[None] < jnp.array([[18], [9]])
    variables = module.init(jax.random.key(0), inputs, mask)
    logits, heard = module.apply(variables, inputs, mask)
    assert logits.shape == (2, 5, 4)
    assert heard.sum(axis=1).tolist() == [moments(18), moments(9)] == [5, 3]


def test_a_frame_network_has_as_many_parameters_as_counted_by_hand():
    module = FrameNetwork(6, (4, 5))
    variables = module.init(jax.random.key(0), jnp.ones((1, 7)))
    assert parameters(variables) == 4 * 8 + 5 * 5 + 6 * 6
