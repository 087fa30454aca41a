"""Speech recognition before and after deep networks: GMM-HMM and DNN-HMM on spoken digits.

    python launch.py --experiment=spoken_digits_hmm
    python launch.py --experiment=spoken_digits_hmm --leave_speakers_out   # each in turn unknown

Paper: Hinton et al., 2012, Deep neural networks for acoustic modeling in speech recognition
Data: Free Spoken Digit Dataset, or else made vowels (announced and recorded), or your own WAV files
Cost: 1 to 4 minutes on a busy machine
Expected: errors 1.7 +- 0.3% (mixtures) and 0.1 +- 0.2% (network) with known speakers, 16.2 +- 0.1%
  and 18.5 +- 0.5% with unknown ones; see results/spoken_digits_hmm.md
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.labeled_sounds import RATE
from lecture_models.data.lookup import Library
from lecture_models.evaluators.sound_classification import confusion_picture
from lecture_models.experiment import Cadence, DataTable, Evaluation, Experiment, Images
from lecture_models.models.frame_network import FrameNetwork
from lecture_models.nn.log_mel import Spectrum, cepstra, log_mel, slopes, standardized
from lecture_models.plots.sound_plot import HeardWord, sound_plot
from lecture_models.steps.descent import init_train_state, warmup_cosine
from lecture_models.tasks.sound_folds import SoundFolds, descend_one, make_folds
from lecture_models.tasks.word_states import SpeechFrames, WordModels, fit_words, recognize

CHUNK = 200  # Sounds whose features are computed at a time.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "fsdd,made_words"
    sounds: str = ""  # Folder or tar archive of your own, WORD_SPEAKER_TAKE.wav, for --dataset.
    seed: int = 0
    leave_speakers_out: bool = False  # Models for each speaker, who is unknown to them.
    validate: bool = False  # Judges validation sounds, to choose settings; test sounds are unused.
    seconds: float = 1.0  # Of a sound; what follows is left out.
    bands: int = 40  # Of the log-mel spectrum.
    coefficients: int = 13  # Cepstra that the mixtures see, with their slopes.
    states: int = 5  # Of each word's model.
    components: int = 3  # Gaussians of each state.
    rounds: int = 4  # How often mixtures are fitted and paths found.
    context: int = 5  # Frames that the network sees before and after each.
    features: tuple[int, ...] = (256, 256)  # Of the network's hidden layers.
    dropout: float = 0.3
    batch_size: int = 512  # Frames.
    num_steps: int = 800  # Of the networks of all folds, which take turns.
    learning_rate: float = 2e-3  # Adam's peak: a warmup, then a cosine to 0.
    log_every: int = 50
    eval_every: int = 800
    checkpoint_every: int = 400

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "coefficients", "components", *Cadence._fields)
        require_at_least(self, 1, "rounds", "features")
        require_at_least(self, 2, "states")
        require_at_least(self, 0, "seed", "context", "learning_rate")
        require_between(self, 0.05, 60.0, "seconds")
        require_between(self, 0.0, 0.95, "dropout")
        require_between(self, self.coefficients, 80, "bands")
        if not self.features:
            raise ValueError("--features must have at least one value")


SMOKE = {
    "dataset": "made_words",
    "seconds": 0.3,
    "bands": 12,
    "coefficients": 4,
    "states": 2,
    "components": 1,
    "rounds": 1,
    "context": 1,
    "features": (4,),
    "batch_size": 16,
    "num_steps": 6,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 2,
}


class Fitted(NamedTuple):
    """Holds what the mixtures of one fold know, from which its network learns.

    Attributes:
        models: the mixtures.
        frames: numbers of training frames, sound * frames of a sound + frame.
        targets: the state of each, word * states + state.
        prior: the share of each state among them.
    """

    models: WordModels
    frames: np.ndarray
    targets: np.ndarray
    prior: np.ndarray


class Speech(NamedTuple):
    """Holds the sounds of all folds as the mixtures and as the networks see them.

    Attributes:
        cepstral: cepstra and their slopes.
        spectral: log-mel spectra, with `context` empty frames before and after each sound.
    """

    cepstral: SpeechFrames
    spectral: np.ndarray


def hear(config: Config, sounds: SoundFolds) -> Speech:
    """Returns the features of all sounds."""
    spectrum = Spectrum(bands=config.bands)

    @jax.jit
    def compute(samples, lengths):
        features, mask = log_mel(samples, lengths, spectrum)
        spectra = standardized(features, mask)
        coefficients = cepstra(spectra, config.coefficients)
        return spectra, jnp.concatenate([coefficients, slopes(coefficients)], axis=-1), mask

    parts = []
    for begin in range(0, len(sounds.lengths), CHUNK):
        rows = np.arange(begin, begin + CHUNK) % len(sounds.lengths)  # One shape, one program.
        parts.append(jax.device_get(compute(sounds.samples[rows], sounds.lengths[rows])))
    spectra, coefficients, mask = (
        np.concatenate(arrays)[: len(sounds.lengths)] for arrays in zip(*parts, strict=True)
    )
    edges = ((0, 0), (config.context, config.context), (0, 0))
    frames = SpeechFrames(coefficients, mask.sum(axis=1), sounds.labels)
    return Speech(frames, np.pad(spectra, edges))


def fit(config: Config, sounds: SoundFolds, speech: Speech) -> list[Fitted]:
    """Returns the fitted mixtures of each fold, and the frames from which its network learns."""
    results = []
    words, states = len(sounds.classes), config.states
    frames = speech.cepstral.values.shape[1]
    for fold in sounds.folds:
        part = speech.cepstral.select(fold.train)
        models, paths = fit_words(
            part, words, states, config.components, config.rounds, config.seed
        )
        chosen = paths >= 0
        targets = (part.labels[:, None] * states + paths)[chosen].astype(np.int32)
        numbers = (fold.train[:, None] * frames + np.arange(frames)[None])[chosen]
        # A state that no frame has would divide by 0.
        counts = np.bincount(targets, minlength=words * states) + 1.0
        results.append(Fitted(models, numbers.astype(np.int64), targets, counts / counts.sum()))
    return results


def windows(config: Config, speech: Speech, numbers: np.ndarray) -> np.ndarray:
    """Returns frames with their neighbors, in one row each."""
    sound, frame = np.divmod(numbers, speech.cepstral.values.shape[1])
    places = frame[:, None] + np.arange(2 * config.context + 1)[None]
    return speech.spectral[sound[:, None], places].reshape(len(numbers), -1)


class FrameBatches:
    """Draws frames of all folds in turns, the same for the same step."""

    def __init__(self, config: Config, speech: Speech, fitted: list[Fitted]):
        self._config, self._speech = config, speech
        size = min(config.batch_size, *(len(fold.frames) for fold in fitted), 10**9)
        self._parts = [
            ArrayBatches({"frame": fold.frames, "target": fold.targets}, size, config.seed + number)
            for number, fold in enumerate(fitted)
        ]

    def __call__(self, first_step: int):
        step = first_step
        while True:
            own_step, number = divmod(step, len(self._parts))
            part = self._parts[number]
            chosen = part.indices(own_step)
            yield {
                "inputs": windows(self._config, self._speech, part.arrays["frame"][chosen]),
                "targets": part.arrays["target"][chosen],
                "fold": np.full(len(chosen), number, np.int32),
            }
            step += 1


class Recognized(NamedTuple):
    """Holds what both systems hear.

    Attributes:
        labels: the true words.
        mixtures: the words that the GMM-HMM names.
        networks: the words that the DNN-HMM names.
    """

    labels: np.ndarray
    mixtures: np.ndarray
    networks: np.ndarray


def error_percent(labels: np.ndarray, answers: np.ndarray) -> float:
    return 100.0 * float((labels != answers).mean())


def relative_gain(mixture: float, network: float) -> float:
    """Returns by how many percent of its errors the mixtures' system is improved."""
    return 100.0 * (mixture - network) / mixture if mixture else 0.0


