"""Sentiment of tweets and reviews: an LSTM, or Kim's convolutions, reads words and names a class.

    python launch.py --experiment=sentiment                           # tweets, an LSTM each way
    python launch.py --experiment=sentiment --say="not bad at all | what a day"
    python launch.py --experiment=sentiment --dataset=tweets_emotion --num_steps=400
    python launch.py --experiment=sentiment --dataset=rt_polarity --num_steps=700 --cnn \\
        --filters=50 --embedding_dropout=0.2 --word_dropout=0.1       # 10 folds
    python launch.py --experiment=sentiment --csv=FILE.csv            # columns text and label

Paper: Hochreiter and Schmidhuber, 1997; Kim, 2014, Convolutional neural networks for sentence
  classification; Barbieri et al., 2020, TweetEval
Data: tweets of SemEval-2017, emotions of TweetEval, sentences of film reviews (rt-polarity), or
  your own; else made sentences (announced and recorded)
Cost: 3 to 8 minutes on a busy machine; rt-polarity 7 to 11
Expected: macro recall 62.5% on tweets (TweetEval's LSTM: 58.3), macro F1 64.9% on emotions (66.0),
  77.3% of rt-polarity (Kim: 76.1); see results/sentiment.md
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import Dataset
from lecture_models.data.lookup import Library
from lecture_models.data.words import split_words
from lecture_models.evaluators.text_classification import (
    Judged,
    confident_errors,
    heading,
    percentages,
    pictures,
    score_percent,
)
from lecture_models.experiment import Best, Cadence, DataTable, Evaluation, Experiment
from lecture_models.metrics.macro_scores import SCORES
from lecture_models.models.text_classifier import (
    ConvolutionEncoder,
    RecurrentEncoder,
    TextClassifier,
)
from lecture_models.steps.descent import Params, clip_to_norm, warmup_cosine
from lecture_models.tasks.text_folds import TEST, VALIDATION, TextFolds, make_folds
from lecture_models.tasks.text_results import counting_baselines, explain, word_picture
from lecture_models.tasks.text_training import (
    FoldState,
    Schedule,
    init_folds,
    judge,
    make_batches,
    make_step,
)

SHOWN = 12  # Texts whose words are colored.


class Protocol(NamedTuple):
    """Describes how results on a data set are published.

    Attributes:
        metric: the score, a name of `SCORES`.
        published: pairs of a model and its score in percent.
    """

    metric: str
    published: tuple[tuple[str, float], ...] = ()


PROTOCOLS = {
    "tweets": Protocol(
        "macro recall",
        (
            ("LSTM (TweetEval)", 58.3),
            ("SVM on n-grams (TweetEval)", 62.9),
            ("FastText (TweetEval)", 62.9),
            ("RoBERTa-base (TweetEval)", 71.3),
            ("two LSTMs, vectors of 330 million tweets (DataStories, winner)", 68.1),
        ),
    ),
    "tweets_emotion": Protocol(
        "macro F1",
        (
            ("LSTM (TweetEval)", 66.0),
            ("SVM on n-grams (TweetEval)", 64.7),
            ("FastText (TweetEval)", 65.2),
            ("RoBERTa-base (TweetEval)", 76.1),
        ),
    ),
    "rt_polarity": Protocol(
        "accuracy",
        (
            ("CNN-rand (Kim, 2014)", 76.1),
            ("CNN-static, vectors of 100 billion words (Kim, 2014)", 81.0),
            ("CNN-non-static, likewise (Kim, 2014)", 81.5),
        ),
    ),
}
OTHERS = Protocol("macro recall")
DEFAULT_FOLDS = 10  # Where the data has no test split of its own.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "tweets,made_opinions"
    csv: str = ""  # CSV or TSV file of your own with the columns text and label, for --dataset.
    folds: int = -1  # Of a cross-validation; 0 for one split; -1: 10 without an own test split.
    seed: int = 0
    batch_size: int = 64  # Texts, those that validate or test in a fold included.
    num_steps: int = 2_100  # Of each fold; all folds are trained side by side.
    checks: int = 8  # How often validation texts judge a network; its best is kept.
    least_count: int = 2  # Training texts must have a word as often; others are the unknown word.
    most_words: int = 60  # The rest of a longer text is left out.
    embedding: int = 100  # Elements of a word's vector.
    cnn: bool = False  # Kim's convolutions over words in place of the LSTM.
    widths: tuple[int, ...] = (3, 4, 5)  # Words that a filter of the CNN covers.
    filters: int = 100  # Of each width.
    features: tuple[int, ...] = (64,)  # Of each layer of the LSTM, in each direction.
    bidirectional: bool = True  # Further LSTMs read backward.
    mean_pool: bool = False  # The mean of the LSTM's outputs in place of their maximum.
    dropout: float = 0.5  # Of the features of a text.
    embedding_dropout: float = 0.5  # Of the words' vectors.
    word_dropout: float = 0.3  # Share of training words that become the unknown word.
    balanced: bool = True  # Each class weighs the same in the loss, however frequent it is.
    learning_rate: float = 4e-3  # Adam's peak: a warmup, then a cosine to 0.
    adadelta: bool = False  # Zeiler's rule at a constant rate in place of Adam.
    max_norm: float = 0.0  # Largest norm of a class's last weights; 0 for no limit.
    clip_norm: float = 1.0  # The gradient's norm is cut to it; 0 for no clipping.
    say: str = ""  # Your own sentences, separated by |, to classify.
    log_every: int = 100
    eval_every: int = 1_050
    checkpoint_every: int = 1_050

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "checks", "least_count", "most_words", "embedding")
        require_at_least(self, 1, "widths", "filters", "features", *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate", "max_norm", "clip_norm")
        require_between(self, 0.0, 0.95, "dropout")
        require_between(self, 0.0, 0.95, "embedding_dropout")
        require_between(self, 0.0, 0.95, "word_dropout")
        if self.folds not in (-1, 0) and self.folds < 3:
            raise ValueError(f"--folds is {self.folds}; it must be -1, 0, or at least 3")
        if not (self.widths and self.features):
            raise ValueError("--widths and --features must each have at least one value")
        if any(not sentence.strip() for sentence in self.say.split("|")) and self.say:
            raise ValueError(f"--say is {self.say!r}; a sentence between | must have words")

    @property
    def schedule(self) -> Schedule:
        return Schedule(max(1, self.num_steps // self.checks), self.num_steps)


# Kim, 2014, for MR, which is rt-polarity, with random vectors: CNN-rand.
PAPER = {
    "dataset": "rt_polarity",
    "folds": 10,
    "batch_size": 62,
    "num_steps": 4_300,
    "checks": 25,
    "least_count": 1,
    "embedding": 300,
    "cnn": True,
    "embedding_dropout": 0.0,
    "word_dropout": 0.0,
    "balanced": False,
    "learning_rate": 1.0,
    "adadelta": True,
    "max_norm": 3.0,
    "clip_norm": 0.0,
    "eval_every": 4_300,
    "checkpoint_every": 430,
}

PAPER_SOURCES = {
    "dataset": "Table 1, MR",
    "folds": "section 3, 10-fold cross-validation",
    "batch_size": "section 3.1: 50, see below",
    "num_steps": "CNN_sentence, conv_net_sentence.py: 25 epochs",
    "checks": "CNN_sentence: the validation score decides after each epoch",
    "embedding": "section 3.2, the size of word2vec's vectors",
    "cnn": "section 2",
    "widths": "section 3.1",
    "filters": "section 3.1",
    "dropout": "section 3.1",
    "embedding_dropout": "section 2.1: dropout on the penultimate layer",
    "adadelta": "section 3.1",
    "max_norm": "section 3.1",
}
PAPER_DEPARTURES = (
    ("batches of 50 training sentences", "62 sentences, of which a fold trains on 50 in the mean"),
    ("the vocabulary is that of all sentences", "of the training sentences of each fold"),
    ("vectors and kernels start uniform, within 0.25 and 0.01", "normal, 0.1, and LeCun's"),
    ("a random tenth of the training sentences validates", "the next fold, a ninth of them"),
    ("folds are drawn anew", "the folds are the same for all seeds, and have both classes equally"),
)

SMOKE = {
    "dataset": "made_opinions",
    "folds": 3,
    "batch_size": 500,
    "num_steps": 8,
    "checks": 2,
    "embedding": 8,
    "features": (6,),
    "say": "the film was not good",
    "log_every": 2,
    "eval_every": 4,
    "checkpoint_every": 3,
}


def make_optimizer(config: Config) -> optax.GradientTransformation:
    clip = clip_to_norm(config.clip_norm)
    if config.adadelta:
        return optax.chain(clip, optax.adadelta(config.learning_rate, rho=0.95, eps=1e-6))
    return optax.chain(clip, optax.adam(warmup_cosine(config.learning_rate, config.num_steps)))


def make_model(config: Config, folds: TextFolds) -> TextClassifier:
    if config.cnn:
        encoder = ConvolutionEncoder(config.widths, config.filters)
    else:
        encoder = RecurrentEncoder(
            config.features, config.bidirectional, config.mean_pool, config.dropout
        )
    return TextClassifier(
        len(folds.vocabulary),
        len(folds.classes),
        encoder,
        config.embedding,
        config.dropout,
        config.embedding_dropout,
        config.word_dropout,
    )


def number_of_folds(config: Config, dataset: Dataset) -> int:
    """Returns the folds of a cross-validation; 0 for the split of the data set."""
    if config.folds >= 0:
        return config.folds
    return DEFAULT_FOLDS if dataset.provenance.note.startswith("no test split") else 0


def say_results(config: Config, model, params: Params, folds: TextFolds) -> Evaluation:
    """Returns the classes of the user's own sentences, as text and as a picture."""
    if not config.say:
        return {}
    sentences = [sentence.strip() for sentence in config.say.split("|")]
    texts = [split_words(sentence, config.most_words) or ["?"] for sentence in sentences]
    logits, _ = explain(model, params, folds, texts)
    lines = [
        f"{heading(row, folds.classes, None)} {sentence}"
        for row, sentence in zip(logits, sentences, strict=True)
    ]
    return {"say": "\n".join(lines), "say_words": word_picture(model, params, folds, texts)}


