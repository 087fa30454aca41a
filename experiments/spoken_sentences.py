"""Spoken sentences: an LSTM hears the words of a sentence, taught by their order alone (CTC).

    python launch.py --experiment=spoken_sentences                          # yes and no, in Hebrew
    python launch.py --experiment=spoken_sentences --dataset=digit_strings  # five English digits
    python launch.py --experiment=spoken_sentences --sentences=FOLDER       # one_two_three.wav

Paper: Graves, Fernandez, Gomez and Schmidhuber, 2006, Connectionist temporal classification
Data: 60 sentences of eight words (OpenSLR 1), or recordings of the Free Spoken Digit Dataset joined
  to strings, or your own; else strings of made vowels (announced and recorded)
Cost: 1 to 6 minutes on a busy machine
Expected: one of 29 sentences wrong in two of three seeds; the third does not learn; see
  results/spoken_sentences.md
"""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.labeled_sounds import RATE
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence, DataTable, Evaluation, Experiment, Images, Sound
from lecture_models.metrics.word_errors import WordErrors, total_errors, word_errors
from lecture_models.models.sentence_recognizer import SentenceRecognizer
from lecture_models.nn.log_mel import Spectrum, log_mel
from lecture_models.nn.sound_perturbation import Perturbation
from lecture_models.plots.sound_plot import HeardWord, sound_plot
from lecture_models.steps.descent import TrainState, warmup_cosine
from lecture_models.tasks.sentence_training import (
    Heard,
    Sentences,
    divide,
    init_state,
    make_batches,
    make_hear,
    make_step,
)
from lecture_models.tasks.sound_inputs import spectral_inputs

SHOWN = 4  # Sentences that are drawn.
PLAYERS = 3  # Sentences of each kind that a report plays.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "yesno,made_sentences"
    sentences: str = ""  # Folder or tar archive of your own, one_two_three.wav, for --dataset.
    seed: int = 0
    validate: bool = False  # Judges validation sentences, to choose settings; tests are unused.
    bands: int = 40  # Of the log-mel spectrum.
    filters: int = 64  # Of the convolutions over time, before the LSTM.
    features: tuple[int, ...] = (96,)  # Of each layer of the LSTM, in each direction.
    dropout: float = 0.3
    pitch: float = 0.1  # Frequencies of training sounds are changed by a factor of up to 1.1.
    tempo: float = 0.15  # Likewise their speed.
    loudest_noise: float = 30.0  # Ratio of signal to noise in training, in dB; 60 for none.
    hidden_bands: int = 4  # Up to so many neighboring bands are hidden in training, twice.
    hidden_frames: int = 6  # Likewise frames of 16 ms.
    batch_size: int = 16
    num_steps: int = 200
    learning_rate: float = 4e-3  # Adam's peak: a warmup, then a cosine to 0.
    log_every: int = 20
    eval_every: int = 200
    checkpoint_every: int = 100

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "bands", "filters", "features", *Cadence._fields)
        require_at_least(self, 0, "seed", "hidden_bands", "hidden_frames")
        require_at_least(self, 0, "learning_rate", "loudest_noise")
        require_between(self, 0.0, 0.95, "dropout")
        require_between(self, 0.0, 1.0, "pitch", "tempo")
        if not self.features:
            raise ValueError("--features must have at least one value")


SMOKE = {
    "dataset": "made_sentences",
    "bands": 12,
    "filters": 8,
    "features": (6,),
    "batch_size": 4,
    "num_steps": 6,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 2,
}


def spelled(words: np.ndarray, vocabulary: tuple[str, ...]) -> str:
    return " ".join(vocabulary[word] for word in words)


