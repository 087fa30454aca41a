"""Irish tunes as text: an LSTM writes ABC notation, which is read, counted and played.

    python launch.py --experiment=music_abc
    python launch.py --experiment=music_abc --tunes=FILE.abc      # your own tunes

Paper: Karpathy, 2015, The unreasonable effectiveness of recurrent neural networks; the lecture's
  slide on music generation
Data: 804 Irish folk tunes in ABC notation, or your own; else tunes made by a rule (announced and
  recorded)
Cost: 3 to 6 minutes on a busy machine
Expected: 1.129 +- 0.006 nats per character (6-grams: 1.64), 91 +- 3% of inner bars full (6-grams:
  32%), 3 seeds; see results/music_abc.md
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.abc_notation import AbcError, read_tune, split_tunes
from lecture_models.data.characters import encode
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.data.stream_batches import StreamBatches
from lecture_models.evaluators.abc_scores import TuneScores, first_tune, score_tunes
from lecture_models.evaluators.music_sound import music
from lecture_models.evaluators.token_model import read_tokens, write_tokens
from lecture_models.experiment import (
    Best,
    Cadence,
    DataTable,
    Evaluation,
    Experiment,
    Images,
)
from lecture_models.metrics.ngrams import draw_ngram_tokens, ngram_nats
from lecture_models.models.token_rnn import TokenRNN
from lecture_models.nn.sampling import SamplingRule
from lecture_models.plots.colored_text import colored_text
from lecture_models.steps.descent import clip_to_norm, warmup_cosine
from lecture_models.tasks.character_model import (
    CarriedState,
    HeldOut,
    held_out,
    init_characters,
    make_step,
)

PROMPT = "X:1\nT:"
NGRAMS = (1, 2, 3, 4, 5, 6)
DRAWN_ORDER = 6  # Of the table that writes tunes as well.
BEATS, SECONDS = 4.0, 2.0  # Of a whole note: quarter notes at 120 a minute.
SHOWN = 1_500  # Characters in the colored picture.
MOST_NATS = 6.0  # Surprisal of the darkest paper.


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "irish_abc,made_tunes"  # Comma-separated names; the first available one is used.
    tunes: str = ""  # A file of your own tunes in ABC notation, in place of --dataset.
    seed: int = 0
    batch_size: int = 16  # Streams that are read side by side.
    chunk: int = 64  # Characters through which gradients flow back; the state is carried further.
    num_steps: int = 2_500
    features: tuple[int, ...] = (256,)  # Of each recurrent layer.
    dropout: float = 0.4  # Of the outputs of each layer.
    learning_rate: float = 4e-3  # Adam's peak: a warmup, then a cosine to 0.
    clip_norm: float = 1.0  # The gradient's norm is cut to it; 0 for no clipping.
    num_samples: int = 100  # Tunes that are written and judged.
    sample_length: int = 800  # A tune that has not ended after so many characters is not valid.
    temperature: float = 0.8
    played: int = 5  # Valid samples that are played.
    log_every: int = 100
    eval_every: int = 2_500
    checkpoint_every: int = 500

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "features", "num_samples", *Cadence._fields)
        require_at_least(self, 2, "chunk", "sample_length")
        require_at_least(self, 0, "seed", "learning_rate", "clip_norm", "temperature", "played")
        require_between(self, 0.0, 0.95, "dropout")
        if not self.features:
            raise ValueError("--features must have at least one value")


SMOKE = {
    "dataset": "made_tunes",
    "batch_size": 4,
    "chunk": 8,
    "num_steps": 6,
    "features": (8,),
    "num_samples": 4,
    "sample_length": 20,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def make_optimizer(config: Config) -> optax.GradientTransformation:
    clip = clip_to_norm(config.clip_norm)
    return optax.chain(clip, optax.adam(warmup_cosine(config.learning_rate, config.num_steps)))


def write_tunes(config: Config, model: TokenRNN, params, parts: HeldOut, key) -> list[str]:
    """Returns tunes that the network writes; "" for those that do not end."""
    prompts = np.repeat(encode(PROMPT, parts.vocabulary)[None], config.num_samples, axis=0)
    rule = SamplingRule(config.temperature)
    tokens = write_tokens(model, params, prompts, config.sample_length, rule, key)
    return [first_tune(PROMPT + parts.text(row)) for row in tokens]


def count_tunes(config: Config, parts: HeldOut) -> list[str]:
    """Returns tunes that the table of n-grams writes, the same for the same seed."""
    generator = np.random.default_rng(config.seed)
    prompt = encode(PROMPT, parts.vocabulary)
    drawn = draw_ngram_tokens(
        parts.before,
        prompt,
        DRAWN_ORDER,
        config.num_samples * config.sample_length,
        generator,
    )
    return split_tunes(PROMPT + parts.text(drawn))[:-1][: config.num_samples]


def nats_table(parts: HeldOut, nats: float) -> tuple[float, DataTable]:
    """Returns the lowest nats of the tables of n-grams, and all beside the network's."""
    size = len(parts.vocabulary)
    counted = {n: ngram_nats(parts.before, parts.test, size, n) for n in NGRAMS}
    rows = [("this network", nats), ("all characters equally probable", float(np.log(size)))]
    rows += [(f"{n}-gram table, 0.1 added to each count", value) for n, value in counted.items()]
    table = DataTable(("model", "nats per character"), tuple(rows), "on the test tunes")
    return min(counted.values()), table


