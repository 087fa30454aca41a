"""Machine translation, German to English: one GRU reads, another writes, attention in between.

    python launch.py --experiment=translation
    python launch.py --experiment=translation --attention_features=0   # all through one vector
    python launch.py --experiment=translation --say="Ein Hund läuft. | Zwei Frauen lachen."
    python launch.py --experiment=translation --pairs=source.txt,target.txt   # your own lines

Paper: Cho et al., 2014; Bahdanau et al., 2015, Neural machine translation by jointly learning to
  align and translate
Data: Multi30k, 29,000 descriptions of photos; else numbers written out (announced and recorded)
Cost: 21 to 36 minutes on two cores beside three to six other jobs
Expected: BLEU 34.9 +- 0.6 of 1,000 test sentences, greedy (pytorch-seq2seq: 28.3); without
  attention 21.6 +- 0.3; see results/translation.md
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError, Dataset, Split
from lecture_models.data.lookup import Library
from lecture_models.data.ragged_batches import RaggedBatches, ragged_batches
from lecture_models.evaluators.translation import (
    Languages,
    nats_per_word,
    translate,
)
from lecture_models.evaluators.word_writing import shifted, written_vocabulary
from lecture_models.experiment import Best, Cadence, DataTable, Evaluation, Experiment
from lecture_models.losses.token_likelihood import smoothed_nats
from lecture_models.metrics.translation_scores import TextScores
from lecture_models.models.translator import Translator
from lecture_models.nn.recurrent import length_mask
from lecture_models.steps.descent import (
    Params,
    TrainState,
    clip_to_norm,
    descend,
    init_train_state,
    warmup_cosine,
)
from lecture_models.tasks.translation_results import attention_pictures, score, scores_by_length

MAPS = 6  # Sentences whose attention is drawn.
TOLD = 20  # Sentences in the table of translations.
# Scores of others, with other tokens and other scripts: bentrevett/pytorch-seq2seq, its notebooks.
PUBLISHED = (
    ("pytorch-seq2seq, LSTM without attention", 13.76),
    ("pytorch-seq2seq, GRU without attention", 20.61),
    ("pytorch-seq2seq, GRU with attention", 28.30),
)


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "multi30k_de_en,made_number_names"
    pairs: str = ""  # Two files of your own, SOURCE,TARGET, for --dataset; line by line equal.
    seed: int = 0
    batch_size: int = 64
    num_steps: int = 3_200  # 7 epochs of Multi30k.
    least_count: int = 3  # Training sentences must have a word as often; others are unknown.
    most_words: int = 30  # The rest of a longer sentence is left out.
    embedding: int = 128  # Elements of a word's vector.
    encoder_features: int = 128  # Of the encoder in each direction.
    features: int = 256  # Of the decoder.
    attention_features: int = 128  # Of the attention's hidden layer; 0 for no attention.
    readout: int = 128  # Features before the logits, few to make their product cheap; 0: no layer.
    dropout: float = 0.3  # Of the words' vectors and of the readout.
    label_smoothing: float = 0.1  # Share of each target that is spread over all words.
    teacher_forcing: float = 1.0  # Share of steps that read the reference's word, not the own one.
    learning_rate: float = 2e-3  # Adam's peak: a warmup, then a cosine to 0.
    constant_rate: bool = False  # No warmup and no cosine.
    clip_norm: float = 1.0  # The gradient's norm is cut to it; 0 for no clipping.
    beam: int = 4  # Translations kept in the search that is compared with the greedy one.
    length_penalty: float = 1.0  # Exponent of the length by which a search divides ln p.
    say: str = ""  # Your own sentences, separated by |, to translate.
    log_every: int = 100
    eval_every: int = 1_600
    checkpoint_every: int = 800

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "least_count", "embedding", "encoder_features")
        require_at_least(self, 1, "features", "beam", *Cadence._fields)
        require_at_least(self, 2, "most_words")
        require_at_least(self, 0, "seed", "attention_features", "readout", "length_penalty")
        require_at_least(self, 0, "learning_rate", "clip_norm")
        require_between(self, 0.0, 0.95, "dropout")
        require_between(self, 0.0, 0.95, "label_smoothing")
        require_between(self, 0.0, 1.0, "teacher_forcing")
        if self.say and any(not sentence.strip() for sentence in self.say.split("|")):
            raise ValueError(f"--say is {self.say!r}; a sentence between | must have words")


# The attention net of bentrevett/pytorch-seq2seq, which reports BLEU 28.30.
PAPER = {
    "batch_size": 128,
    "num_steps": 2_280,
    "least_count": 2,
    "most_words": 60,
    "embedding": 256,
    "encoder_features": 512,
    "features": 512,
    "attention_features": 512,
    "readout": 0,
    "dropout": 0.5,
    "label_smoothing": 0.0,
    "teacher_forcing": 0.5,
    "learning_rate": 1e-3,
    "constant_rate": True,
    "eval_every": 228,
    "checkpoint_every": 228,
}

PAPER_SOURCES = {
    "batch_size": "pytorch-seq2seq, notebook 3",
    "num_steps": "notebook 3: 10 epochs, here of 228 steps",
    "least_count": "notebook 3",
    "embedding": "notebook 3",
    "encoder_features": "notebook 3",
    "features": "notebook 3",
    "attention_features": "notebook 3",
    "readout": "notebook 3: the logits come from state, context and word",
    "dropout": "notebook 3",
    "label_smoothing": "notebook 3: none",
    "teacher_forcing": "notebook 3",
    "learning_rate": "notebook 3: Adam's default",
    "constant_rate": "notebook 3",
    "clip_norm": "notebook 3",
}
PAPER_DEPARTURES = (
    ("spaCy cuts the texts into words", "a rule of ours, close to BLEU's tokenizer 13a"),
    ("all words are whole sentences long", "sentences are cut after 60 words"),
    ("the epoch with the least validation loss is tested", "the last one is tested"),
    ("the encoder's carries of padded sentences", "padding changes nothing"),
    ("weights start normal with deviation 0.01", "LeCun's and orthogonal kernels"),
    ("two biases for each gate", "one, and one more for the candidate"),
)

SMOKE = {
    "dataset": "made_number_names",
    "batch_size": 64,
    "num_steps": 6,
    "most_words": 8,
    "embedding": 6,
    "encoder_features": 4,
    "features": 6,
    "attention_features": 4,
    "readout": 4,
    "beam": 2,
    "say": "drei und zwanzig hunde .",
    "log_every": 1,
    "eval_every": 6,
    "checkpoint_every": 2,
}


def make_languages(config: Config, train: Split) -> Languages:
    """Returns the vocabularies of both languages, from the training sentences alone."""
    vocabularies = (
        written_vocabulary(train[name], config.least_count)
        for name in ("source_texts", "target_texts")
    )
    return Languages(*vocabularies, config.most_words)


def make_batches(config: Config, train: Split, languages: Languages) -> RaggedBatches:
    tokens = Split(
        {
            "source": languages.read_source(list(train["source_texts"])),
            "target": languages.read_target(list(train["target_texts"])),
        }
    )
    return ragged_batches(tokens, config.batch_size, config.seed)


def make_optimizer(config: Config) -> optax.GradientTransformation:
    clip = clip_to_norm(config.clip_norm)
    rate = config.learning_rate
    if not config.constant_rate:
        rate = warmup_cosine(config.learning_rate, config.num_steps)
    return optax.chain(clip, optax.adam(rate))


def make_step(config: Config, model: Translator, optimizer: optax.GradientTransformation):
    def step(state: TrainState, batch, key):
        drop_key, force_key = jax.random.split(key)
        target = batch["target"]
        source_mask = length_mask(batch["source_lengths"], batch["source"].shape[1])
        # The repeats that fill a batch have the weight 0.
        counted = batch["weights"][:, None] * length_mask(batch["target_lengths"], target.shape[1])
        forced = None
        if config.teacher_forcing < 1.0:
            forced = jax.random.bernoulli(force_key, config.teacher_forcing, target.shape[1:])

        def loss(params):
            logits, _ = model.apply(
                {"params": params},
                batch["source"],
                source_mask,
                shifted(target),
                True,
                forced,
                rngs={"dropout": drop_key},
            )
            nats, smoothed = smoothed_nats(logits, target, config.label_smoothing)
            total = counted.sum()
            return (counted * smoothed).sum() / total, {"nats": (counted * nats).sum() / total}

        return descend(optimizer, state, loss)

    return step


def say_results(config: Config, model, params: Params, languages: Languages) -> Evaluation:
    """Returns the best translations of the user's own sentences, and their attention."""
    if not config.say:
        return {}
    sentences = [sentence.strip() for sentence in config.say.split("|")]
    best = translate(model, params, languages, sentences, config.beam, config.length_penalty)
    lines = []
    for sentence, translation in zip(sentences, best, strict=True):
        lines.append(sentence)
        lines += [
            f"    ln p {nats:7.2f}  {text}"
            for text, nats in zip(translation.texts, translation.log_probabilities, strict=True)
        ]
    pictures = attention_pictures(
        model, params, languages, sentences, [translation.texts[0] for translation in best]
    )
    return {"say": "\n".join(lines)} | {f"say_{key}": value for key, value in pictures.items()}


