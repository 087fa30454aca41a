"""Reads whole pieces with a recurrent model of piano rolls, and draws new ones, frame by frame."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int32, Key, Shaped, UInt8

from lecture_models.data.ragged import Ragged
from lecture_models.losses.key_likelihood import frame_nats
from lecture_models.models.roll_rnn import RollRNN
from lecture_models.models.token_rnn import reset_where
from lecture_models.nn.recurrent import length_mask
from lecture_models.steps.descent import Params

ROWS = 32  # Pieces that are read side by side.
WINDOW = 128  # Frames per turn of the compiled loop.


class ReadingPlan(NamedTuple):
    """Holds whole pieces in rows of windows; each piece lies in one row.

    Attributes:
        frames: 0 or 1; a window's inputs and, one frame later, its targets.
        lengths: the number of real targets in each window.
        fresh: True where a piece begins.
        pieces: the number of the piece; 0 in a window without targets.
    """

    frames: Shaped[np.ndarray, "turn row window_and_one key"]
    lengths: Int32[np.ndarray, "turn row"]
    fresh: Bool[np.ndarray, "turn row"]
    pieces: Int32[np.ndarray, "turn row"]


class PieceNats(NamedTuple):
    """Holds what pieces cost.

    Attributes:
        nats: the sum over the frames of each piece but the first.
        frames: the number of these frames.
    """

    nats: Float[np.ndarray, " piece"]
    frames: Int32[np.ndarray, " piece"]

    @property
    def per_frame(self) -> float:
        """Returns the sum over all frames of all pieces by their number, as Bai et al. do."""
        return float(self.nats.sum() / self.frames.sum())

    @property
    def per_piece(self) -> float:
        """Returns the mean over pieces of their nats per frame, as older papers do."""
        return float((self.nats / self.frames).mean())


def plan_reading(pieces: Ragged, rows: int = ROWS, window: int = WINDOW) -> ReadingPlan:
    """Returns a plan that reads all pieces; the longest are dealt out first.

    Args:
        pieces: rolls of at least 2 frames.
        rows: the number of rows.
        window: the frames that are predicted per turn.

    Returns:
        The plan.
    """
    rows = min(rows, len(pieces))
    window = min(window, int(pieces.lengths.max()) - 1)
    loads = [[] for _ in range(rows)]
    for piece in np.argsort(-pieces.lengths, kind="stable"):
        shortest = min(loads, key=len)
        shortest += [(piece, begin) for begin in range(0, int(pieces.lengths[piece]) - 1, window)]
    turns = max(map(len, loads))
    frames = np.zeros((turns, rows, window + 1, *pieces.values.shape[1:]), pieces.values.dtype)
    lengths, numbers = (np.zeros((turns, rows), np.int32) for _ in range(2))
    fresh = np.zeros((turns, rows), bool)
    for row, load in enumerate(loads):
        for turn, (piece, begin) in enumerate(load):
            found = pieces[int(piece)][begin : begin + window + 1]
            frames[turn, row, : len(found)] = found
            lengths[turn, row] = len(found) - 1
            fresh[turn, row] = begin == 0
            numbers[turn, row] = piece
    return ReadingPlan(frames, lengths, fresh, numbers)


def window_nats(model: RollRNN, params: Params, plan: ReadingPlan) -> Float[Array, "turn row"]:
    """Returns the sum of the nats of the targets of each window.

    Args:
        model: the model.
        params: its parameters.
        plan: the windows.

    Returns:
        The sums, 0 in a window without targets; to be called in a compiled function.
    """

    def turn(carries, window):
        frames, lengths, fresh = window
        frames = frames.astype(jnp.float32)
        mask = length_mask(lengths, frames.shape[1] - 1)
        carries, logits = model.apply(
            {"params": params}, frames[:, :-1], reset_where(fresh, carries), mask
        )
        nats = jnp.where(mask, frame_nats(logits, frames[:, 1:]), 0.0)
        return carries, nats.sum(axis=1)

    carries = model.zero_carries(plan.lengths.shape[1])
    _, nats = jax.lax.scan(turn, carries, (plan.frames, plan.lengths, plan.fresh))
    return nats


_window_nats = jax.jit(window_nats, static_argnames="model")


def read_pieces(model: RollRNN, params: Params, pieces: Ragged) -> PieceNats:
    """Returns what pieces cost when each is read from its beginning to its end.

    Args:
        model: the model.
        params: its parameters.
        pieces: rolls of at least 2 frames.

    Returns:
        The nats of each piece.
    """
    plan = plan_reading(pieces)
    # As double precision, so that the order of the sum does not matter.
    windows = np.asarray(_window_nats(model, params, plan), np.float64)
    nats = np.zeros(len(pieces))
    np.add.at(nats, plan.pieces, windows)
    return PieceNats(nats, (pieces.lengths - 1).astype(np.int32))


@functools.partial(jax.jit, static_argnames="model")
def _probabilities(model, params, roll):
    _, logits = model.apply({"params": params}, roll[None].astype(jnp.float32))
    return jax.nn.sigmoid(logits[0])


def predict_keys(
    model: RollRNN, params: Params, roll: UInt8[np.ndarray, "frame key"]
) -> Float32[np.ndarray, "frame key"]:
    """Returns the probability of each key in the frame after each frame of a piece.

    Args:
        model: the model.
        params: its parameters.
        roll: the piece.

    Returns:
        The probabilities; row t belongs to frame t + 1.
    """
    return np.asarray(_probabilities(model, params, roll))


def draw_frames(
    model: RollRNN,
    params: Params,
    prompts: Shaped[np.ndarray, "row frame key"],
    count: int,
    temperature: float,
    key: Key[Array, ""],
) -> UInt8[np.ndarray, "row frame key"]:
    """Draws the continuations of pieces, each key of a frame by itself.

    Args:
        model: the model.
        params: its parameters.
        prompts: at least one frame for each row, 0 or 1.
        count: the number of frames to draw.
        temperature: divides the logits; 0 takes what is more probable for each key.
        key: the key of the draws.

    Returns:
        The drawn frames, without the prompts.

    Raises:
        ValueError: the prompts are empty.
    """
    if not prompts.shape[1]:
        raise ValueError("the prompts are empty; they must have at least one frame")
    drawn = _draw(model, params, jnp.asarray(prompts, jnp.float32), count, temperature, key)
    return np.asarray(drawn, np.uint8)


@functools.partial(jax.jit, static_argnames=("model", "count", "temperature"))
def _draw(model, params, prompts, count: int, temperature: float, key):
    variables = {"params": params}
    carries, logits = model.apply(variables, prompts)

    def step(carry, key):
        carries, logits = carry
        if temperature:
            down = jax.random.bernoulli(key, jax.nn.sigmoid(logits / temperature))
        else:
            down = logits > 0.0
        frame = down.astype(jnp.float32)
        return model.apply(variables, carries, frame, method="step"), frame

    _, frames = jax.lax.scan(step, (carries, logits[:, -1]), jax.random.split(key, count))
    return jnp.swapaxes(frames, 0, 1)
