import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.evaluators.captions import (
    ROWS,
    attend,
    baselines,
    describe,
    number_captions,
    rank_pictures,
    shuffled,
)
from lecture_models.models.captioner import Captioner

WORDS = ("<unknown>", "<start>", "<end>", "a", "dog", "cat", "runs")
GRIDS = np.asarray(jax.random.normal(jax.random.key(1), (4, 6, 5)), np.float16)


@pytest.fixture(scope="module")
def trained():
    model = Captioner(len(WORDS), 5, 4, 4, 3, 0)
    variables = jax.jit(model.init)(
        jax.random.key(0), jnp.zeros((1, 6, 5)), jnp.ones((1, 2), jnp.int32)
    )
    return model, jax.tree.map(lambda array: 3.0 * array, variables["params"])


def test_a_caption_does_not_depend_on_the_other_pictures(trained):
    together = describe(*trained, WORDS, GRIDS)
    assert together == [describe(*trained, WORDS, GRIDS[k : k + 1])[0] for k in range(4)]


def test_more_pictures_than_a_call_takes_are_all_described(trained):
    many = np.repeat(GRIDS, ROWS // 4 + 1, axis=0)
    captions = describe(*trained, WORDS, many)
    assert len(captions) == len(many)
    assert captions[-1] == describe(*trained, WORDS, GRIDS[-1:])[0]


def test_attention_has_a_row_for_each_word_and_adds_up_to_one(trained):
    weights = attend(*trained, WORDS, GRIDS[:2], ["a dog runs", "a cat"])
    assert [array.shape for array in weights] == [(3, 6), (2, 6)]
    np.testing.assert_allclose(weights[0].sum(axis=1), 1.0, rtol=1e-5)


def test_equal_pictures_share_the_first_rank(trained):
    same = np.repeat(GRIDS[:1], 3, axis=0)
    assert rank_pictures(*trained, WORDS, same, ["a dog", "a cat", "runs"]).tolist() == [1, 1, 1]


def test_ranks_are_those_of_the_probabilities(trained):
    captions = ["a dog runs", "a cat", "dog", "runs a cat"]
    ranks = rank_pictures(*trained, WORDS, GRIDS, captions)
    # The first caption's rank, from the probability of the caption for each picture.
    tokens = number_captions(captions[:1], WORDS)[0]
    model, params = trained
    before = np.concatenate([[1], tokens[:-1]]).astype(np.int32)
    grids = jnp.asarray(GRIDS, jnp.float32)
    logits, _ = model.apply({"params": params}, grids, jnp.tile(before, (4, 1)))
    nats = -jnp.take_along_axis(
        jax.nn.log_softmax(logits), jnp.tile(tokens, (4, 1))[..., None], axis=-1
    ).sum((1, 2))
    assert ranks[0] == 1 + int((nats < nats[0]).sum())


def test_the_nearest_picture_lends_its_caption_and_the_constant_one_is_common():
    train = [("a dog runs fast now", "it runs"), ("a cat sits on a mat", "one cat sits on a mat")]
    grids = np.zeros((2, 3, 2), np.float16)
    grids[0, :, 0], grids[1, :, 1] = 1.0, 1.0
    found = baselines(grids[::-1] * 7, grids, train, 4, np.random.default_rng(0))
    assert found.nearest == ["a cat sits on a mat", "a dog runs fast now"]
    assert found.constant in {text for captions in train for text in captions}


def test_shuffled_gives_no_picture_its_own():
    for seed in range(5):
        other = shuffled(7, jax.random.key(seed))
        assert sorted(other) == list(range(7))
        assert (other != np.arange(7)).all()