def comparison(rows: dict[str, Judged], protocol: Protocol) -> DataTable:
    """Returns the scores of this network and the baselines, and the published ones."""
    names = tuple(SCORES)
    table = [
        (model, *(f"{value:.2f}" for value in percentages(judged).values()))
        for model, judged in rows.items()
    ]
    place = names.index(protocol.metric)
    for model, value in protocol.published:
        cells = ["-"] * len(names)
        cells[place] = f"{value:.1f}"
        table.append((f"published: {model}", *cells))
    caption = f"test texts, percent; the data set's own score is {protocol.metric}"
    return DataTable(("model", *names), tuple(table), caption)


def test_results(config: Config, model, params: Params, folds: TextFolds, protocol: Protocol):
    """Returns what is said about the test texts, after the last step alone."""
    judged = judge(model, params, folds, TEST)
    scores = score_percent(judged, protocol.metric)
    counted = counting_baselines(folds, judged, protocol.metric, config.balanced)
    rows = {f"this {'CNN' if config.cnn else 'LSTM'}": judged, **counted}
    by_fold = [score_percent(row, protocol.metric) for row in rows.values()]
    (linear, _) = counted.values()
    first = judged.folds == 0
    results: Evaluation = {
        f"test_{name.lower().replace(' ', '_')}_percent": value
        for name, value in percentages(judged).items()
    }
    results |= {
        "linear_test_percent": float(score_percent(linear, protocol.metric).mean()),
        "comparison": comparison(rows, protocol),
        "confident_errors": confident_errors(judged, folds.classes),
        "words": word_picture(
            model,
            params,
            folds,
            [judged.texts[text] for text in np.flatnonzero(first)[:SHOWN]],
            judged.labels[first][:SHOWN],
        ),
        **pictures(judged, folds.classes, "test"),
    }
    if len(folds) > 1:
        results["fold_deviation_percent"] = float(scores.std(ddof=1))
        results["folds"] = DataTable(
            ("fold", *rows),
            tuple((fold, *map(float, row)) for fold, row in enumerate(np.transpose(by_fold))),
            f"{protocol.metric} on the test texts of each fold, percent",
        )
    return results


