"""Polyphonic music: an LSTM, GRU or RNN predicts which piano keys are down next, and plays on.

    python launch.py --experiment=music_chorales                            # Bach's chorales
    python launch.py --experiment=music_chorales --gru
    python launch.py --experiment=music_chorales --dataset=nottingham --transpose=0 --window=32 \\
        --dropout=0.1 --learning_rate=8e-3 --num_steps=3500 --checks=10
    python launch.py --experiment=music_chorales --prompt=my_beginning.mid
    python launch.py --experiment=music_chorales --music=FOLDER             # your own MIDI files

Paper: Bai et al., 2018, An empirical evaluation of generic convolutional and recurrent networks for
  sequence modeling; Boulanger-Lewandowski et al., 2012
Data: JSB chorales, Nottingham, Piano-midi.de or MuseData as piano rolls, or your own MIDI files;
  else made chord progressions (announced and recorded)
Cost: 3 to 6 minutes on a busy machine
Expected: 8.376 +- 0.026 nats per frame of chorales, 3 seeds (the paper's LSTM: 8.45); see
  results/music_chorales.md
"""

import dataclasses
from collections.abc import Callable
from types import MappingProxyType

import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.data.musical_keys import make_transposition
from lecture_models.data.notes import KEYS
from lecture_models.data.window_batches import WindowBatches
from lecture_models.evaluators.piano_rolls import read_pieces
from lecture_models.experiment import Best, Cadence, Evaluation, Experiment
from lecture_models.models.roll_rnn import RollRNN
from lecture_models.nn.recurrent_cells import gru, lstm, rnn
from lecture_models.steps.best_so_far import scale_by_factor
from lecture_models.steps.descent import clip_to_norm, warmup_cosine
from lecture_models.tasks.music_results import (
    Pace,
    Sampling,
    comparison,
    counting_baselines,
    prediction_picture,
    samples,
    transposed_table,
)
from lecture_models.tasks.roll_training import Checks, RollState, init_rolls, make_step

# A frame of the chorales is a quarter note; of all others, an eighth. The chorales' file stands an
# octave above Bach's notes.
EIGHTH = Pace(0.5, 0.25)
PACES = MappingProxyType(
    {"jsb_chorales": Pace(1.0, 0.6, shift=-12), "made_chorales": Pace(1.0, 0.6)}
)
# Nats per frame on the test pieces: Bai et al., 2018, Table 1.
PUBLISHED = MappingProxyType(
    {
        "jsb_chorales": (("LSTM", 8.45), ("GRU", 8.43), ("RNN", 8.91), ("TCN", 8.10)),
        "nottingham": (("LSTM", 3.29), ("GRU", 3.46), ("RNN", 4.05), ("TCN", 3.07)),
    }
)


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "jsb_chorales,made_chorales"
    music: str = ""  # Folder of your own MIDI files in place of --dataset, or a .mat file of rolls.
    seed: int = 0
    batch_size: int = 16  # Rows of pieces that are read side by side.
    window: int = 128  # Frames through which gradients flow back; the state is carried further.
    num_steps: int = 2_250
    checks: int = 50  # How often validation pieces judge the network; the best one is kept.
    gru: bool = False  # A gated recurrent unit in place of the LSTM.
    plain_rnn: bool = False  # The plain recurrent cell in place of the LSTM.
    features: tuple[int, ...] = (200,)  # Of each recurrent layer.
    forget_bias: float = 1.0  # Of the LSTM's forget gate, at the start.
    dropout: float = 0.2  # Of the outputs of each layer.
    input_dropout: float = 0.0  # Of the keys' states in the input.
    transpose: int = 5  # Each epoch moves each piece by up to so many keys; 0 for never.
    key_aware: bool = True  # Transposes only to keys in which other pieces stand.
    learning_rate: float = 3e-3  # Adam's peak: a warmup, then a cosine to 0.
    lower_rate: bool = False  # A constant rate in place of the cosine; / 10 if validation rises.
    clip_norm: float = 1.0  # The gradient's norm is cut to it; 0 for no clipping.
    prompt: str = ""  # MIDI file that the samples continue; empty for a first test frame.
    num_samples: int = 5
    sample_frames: int = 50
    temperature: float = 1.0  # Divides the logits of samples; 0 takes what is more probable.
    log_every: int = 50
    eval_every: int = 2_250
    checkpoint_every: int = 750

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "checks", "features", *Cadence._fields)
        require_at_least(self, 1, "num_samples", "sample_frames")
        require_at_least(self, 2, "window")
        require_at_least(self, 0, "seed", "learning_rate", "clip_norm", "temperature")
        require_between(self, 0.0, 0.95, "dropout")
        require_between(self, 0.0, 0.95, "input_dropout")
        require_between(self, 0, KEYS, "transpose")
        if not self.features:
            raise ValueError("--features must have at least one value")
        if self.gru and self.plain_rnn:
            raise ValueError("--gru and --plain_rnn are both given; there is one kind of cell")