def score_table(scores: dict[str, TuneScores]) -> DataTable:
    rows = tuple(
        (
            name,
            found.texts,
            f"{found.valid_percent:.1f}",
            found.bars,
            f"{found.full_percent:.2f}",
            ", ".join(f"{count} {reason}" for reason, count in found.reasons.most_common(3)) or "-",
        )
        for name, found in scores.items()
    )
    columns = (
        "tunes",
        "number",
        "valid, percent",
        "inner bars",
        "full, percent",
        "invalid because",
    )
    return DataTable(columns, rows, "a bar is full if its notes last as long as the meter says")


def played_tunes(tunes: list[str], count: int, name: str, words: str) -> Evaluation:
    """Returns the first valid tunes as sounds and scores, the texts among the captions."""
    results: Evaluation = {}
    number = 0
    for text in tunes:
        if number == count:
            break
        try:
            tune = read_tune(text)
        except AbcError:
            continue
        caption = f'{words}: "{tune.title}"'
        sound, score = music(tune.notes, BEATS, SECONDS, caption)
        results |= {f"{name}_{number}": sound, f"{name}_{number}_score": score}
        results[f"{name}_{number}_text"] = text
        number += 1
    return results


def make_evaluate(
    config: Config, dataset: Dataset, model: TokenRNN
) -> Callable[[CarriedState, Key[Array, ""]], Evaluation]:
    parts = held_out(dataset, config.dataset)
    real = split_tunes(parts.text(parts.test))
    counted_tunes = count_tunes(config, parts)

    def evaluate(state, key):
        params = state.network.params
        validation = read_tokens(model, params, parts.before, parts.validation)
        test = read_tokens(model, params, parts.before, parts.test)
        nats = float(test.nats.mean())
        lowest, table = nats_table(parts, nats)
        written = write_tunes(config, model, params, parts, key)
        scores = {
            "this network": score_tunes(written),
            f"table of {DRAWN_ORDER}-grams": score_tunes(counted_tunes),
            "real, the test tunes": score_tunes(real),
        }
        own, counted, held = scores.values()
        caption = f"test tunes; paper white at 0 nats of surprisal, orange at {MOST_NATS:g} or more"
        colored = colored_text(parts.text(parts.test[:SHOWN]), test.nats[:SHOWN] / MOST_NATS)
        return {
            "validation_nats": float(validation.nats.mean()),
            "test_nats": nats,
            "lowest_ngram_nats": lowest,
            "valid_percent": own.valid_percent,
            "full_bars_percent": own.full_percent,
            "ngram_valid_percent": counted.valid_percent,
            "ngram_full_bars_percent": counted.full_percent,
            "real_full_bars_percent": held.full_percent,
            "nats": table,
            "scores": score_table(scores),
            "surprisal": Images(colored[None], 1, caption),
            **played_tunes(written, config.played, "tune", "written by the network"),
            **played_tunes(counted_tunes, 1, "ngram_tune", "written by the table of n-grams"),
            **played_tunes(real, 1, "real_tune", "a real test tune"),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    dataset = (
        library.tunes("--tunes", config.tunes) if config.tunes else library.load(config.dataset)
    )
    parts = held_out(dataset, config.dataset)
    if not score_tunes(split_tunes(parts.text(parts.test))).valid:
        name = dataset.provenance.dataset
        raise DataError(f"{name} has no tunes in ABC notation among its test texts")
    model = TokenRNN(len(parts.vocabulary), config.features, dropout=config.dropout)
    batches = StreamBatches(parts.before, config.batch_size, config.chunk, config.seed)
    optimizer = make_optimizer(config)
    return Experiment(
        lambda key: init_characters(model, optimizer, config.batch_size, key),
        make_step(model, optimizer),
        make_evaluate(config, dataset, model),
        batches,
        Best("validation_nats", sign=-1.0),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