def make_evaluate(
    config: Config, model: TextClassifier, folds: TextFolds, protocol: Protocol
) -> Callable[[FoldState, Key[Array, ""]], Evaluation]:
    def evaluate(state, key):
        params = state.best.params
        judged = judge(model, params, folds, VALIDATION)
        texts, labels = folds.labeled(0, VALIDATION)
        results: Evaluation = {
            "validation_percent": float(score_percent(judged, protocol.metric).mean()),
            "best_step": float(np.mean(state.best.steps)),
            "validation_words": word_picture(model, params, folds, texts[:SHOWN], labels[:SHOWN]),
            **say_results(config, model, params, folds),
        }
        if int(state.step) < config.num_steps:
            return results
        return results | test_results(config, model, params, folds, protocol)

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    if config.csv:
        dataset = library.labeled_texts("--csv", config.csv)
    else:
        dataset = library.load(config.dataset)
    count = number_of_folds(config, dataset)
    folds = make_folds(dataset, count, config.least_count, config.most_words)
    protocol = PROTOCOLS.get(dataset.provenance.dataset, OTHERS)
    model, optimizer = make_model(config, folds), make_optimizer(config)
    batches = make_batches(folds, config.batch_size, config.seed, config.balanced)
    step = make_step(model, optimizer, folds, protocol.metric, config.schedule, config.max_norm)
    return Experiment(
        lambda key: init_folds(model, optimizer, len(folds), key),
        step,
        make_evaluate(config, model, folds, protocol),
        batches,
        Best("validation_percent"),
        cadence_decides={"num_steps": "the schedule of learning_rate and the checks"},
    )