def make_judge(config: Config, sounds: SoundFolds, speech: Speech, fitted: list[Fitted], module):
    """Returns the function from the networks of all folds to what both systems hear."""
    states = config.states
    # The mixtures do not change while networks learn.
    of_mixtures = []
    for fold, fold_fitted in zip(sounds.folds, fitted, strict=True):
        part, models = speech.cepstral.select(fold.judged), fold_fitted.models
        scores, _ = recognize(
            part, lambda word, m=models, p=part: m.emissions(p, word), models.stay
        )
        of_mixtures.append(scores.argmax(axis=1))

    @jax.jit
    def classify(params, inputs):
        return jax.nn.log_softmax(module.apply({"params": params}, inputs))

    def log_posteriors(params, sound_numbers: np.ndarray) -> np.ndarray:
        frames = speech.cepstral.values.shape[1]
        found = []
        for begin in range(0, len(sound_numbers), CHUNK):
            rows = np.resize(sound_numbers[begin : begin + CHUNK], CHUNK)
            numbers = (rows[:, None] * frames + np.arange(frames)[None]).reshape(-1)
            logs = np.asarray(classify(params, windows(config, speech, numbers)))
            found.append(logs.reshape(CHUNK, frames, -1)[: len(sound_numbers) - begin])
        return np.concatenate(found)

    def judge(params) -> tuple[Recognized, np.ndarray]:
        answers, first = [], None
        for number, (fold, own) in enumerate(zip(sounds.folds, fitted, strict=True)):
            part = speech.cepstral.select(fold.judged)
            mine = jax.tree.map(lambda leaf, number=number: leaf[number], params)
            posteriors = log_posteriors(mine, fold.judged)
            # Bayes: p(x | state) is proportional to p(state | x) / p(state).
            scaled = posteriors - np.log(own.prior)[None, None]
            scores, _ = recognize(
                part,
                lambda word, scaled=scaled: scaled[..., word * states : (word + 1) * states],
                own.models.stay,
            )
            answers.append(scores.argmax(axis=1))
            first = posteriors if first is None else first
        labels = np.concatenate([sounds.labels[fold.judged] for fold in sounds.folds])
        return Recognized(labels, np.concatenate(of_mixtures), np.concatenate(answers)), first

    return judge