def alignment(
    sentences: Sentences, heard: Heard, sentence: int, words: tuple[str, ...], spectrum: Spectrum
) -> np.ndarray:
    """Draws a sentence with the probabilities of words over time; the blank is left out."""
    samples = sentences.sound(sentence)
    logits = heard.logits[sentence, : heard.moments[sentence]]
    probabilities = np.asarray(jax.nn.softmax(logits, axis=-1))
    features, _ = log_mel(samples[None], np.array([len(samples)]), spectrum)
    said = np.unique(np.concatenate([sentences.said(sentence), heard.words[sentence]])).astype(int)
    spikes = tuple(HeardWord(words[word], probabilities[:, word + 1]) for word in said)
    title = f"heard: {spelled(heard.words[sentence], words)}"
    return sound_plot(samples, np.asarray(features[0]), len(samples) / RATE, title, spikes)


def error_table(errors: WordErrors, wrong: int, sentences: int) -> DataTable:
    rows = (
        ("words", errors.words),
        ("substituted", errors.substitutions),
        ("not heard", errors.deletions),
        ("heard but not said", errors.insertions),
        ("sentences", sentences),
        ("sentences with an error", wrong),
    )
    return DataTable(("count", "number"), rows, "errors on the judged sentences")


def sentence_players(sentences: Sentences, said: list[str], heard: list[str]) -> dict[str, Sound]:
    """Returns players of the first sentences that were heard right, and of those that were not."""
    results = {}
    right = [first == second for first, second in zip(said, heard, strict=True)]
    for kind, wanted in (("right", True), ("wrong", False)):
        chosen = [number for number, value in enumerate(right) if value is wanted][:PLAYERS]
        for place, number in enumerate(chosen):
            caption = f"said: {said[number]}; heard: {heard[number] or 'nothing'}"
            results[f"{kind}_{place}"] = Sound(sentences.sound(number), RATE, caption)
    return results


def make_evaluate(
    config: Config, words: tuple[str, ...], sentences: Sentences, hear: Callable[..., Heard]
) -> Callable[[TrainState, Key[Array, ""]], Evaluation]:
    spectrum = Spectrum(bands=config.bands)

    def evaluate(state, key) -> Evaluation:
        heard = hear(state.params)
        truth = [sentences.said(number) for number in range(len(sentences.lengths))]
        errors = total_errors(list(zip(truth, heard.words, strict=True)))
        each = [word_errors(*pair).count for pair in zip(truth, heard.words, strict=True)]
        wrong = int(np.count_nonzero(each))
        said = [spelled(row, words) for row in truth]
        answers = [spelled(row, words) for row in heard.words]
        # The worst sentences first, then the first ones.
        shown = np.argsort(-np.array(each), kind="stable")[:SHOWN]
        pictures = [alignment(sentences, heard, int(row), words, spectrum) for row in shown]
        return {
            "word_error_percent": errors.rate_percent,
            "sentence_error_percent": 100.0 * wrong / len(truth),
            "errors": error_table(errors, wrong, len(truth)),
            "transcripts": DataTable(
                ("said", "heard"), tuple(zip(said, answers, strict=True)), "all judged sentences"
            ),
            "alignment": Images(
                np.stack(pictures),
                2,
                "judged sentences, those with most errors first: sound, log-mel spectrum, and the "
                "probability of each word over time",
            ),
            **sentence_players(sentences, said, answers),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    if config.sentences:
        dataset = library.sentences("--sentences", config.sentences)
    else:
        dataset = library.load(config.dataset)
    spectrum = Spectrum(bands=config.bands)
    trained, judged = divide(dataset, spectrum, 1.0 + config.tempo, config.validate)
    words = dataset.vocabularies["words"]
    module = SentenceRecognizer(len(words), config.filters, config.features, config.dropout)
    inputs = spectral_inputs(spectrum)
    schedule = warmup_cosine(config.learning_rate, config.num_steps)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
    perturbation = Perturbation(
        config.pitch, config.tempo, config.loudest_noise, config.hidden_bands, config.hidden_frames
    )
    return Experiment(
        lambda key: init_state(module, inputs, optimizer, trained, key),
        make_step(module, inputs, optimizer, perturbation),
        make_evaluate(config, words, judged, make_hear(module, inputs, judged)),
        make_batches(trained, config.batch_size, config.seed),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
