import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.attention_decoder import Decoding
from lecture_models.models.translator import Translator
from lecture_models.nn.recurrent import length_mask

SOURCE = jnp.array([[3, 4, 5, 2, 0, 0], [6, 3, 2, 0, 0, 0]])
LENGTHS = jnp.array([4, 3])
TARGET = jnp.array([[1, 5, 6, 3], [1, 3, 4, 4]])
SMALL = {"embedding": 5, "encoder_features": 4, "features": 6, "readout": 3}


def make(attention=4, **options):
    model = Translator(8, 9, attention_features=attention, **SMALL | options)
    mask = length_mask(LENGTHS, SOURCE.shape[1])
    variables = jax.jit(model.init)(jax.random.key(0), SOURCE, mask, TARGET)
    return model, variables


@pytest.fixture(scope="module")
def attentive():
    model, variables = make()
    mask = length_mask(LENGTHS, SOURCE.shape[1])
    return model, variables, *jax.jit(model.apply)(variables, SOURCE, mask, TARGET)


def test_attention_is_a_distribution_over_the_words_alone(attentive):
    *_, weights = attentive
    np.testing.assert_allclose(weights.sum(-1), 1.0, rtol=1e-5)
    padding = ~np.asarray(length_mask(LENGTHS, SOURCE.shape[1]))
    assert (np.swapaxes(weights, 1, 2)[padding] == 0.0).all()


def test_padding_of_the_source_changes_nothing(attentive):
    model, variables, logits, _ = attentive
    short, _ = model.apply(variables, SOURCE[1:, :3], jnp.ones((1, 3), bool), TARGET[1:])
    np.testing.assert_allclose(short[0], logits[1], atol=1e-5)


@pytest.mark.parametrize("attention", [0, 4])
def test_single_steps_give_the_logits_of_the_whole_sentence(attention):
    model, variables = make(attention)
    mask = length_mask(LENGTHS, SOURCE.shape[1])
    logits, _ = jax.jit(model.apply)(variables, SOURCE, mask, TARGET)

    @jax.jit
    def by_steps():
        carry, source = model.apply(variables, SOURCE, mask, method="read")
        steps = []
        for time in range(TARGET.shape[1]):
            carry, one = model.apply(
                variables, Decoding(carry, source), TARGET[:, time], method="step"
            )
            steps.append(one)
        return jnp.stack(steps, axis=1)

    np.testing.assert_allclose(by_steps(), logits, atol=1e-5)


def test_forced_everywhere_is_the_same_and_forced_nowhere_reads_its_own_words(attentive):
    model, variables, logits, _ = attentive
    mask = length_mask(LENGTHS, SOURCE.shape[1])
    apply = jax.jit(model.apply)
    always, _ = apply(variables, SOURCE, mask, TARGET, forced=jnp.ones(4, bool))
    np.testing.assert_allclose(always, logits, atol=1e-5)
    never, _ = apply(variables, SOURCE, mask, TARGET, forced=jnp.zeros(4, bool))
    own = jnp.concatenate([TARGET[:, :1], never.argmax(-1)[:, :-1]], axis=1)
    again, _ = apply(variables, SOURCE, mask, own)
    np.testing.assert_allclose(never, again, atol=1e-5)


def test_without_attention_all_passes_through_one_vector():
    model, variables = make(attention=0)
    mask = length_mask(LENGTHS, SOURCE.shape[1])
    carry, source = model.apply(variables, SOURCE, mask, method="read")
    assert source.annotations.shape[1] == 0
    np.testing.assert_array_equal(carry[0], source.context)


@pytest.mark.slow
def test_the_paper_net_has_the_published_number_of_parameters():
    # pytorch-seq2seq prints 20,518,405; PyTorch has a second bias at 2 of the 3 gates of each GRU.
    model = Translator(7_853, 5_893, 256, 512, 512, 512, 0)
    tokens = jnp.ones((1, 2), jnp.int32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), tokens, tokens > 0, tokens)
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert count == 20_518_405 - 3 * 2 * 512