def state_pictures(config: Config, sounds: SoundFolds, posteriors: np.ndarray) -> Images:
    """Draws sounds of the first fold with the probabilities of their word's states over time."""
    spectrum, pictures = Spectrum(bands=config.bands), []
    judged = sounds.folds[0].judged
    for row in np.linspace(0, len(judged) - 1, 4).astype(int):
        sound, label = judged[row], sounds.labels[judged[row]]
        samples = sounds.samples[sound, : sounds.lengths[sound]]
        features, _ = log_mel(samples[None], np.array([len(samples)]), spectrum)
        frames = features.shape[1]
        own = np.exp(posteriors[row, :frames, label * config.states : (label + 1) * config.states])
        heard = tuple(HeardWord(f"state {k + 1}", own[:, k]) for k in range(config.states))
        seconds = len(samples) / RATE
        title = f"{sounds.speaker_names[sounds.speakers[sound]]} says {sounds.classes[label]}"
        pictures.append(sound_plot(samples, np.asarray(features[0]), seconds, title, heard))
    caption = "recordings: the network's probability of each state of the word that is said"
    return Images(np.stack(pictures), 2, caption)


def compare(recognized: Recognized, sounds: SoundFolds) -> Evaluation:
    """Returns the errors of both systems, in all and for each fold, and the relative gain."""
    ends = np.cumsum([len(fold.judged) for fold in sounds.folds])[:-1]
    parts = [np.split(array, ends) for array in recognized]
    rows = []
    for fold, labels, mixtures, networks in zip(sounds.folds, *parts, strict=True):
        errors = error_percent(labels, mixtures), error_percent(labels, networks)
        rows.append((fold.name, *errors, relative_gain(*errors)))
    mixture = error_percent(recognized.labels, recognized.mixtures)
    network = error_percent(recognized.labels, recognized.networks)
    if len(rows) > 1:
        rows.append(("all", mixture, network, relative_gain(mixture, network)))
    columns = ("speakers", "GMM-HMM, error, %", "DNN-HMM, error, %", "fewer errors, %")
    return {
        "mixture_error_percent": mixture,
        "network_error_percent": network,
        "relative_gain_percent": relative_gain(mixture, network),
        "systems": DataTable(columns, tuple(rows), "judged recordings that no system heard before"),
        "confusion_mixtures": confusion_picture(
            recognized.labels, recognized.mixtures, sounds.classes
        ),
        "confusion_networks": confusion_picture(
            recognized.labels, recognized.networks, sounds.classes
        ),
    }


def build(config: Config, library: Library) -> Experiment:
    if config.sounds:
        dataset = library.labeled_sounds("--sounds", config.sounds)
    else:
        dataset = library.load(config.dataset)
    sounds = make_folds(dataset, config.seconds, config.leave_speakers_out, config.validate)
    speech = hear(config, sounds)
    fitted = fit(config, sounds, speech)
    folds = len(sounds.folds)
    module = FrameNetwork(len(sounds.classes) * config.states, config.features, config.dropout)
    schedule = warmup_cosine(config.learning_rate, max(1, config.num_steps // folds))
    optimizer = optax.adam(schedule)
    inputs = jnp.asarray(windows(config, speech, np.zeros(1, np.int64)))

    def init(key):
        def start(key):
            return init_train_state(optimizer, module.init(key, inputs)["params"])

        return jax.vmap(start)(jax.random.split(key, folds))

    def step(state, batch, key):
        def loss(params):
            rngs = {"dropout": key}
            logits = module.apply({"params": params}, batch["inputs"], True, rngs=rngs)
            nats = optax.softmax_cross_entropy_with_integer_labels(logits, batch["targets"]).mean()
            right = (logits.argmax(-1) == batch["targets"]).mean()
            return nats, {"loss": nats, "frame_accuracy_percent": 100.0 * right}

        return descend_one(optimizer, state, batch["fold"][0], loss)

    judge = make_judge(config, sounds, speech, fitted, module)

    def evaluate(state, key) -> Evaluation:
        recognized, posteriors = judge(state.params)
        return {
            **compare(recognized, sounds),
            "states": state_pictures(config, sounds, posteriors),
        }

    return Experiment(
        init,
        step,
        evaluate,
        FrameBatches(config, speech, fitted),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