def comparison(config: Config, name: str, greedy: TextScores, searched: TextScores) -> DataTable:
    """Returns the scores of this network, and the published ones."""
    rows = [
        (f"this network, {way}", found.bleu, found.chrf, found.brevity_penalty)
        for way, found in (("greedy", greedy), (f"beam of {config.beam}", searched))
    ]
    rows += [(model, bleu, "-", "-") for model, bleu in PUBLISHED if name == "multi30k_de_en"]
    return DataTable(
        ("model", "BLEU", "chrF", "brevity penalty"), tuple(rows), f"test; {greedy.signature}"
    )


def test_results(config: Config, model, params: Params, languages: Languages, test: Split):
    """Returns what is said about the test sentences, after the last step alone."""
    source, references = list(test["source_texts"]), list(test["target_texts"])
    greedy = translate(model, params, languages, source)
    searched = translate(model, params, languages, source, config.beam, config.length_penalty)
    greedy_scores, beam_scores = score(greedy, references), score(searched, references)
    by_length, plot = scores_by_length(greedy, source, references)
    unended = sum(not translation.ended[0] for translation in greedy)
    return (
        greedy_scores,
        beam_scores,
        {
            "test_bleu": greedy_scores.bleu,
            "test_chrf": greedy_scores.chrf,
            "test_beam_bleu": beam_scores.bleu,
            "test_nats": nats_per_word(model, params, languages, source, references),
            "by_length": by_length,
            "bleu_by_length": plot,
            "translations": DataTable(
                ("source", "greedy", "beam", "reference"),
                tuple(
                    (source[k], greedy[k].texts[0], searched[k].texts[0], references[k])
                    for k in range(min(TOLD, len(source)))
                ),
                "the first test sentences",
            ),
            "alarm_endless": (
                f"{unended} of {len(greedy)} greedy translations never end"
                if unended > len(greedy) // 10
                else ""
            ),
            **attention_pictures(
                model,
                params,
                languages,
                source[:MAPS],
                [translation.texts[0] for translation in greedy[:MAPS]],
            ),
        },
    )


