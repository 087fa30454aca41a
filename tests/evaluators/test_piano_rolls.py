import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.ragged import Ragged
from lecture_models.evaluators.piano_rolls import (
    PieceNats,
    draw_frames,
    plan_reading,
    predict_keys,
    read_pieces,
    window_nats,
)
from lecture_models.losses.key_likelihood import frame_nats
from lecture_models.models.roll_rnn import RollRNN

MODEL = RollRNN((3,), keys=5)
LENGTHS = (4, 9, 2, 13, 6)


@pytest.fixture(scope="module")
def params():
    return MODEL.init(jax.random.key(0), jnp.zeros((1, 1, 5)))["params"]


@pytest.fixture(scope="module")
def pieces():
    generator = np.random.default_rng(0)
    return Ragged.from_sequences(
        [(generator.random((length, 5)) < 0.4).astype(np.uint8) for length in LENGTHS]
    )


@pytest.fixture(scope="module")
def alone(params, pieces):
    """Returns what each piece costs when it is read by itself, as one sequence."""
    sums = []
    for number in range(len(pieces)):
        frames = jnp.asarray(pieces[number], jnp.float32)[None]
        _, logits = MODEL.apply({"params": params}, frames[:, :-1])
        sums.append(float(frame_nats(logits, frames[:, 1:]).sum()))
    return np.array(sums)


@pytest.mark.parametrize(("rows", "window"), [(1, 3), (2, 4), (32, 128)])
def test_pieces_cost_the_same_however_they_are_read(params, pieces, alone, rows, window):
    plan = plan_reading(pieces, rows, window)
    sums = np.zeros(len(pieces))
    np.add.at(sums, plan.pieces, np.asarray(window_nats(MODEL, params, plan)))
    np.testing.assert_allclose(sums, alone, rtol=1e-5)
    assert int(plan.lengths.sum()) == sum(LENGTHS) - len(LENGTHS)
    assert int(plan.fresh.sum()) == len(LENGTHS)


def test_the_mean_over_frames_is_not_that_over_pieces(params, pieces, alone):
    judged = read_pieces(MODEL, params, pieces)
    frames = np.array(LENGTHS) - 1
    assert judged.per_frame == pytest.approx(alone.sum() / frames.sum(), rel=1e-5)
    assert judged.per_piece == pytest.approx((alone / frames).mean(), rel=1e-5)
    uneven = PieceNats(np.array([2.0, 30.0]), np.array([1, 10], np.int32))
    assert (uneven.per_frame, uneven.per_piece) == (32 / 11, 2.5)


def test_a_network_without_weights_costs_ln_2_per_key(pieces):
    nothing = jax.tree.map(
        jnp.zeros_like, MODEL.init(jax.random.key(0), jnp.zeros((1, 1, 5)))["params"]
    )
    assert read_pieces(MODEL, nothing, pieces).per_frame == pytest.approx(5 * np.log(2), rel=1e-6)


def biased(params, bias):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return {**zeros, "head": {**zeros["head"], "bias": jnp.array(bias)}}


def test_keys_are_drawn_with_their_probabilities(params):
    params = biased(params, [-100.0, 100.0, 0.0, 1.0, -1.0])
    prompts = np.zeros((4, 1, 5), np.uint8)
    frames = draw_frames(MODEL, params, prompts, 500, 1.0, jax.random.key(1))
    assert frames.shape == (4, 500, 5)
    shares = frames.mean(axis=(0, 1))
    assert shares[:2].tolist() == [0.0, 1.0]
    np.testing.assert_allclose(shares[2:], 1 / (1 + np.exp([0.0, -1.0, 1.0])), atol=0.04)
    cold = draw_frames(MODEL, params, prompts, 3, 0.0, jax.random.key(1))
    assert (cold == np.array([0, 1, 0, 1, 0])).all()


def test_a_continuation_depends_on_its_prompt_and_comes_again_with_its_key(params):
    prompts = np.stack([np.zeros((3, 5)), np.ones((3, 5))])
    sharp = jax.tree.map(lambda leaf: 4.0 * leaf, params)
    first, again = (draw_frames(MODEL, sharp, prompts, 6, 1.0, jax.random.key(2)) for _ in range(2))
    assert (first == again).all()
    both = draw_frames(MODEL, sharp, prompts, 1, 0.0, jax.random.key(2))
    assert (both[0] != both[1]).any()
    with pytest.raises(
        ValueError, match="the prompts are empty; they must have at least one frame"
    ):
        draw_frames(MODEL, params, prompts[:, :0], 6, 1.0, jax.random.key(2))


def test_predictions_belong_to_the_next_frame(params, pieces):
    piece = pieces[1]
    probabilities = predict_keys(MODEL, params, piece)
    chosen = np.where(piece[1:] == 1, probabilities[:-1], 1 - probabilities[:-1])
    expected = read_pieces(MODEL, params, pieces[1:2]).nats[0]
    assert -np.log(chosen).sum() == pytest.approx(expected, rel=1e-5)
