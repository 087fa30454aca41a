"""Spoken digits: a network hears a word and names it, from its spectrum or from its samples.

    python launch.py --experiment=spoken_digits                       # convolutions, all speakers
    python launch.py --experiment=spoken_digits --lstm
    python launch.py --experiment=spoken_digits --waveform            # one-dimensional convolutions
    python launch.py --experiment=spoken_digits --leave_speakers_out  # each speaker in turn unknown
    python launch.py --experiment=spoken_digits --sounds=FOLDER       # WORD_SPEAKER_TAKE.wav

Paper: Hochreiter and Schmidhuber, 1997; LeCun and Bengio, 1995, Convolutional networks for images,
  speech, and time series; the lecture's slide on speech recognition
Data: Free Spoken Digit Dataset, or else made vowels (announced and recorded), or your own WAV files
Cost: 1 to 3 minutes on a busy machine
Expected: 99.9 +- 0.2% of the 300 test recordings (3 seeds), 74.3 +- 1.0% of unknown speakers
  (3 seeds); see results/spoken_digits.md
"""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.lookup import Library
from lecture_models.evaluators.sound_classification import (
    confusion_picture,
    noise_curve,
    players,
    sound_pictures,
)
from lecture_models.experiment import Cadence, DataTable, Evaluation, Experiment
from lecture_models.metrics.cost import count_parameters
from lecture_models.models.sound_classifier import (
    SpectrogramConvolution,
    SpectrogramLSTM,
    WaveformConvolution,
)
from lecture_models.nn.log_mel import Spectrum
from lecture_models.nn.sound_perturbation import QUIETEST, Perturbation
from lecture_models.steps.descent import TrainState, warmup_cosine
from lecture_models.tasks.sound_folds import (
    Judged,
    SoundFolds,
    TurnBatches,
    fold_accuracies,
    init_folds,
    make_folds,
    make_judge,
    make_step,
)
from lecture_models.tasks.sound_inputs import Inputs, sample_inputs, spectral_inputs

NOISES = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 30.0, QUIETEST)  # dB, at which test sounds are judged.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "fsdd,made_words"
    sounds: str = ""  # Folder or tar archive of your own, WORD_SPEAKER_TAKE.wav, for --dataset.
    seed: int = 0
    leave_speakers_out: bool = False  # One network for each speaker, who is unknown to it.
    validate: bool = False  # Judges validation sounds, to choose settings; test sounds are unused.
    lstm: bool = False  # An LSTM in both directions in place of convolutions.
    waveform: bool = False  # Convolutions over samples, in place of those over the spectrum.
    seconds: float = 0.8  # Of a sound; what follows is left out, in 2% of the digits.
    bands: int = 40  # Of the log-mel spectrum.
    each_band: bool = False  # Standardizes each band over time, which hides a word's mean spectrum.
    features: tuple[int, ...] = (24, 48, 64)  # Of the convolutions over the spectrum.
    lstm_features: tuple[int, ...] = (96,)  # Of each layer, in each direction.
    waveform_features: tuple[int, ...] = (64, 64, 96, 128)  # Of the convolutions over samples.
    dropout: float = 0.3
    pitch: float = 0.1  # Frequencies of training sounds are changed by a factor of up to 1.1.
    tempo: float = 0.15  # Likewise their speed; over samples it is the pitch that changes it.
    loudest_noise: float = 30.0  # Ratio of signal to noise in training, in dB; 60 for none.
    hidden_bands: int = 4  # Up to so many neighboring bands are hidden in training, twice.
    hidden_frames: int = 6  # Likewise frames of 16 ms.
    smoothing: float = 0.1  # Share of a label that all classes get.
    batch_size: int = 64
    num_steps: int = 900  # Of all networks, which take turns.
    learning_rate: float = 4e-3  # Adam's peak: a warmup, then a cosine to 0.
    weight_decay: float = 1e-3
    log_every: int = 50
    eval_every: int = 900
    checkpoint_every: int = 300

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "bands", *Cadence._fields)
        require_at_least(self, 1, "features", "lstm_features", "waveform_features")
        require_at_least(self, 0, "seed", "hidden_bands", "hidden_frames", "weight_decay")
        require_at_least(self, 0, "learning_rate", "loudest_noise")
        require_between(self, 0.05, 60.0, "seconds")
        require_between(self, 0.0, 0.95, "dropout", "smoothing")
        require_between(self, 0.0, 1.0, "pitch", "tempo")
        if not (self.features and self.lstm_features and self.waveform_features):
            raise ValueError(
                "--features, --lstm_features and --waveform_features need a value each"
            )
        if self.lstm and self.waveform:
            raise ValueError("--lstm and --waveform are two networks; choose one")