def make_evaluate(
    config: Config, model: Translator, languages: Languages, dataset: Dataset
) -> Callable[[TrainState, Key[Array, ""]], Evaluation]:
    source, references = (
        list(dataset.validation[name]) for name in ("source_texts", "target_texts")
    )
    name = dataset.provenance.dataset

    def evaluate(state, key):
        params = state.params
        written = translate(model, params, languages, source)
        found = score(written, references)
        results: Evaluation = {
            "validation_bleu": found.bleu,
            "validation_nats": nats_per_word(model, params, languages, source, references),
            "signature": found.signature,
            **say_results(config, model, params, languages),
            **{
                f"validation_{key}": value
                for key, value in attention_pictures(
                    model,
                    params,
                    languages,
                    source[:MAPS],
                    [translation.texts[0] for translation in written[:MAPS]],
                ).items()
            },
        }
        _, (adam, *_) = state.optimizer_state
        if int(adam.count) < config.num_steps:  # Adam counts its steps.
            return results
        greedy, searched, told = test_results(config, model, params, languages, dataset.test)
        return results | told | {"comparison": comparison(config, name, greedy, searched)}

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    if config.pairs:
        dataset = library.sentence_pairs("--pairs", config.pairs)
    else:
        dataset = library.load(config.dataset)
    if "source_texts" not in dataset.train.arrays:
        raise DataError(f"--dataset={config.dataset} has no sentences with translations")
    languages = make_languages(config, dataset.train)
    model = Translator(
        len(languages.source),
        len(languages.target),
        config.embedding,
        config.encoder_features,
        config.features,
        config.attention_features,
        config.readout,
        config.dropout,
    )
    optimizer = make_optimizer(config)

    def init(key):
        tokens = jnp.ones((1, 2), jnp.int32)
        variables = model.init(key, tokens, tokens > 0, tokens)
        return init_train_state(optimizer, variables["params"])

    return Experiment(
        init,
        make_step(config, model, optimizer),
        make_evaluate(config, model, languages, dataset),
        make_batches(config, dataset.train, languages),
        Best("validation_bleu"),
        cadence_decides={}
        if config.constant_rate
        else {"num_steps": "the schedule of learning_rate"},
    )
