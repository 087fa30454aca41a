"""Judges a model of piano rolls beside counting, and makes its samples audible and visible."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Key

from lecture_models.data.dataset import Dataset
from lecture_models.data.notes import roll_notes, transposed, used_keys
from lecture_models.data.piano_rolls import Roll
from lecture_models.data.ragged import Ragged
from lecture_models.evaluators.music_sound import music
from lecture_models.evaluators.piano_rolls import (
    PieceNats,
    draw_frames,
    predict_keys,
    read_pieces,
)
from lecture_models.experiment import DataTable, Evaluation, Images
from lecture_models.metrics.key_counts import counted_nats, held_shares, key_shares
from lecture_models.models.roll_rnn import RollRNN
from lecture_models.plots.piano_roll import RollPanel, roll_plot
from lecture_models.steps.descent import Params

SHIFTS = (-2, -1, 0, 1, 2)  # Keys by which the test pieces are moved.
FEWEST_PROMPT = 1  # Frames of a real piece with which a sample begins: the first is not predicted.
SHOWN_SECONDS = 30.0


class Pace(NamedTuple):
    """Says how rolls are played.

    Attributes:
        beats: quarter notes in a frame, for scores.
        seconds: the duration of a frame.
        shift: keys by which notes are moved.
    """

    beats: float
    seconds: float
    shift: int = 0


class Sampling(NamedTuple):
    """Says which samples are drawn.

    Attributes:
        count: how many.
        frames: the length of each, without the prompt.
        temperature: divides the logits.
        prompt: the user's own piece, which all samples continue; None for the first frames of test
            pieces.
    """

    count: int
    frames: int
    temperature: float
    prompt: Roll | None = None


def before_and_after(pieces: Ragged) -> tuple[np.ndarray, np.ndarray]:
    """Returns all frames that have a next one, and those next ones."""
    rolls = [pieces[number] for number in range(len(pieces))]
    before = np.concatenate([roll[:-1] for roll in rolls])
    return before, np.concatenate([roll[1:] for roll in rolls])


def counting_baselines(train: Ragged, test: Ragged) -> dict[str, PieceNats]:
    """Returns what test pieces cost without a network, by the words for each way of counting."""
    before, after = before_and_after(test)
    shares = held_shares(*before_and_after(train))
    following = np.where(before.astype(bool), shares[1], shares[0])
    frames = (test.lengths - 1).astype(np.int32)
    firsts = np.concatenate([[0], np.cumsum(frames)[:-1]])
    return {
        name: PieceNats(np.add.reduceat(counted_nats(probabilities, after), firsts), frames)
        for name, probabilities in (
            ("each key as often as after its own last state", following),
            ("each key as often as in the training pieces", key_shares(train.values)),
        )
    }


def comparison(
    name: str, judged: PieceNats, counted: dict[str, PieceNats], keys: int, published
) -> DataTable:
    """Returns the nats of the network, of counting, and of others, as printed."""
    rows = [(name, f"{judged.per_frame:.3f}", f"{judged.per_piece:.3f}")]
    rows += [
        (words, f"{nats.per_frame:.3f}", f"{nats.per_piece:.3f}") for words, nats in counted.items()
    ]
    chance = f"{keys * np.log(2.0):.3f}"
    rows.append(("each key with probability 1/2", chance, chance))
    rows += [(f"published: {model}", f"{nats:.2f}", "-") for model, nats in published]
    columns = ("model", "nats per frame", "mean over pieces")
    return DataTable(columns, tuple(rows), "test pieces; the first frame of each is not predicted")


def transposed_table(model: RollRNN, params: Params, pieces: Ragged) -> DataTable:
    """Returns the nats of test pieces that are played some keys lower or higher."""
    rolls = [pieces[number] for number in range(len(pieces))]
    spans = [np.flatnonzero(used_keys(roll)) for roll in rolls]
    rows = []
    for shift in SHIFTS:
        fits = [
            not len(span) or (span[0] + shift >= 0 and span[-1] + shift < roll.shape[1])
            for roll, span in zip(rolls, spans, strict=True)
        ]
        moved = [transposed(roll, shift) for roll, fit in zip(rolls, fits, strict=True) if fit]
        if moved:
            nats = read_pieces(model, params, Ragged.from_sequences(moved)).per_frame
            rows.append((shift, f"{nats:.3f}", len(moved)))
    columns = ("keys higher", "nats per frame", "pieces")
    return DataTable(columns, tuple(rows), "test pieces transposed, by the same network")


def prompts_of(sampling: Sampling, test: Ragged, key: Key[Array, ""]) -> np.ndarray:
    """Returns the frames with which the samples begin, (sample, frame, key)."""
    if sampling.prompt is not None:
        return np.repeat(sampling.prompt[None], sampling.count, axis=0)
    chosen = np.asarray(jax.random.choice(key, len(test), (sampling.count,)))
    return np.stack([test[int(piece)][:FEWEST_PROMPT] for piece in chosen])


def sounds_and_scores(name: str, roll: Roll, pace: Pace, caption: str) -> Evaluation:
    """Returns a roll as a sound and as a score, which have the same name."""
    shown = roll[: max(int(SHOWN_SECONDS / pace.seconds), 1)]
    notes = [note._replace(pitch=note.pitch + pace.shift) for note in roll_notes(shown)]
    sound, score = music(notes, pace.beats, pace.seconds, caption)
    return {name: sound, f"{name}_score": score}


def samples(
    model: RollRNN,
    params: Params,
    dataset: Dataset,
    sampling: Sampling,
    pace: Pace,
    key: Key[Array, ""],
) -> Evaluation:
    """Returns samples beside a real test piece and noise, as sounds, scores and pictures."""
    prompt_key, draw_key, noise_key = jax.random.split(key, 3)
    test = dataset.test["frames"]
    prompts = prompts_of(sampling, test, prompt_key)
    drawn = draw_frames(model, params, prompts, sampling.frames, sampling.temperature, draw_key)
    rolls = np.concatenate([prompts, drawn], axis=1)
    own = "your piece" if sampling.prompt is not None else "the first frame of a test piece"
    results: Evaluation = {}
    panels = [RollPanel("a real test piece", test[0][: rolls.shape[1]])]
    results |= sounds_and_scores("real", test[0][: rolls.shape[1]], pace, "a real test piece")
    for number, roll in enumerate(rolls):
        caption = f"sample {number} at temperature {sampling.temperature:g}, continues {own}"
        results |= sounds_and_scores(f"sample_{number}", roll, pace, caption)
        panels.append(RollPanel(f"sample {number}", roll))
    shares = key_shares(dataset.train["frames"].values)
    shape = (rolls.shape[1], len(shares))
    noise = np.asarray(jax.random.bernoulli(noise_key, np.broadcast_to(shares, shape)), np.uint8)
    caption = "noise: each key as often as in the training pieces"
    results |= sounds_and_scores("noise", noise, pace, caption)
    panels = [*panels[:4], RollPanel(caption, noise)]
    words = "piano rolls: a real test piece, samples, and noise with the same keys"
    results["rolls"] = Images(roll_plot(panels, pace.seconds)[None], 1, words)
    return results


def prediction_picture(model: RollRNN, params: Params, roll: Roll, pace: Pace) -> Images:
    """Returns a test piece above the probabilities of its keys, each given the frames before."""
    shown = roll[: max(int(SHOWN_SECONDS / pace.seconds), 2)]
    probabilities = predict_keys(model, params, shown)[:-1]
    panels = [
        RollPanel("a real test piece, from its second frame on", shown[1:]),
        RollPanel("probability of each key, given all frames before", probabilities),
    ]
    caption = "a test piece and what the network expects before each frame"
    return Images(roll_plot(panels, pace.seconds)[None], 1, caption)