SMOKE = {
    "dataset": "made_words",
    "leave_speakers_out": True,
    "seconds": 0.2,
    "bands": 12,
    "features": (4, 4),
    "batch_size": 4,
    "num_steps": 6,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 2,
}


def make_network(config: Config, classes: int) -> tuple[str, nn.Module, Inputs]:
    """Returns the words for the network, the network, and what it gets of a sound."""
    spectrum = Spectrum(bands=config.bands)
    if config.waveform:
        module = WaveformConvolution(classes, config.waveform_features, dropout=config.dropout)
        return "convolutions over samples", module, sample_inputs()
    if config.lstm:
        module = SpectrogramLSTM(classes, config.lstm_features, config.dropout)
        inputs = spectral_inputs(spectrum, with_slopes=True, each_band=config.each_band)
        return "LSTM in both directions", module, inputs
    module = SpectrogramConvolution(classes, config.features, config.dropout)
    return (
        "convolutions over the spectrum",
        module,
        spectral_inputs(spectrum, False, config.each_band),
    )


def make_optimizer(config: Config, folds: int) -> optax.GradientTransformation:
    schedule = warmup_cosine(config.learning_rate, max(1, config.num_steps // folds))
    return optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=config.weight_decay)
    )


def describe(judged: Judged, sounds: SoundFolds) -> list[str]:
    """Returns what each judged recording is, and what it was heard as."""
    answers = judged.logits.argmax(axis=1)
    return [
        f"{sounds.speaker_names[sounds.speakers[sound]]} says {sounds.classes[label]}; "
        f"the answer is {sounds.classes[answer]}"
        for sound, label, answer in zip(judged.sounds, judged.labels, answers, strict=True)
    ]


def by_fold(judged: Judged, sounds: SoundFolds) -> tuple[dict[str, float], DataTable]:
    """Returns the mean over folds and the lowest accuracy, and the table of all."""
    accuracies = fold_accuracies(judged, sounds)
    rows = tuple((name, value) for name, value in accuracies.items())
    values = list(accuracies.values())
    table = DataTable(
        ("speaker left out" if len(values) > 1 else "speakers", "accuracy, %"),
        rows,
        "each network judges recordings that it never heard",
    )
    means = {
        "mean_accuracy_percent": float(np.mean(values)),
        "lowest_accuracy_percent": min(values),
    }
    return means, table


def make_evaluate(
    config: Config, words: str, sounds: SoundFolds, judge: Callable[..., Judged]
) -> Callable[[TrainState, Key[Array, ""]], Evaluation]:
    spectrum = Spectrum(bands=config.bands)

    def evaluate(state, key) -> Evaluation:
        judged = judge(state.params)
        names = describe(judged, sounds)
        heard = [sounds.samples[sound, : sounds.lengths[sound]] for sound in judged.sounds]
        shown = np.linspace(0, len(heard) - 1, 6).astype(int)
        noisy = [judge(state.params, ratio).accuracy for ratio in NOISES[:-1]]
        means, table = by_fold(judged, sounds)
        parameters = count_parameters(state.params) // len(sounds.folds)
        part = "validation" if config.validate else "test"
        lines = [f"{name}: {value:.1f} %" for name, value in table.rows]
        return {
            **means,
            "error_percent": 100.0 - judged.accuracy,
            "speakers": table,
            "network": f"{words}, {parameters:,} parameters; {part} recordings: {', '.join(lines)}",
            "confusion": confusion_picture(
                judged.labels, judged.logits.argmax(axis=1), sounds.classes
            ),
            "spectra": sound_pictures(
                [heard[place] for place in shown],
                [names[place] for place in shown],
                spectrum,
                "recordings: waveform and log-mel spectrum",
            ),
            **noise_curve(NOISES, [*noisy, judged.accuracy], len(sounds.classes)),
            **players(heard, names, judged.right),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    if config.sounds:
        dataset = library.labeled_sounds("--sounds", config.sounds)
    else:
        dataset = library.load(config.dataset)
    sounds = make_folds(dataset, config.seconds, config.leave_speakers_out, config.validate)
    words, module, inputs = make_network(config, len(sounds.classes))
    optimizer = make_optimizer(config, len(sounds.folds))
    perturbation = Perturbation(
        config.pitch, config.tempo, config.loudest_noise, config.hidden_bands, config.hidden_frames
    )
    return Experiment(
        lambda key: init_folds(module, inputs, optimizer, sounds, key),
        make_step(module, inputs, optimizer, perturbation, config.smoothing),
        make_evaluate(config, words, sounds, make_judge(module, inputs, sounds)),
        TurnBatches(sounds, config.batch_size, config.seed),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