# Bai et al., 2018, Table 3, for the LSTM on JSB chorales.
PAPER = {
    "batch_size": 1,
    "num_steps": 22_900,
    "checks": 100,
    "features": (200, 200),
    "forget_bias": 10.0,
    "dropout": 0.2,
    "input_dropout": 0.0,
    "transpose": 0,
    "learning_rate": 1e-3,
    "lower_rate": True,
    "eval_every": 22_900,
    "checkpoint_every": 2_290,
}

PAPER_SOURCES = {
    "batch_size": "music_test.py: one piece at a time",
    "window": "music_test.py: whole pieces; the longest has 129 frames",
    "num_steps": "music_test.py: 100 epochs of 229 pieces",
    "checks": "music_test.py: validation after each epoch",
    "features": "Table 3",
    "forget_bias": "Table 3, Bias",
    "dropout": "Table 3",
    "clip_norm": "Table 3, Grad Clip",
    "learning_rate": "music_test.py, --lr; Table 3: SGD/Adam",
    "lower_rate": "music_test.py",
}
PAPER_DEPARTURES = (
    ("Table 3 names SGD/Adam without a rate", "Adam with the rate of music_test.py"),
    (
        "music_test.py clips gradients of 0, before backward()",
        "the gradient is clipped",
    ),
    ("the loss of a piece is the sum over its frames", "the mean"),
    ("weights start as in PyTorch", "LeCun's and orthogonal kernels"),
)

SMOKE = {
    "dataset": "made_chorales",
    "batch_size": 4,
    "window": 8,
    "num_steps": 6,
    "checks": 2,
    "features": (8,),
    "transpose": 2,
    "num_samples": 1,
    "sample_frames": 6,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def make_optimizer(config: Config) -> optax.GradientTransformation:
    clip = clip_to_norm(config.clip_norm)
    if config.lower_rate:
        return optax.chain(clip, optax.adam(config.learning_rate), scale_by_factor())
    return optax.chain(clip, optax.adam(warmup_cosine(config.learning_rate, config.num_steps)))


def make_model(config: Config) -> RollRNN:
    cell = lstm(config.forget_bias)
    if config.gru:
        cell = gru()
    if config.plain_rnn:
        cell = rnn()
    return RollRNN(config.features, cell, KEYS, config.dropout, config.input_dropout)


def read_dataset(config: Config, library: Library) -> Dataset:
    dataset = (
        library.music("--music", config.music) if config.music else library.load(config.dataset)
    )
    if "frames" not in dataset.train.arrays or dataset.train["frames"].values.shape[1:] != (KEYS,):
        raise DataError(f"--dataset={config.dataset} has no piano rolls")
    return dataset


def make_evaluate(
    config: Config, dataset: Dataset, model: RollRNN, sampling: Sampling
) -> Callable[[RollState, Key[Array, ""]], Evaluation]:
    name = dataset.provenance.dataset
    pace = PACES.get(name, EIGHTH)
    test = dataset.test["frames"]
    counted = counting_baselines(dataset.train["frames"], test)

    def evaluate(state, key):
        params = state.best.params
        judged = read_pieces(model, params, test)
        of_keys, of_states = (nats.per_frame for nats in reversed(counted.values()))
        return {
            "validation_nats": float(state.best.loss),
            "test_nats": judged.per_frame,
            "test_piece_nats": judged.per_piece,
            "independent_keys_nats": of_keys,
            "held_keys_nats": of_states,
            "best_step": int(state.best.step),
            "comparison": comparison(
                f"this {model.cell.name}", judged, counted, KEYS, PUBLISHED.get(name, ())
            ),
            "transposed": transposed_table(model, params, test),
            "prediction": prediction_picture(model, params, test[0], pace),
            **samples(model, params, dataset, sampling, pace, key),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    prompt = library.piece("--prompt", config.prompt).roll if config.prompt else None
    dataset = read_dataset(config, library)
    model, optimizer = make_model(config), make_optimizer(config)
    pieces = dataset.train["frames"]
    change = (
        make_transposition(pieces, config.transpose, config.key_aware) if config.transpose else None
    )
    batches = WindowBatches(pieces, config.batch_size, config.window, config.seed, change)
    every = max(1, config.num_steps // config.checks)
    checks = Checks(every, config.num_steps, config.lower_rate)
    sampling = Sampling(config.num_samples, config.sample_frames, config.temperature, prompt)
    decides = "the checks" if config.lower_rate else "the schedule of learning_rate and the checks"
    return Experiment(
        lambda key: init_rolls(model, optimizer, config.batch_size, key),
        make_step(model, optimizer, dataset.validation["frames"], checks),
        make_evaluate(config, dataset, model, sampling),
        batches,
        Best("validation_nats", sign=-1.0),
        cadence_decides={"num_steps": decides},
    )
