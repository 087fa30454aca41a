"""Character-level language model: an LSTM reads a text and then writes in its style.

    python launch.py --experiment=char_rnn                      # tinyshakespeare
    python launch.py --experiment=char_rnn --text=my_own.txt --prompt="Once upon a time"

Paper: Karpathy, 2015, The unreasonable effectiveness of recurrent neural networks, and its char-rnn
Data: tinyshakespeare or any text; else the Zen of Python (announced and recorded)
Cost: 9 minutes on two cores beside other work
Expected: 1.596 +- 0.024 nats per character on the last tenth of the text, 3 seeds (a table of
  4-grams: 1.784; nanoGPT in 3 minutes on a CPU: 1.88); see results/char_rnn.md
"""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.characters import encode
from lecture_models.data.dataset import Dataset
from lecture_models.data.lookup import Library
from lecture_models.data.stream_batches import StreamBatches
from lecture_models.evaluators.text_cells import TrackingCell, text_properties, tracking_cells
from lecture_models.evaluators.token_model import Reading, read_tokens, write_tokens
from lecture_models.experiment import (
    Best,
    Cadence,
    DataTable,
    Evaluation,
    Experiment,
    Images,
)
from lecture_models.metrics.ngrams import ngram_nats
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

SHOWN = 2_000  # Characters in a colored picture.
READ = 20_000  # Characters of each held-out half on which cells are compared with the text.
MOST_NATS = 6.0  # Surprisal of the darkest paper.
NGRAMS = (1, 2, 3, 4, 5)
SHORT = 60  # Characters that are written after each single one.
# Nats per character on the last tenth of tinyshakespeare, which both repositories print.
PUBLISHED = (
    ("nanoGPT, transformer, CPU, 3 minutes", 1.88),
    ("nanoGPT, transformer, A100, 3 minutes", 1.4697),
)


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "tinyshakespeare,zen"  # Comma-separated names; the first available one is used.
    text: str = ""  # A file of your own, UTF-8 or gzip, which is read in place of --dataset.
    seed: int = 0
    batch_size: int = 32  # Streams that are read side by side.
    chunk: int = 64  # Characters through which gradients flow back; the state is carried further.
    num_steps: int = 4_000
    features: tuple[int, ...] = (256,)  # Of each recurrent layer.
    dropout: float = 0.1  # Of the outputs of each layer.
    learning_rate: float = 4e-3  # Adam's peak: a warmup, then a cosine to 0.
    clip_norm: float = 1.0  # The gradient's norm is cut to it; 0 for no clipping.
    char_rnn_schedule: bool = False  # RMSProp and char-rnn's decay in place of Adam and the cosine.
    prompt: str = ""  # What the samples continue; empty for the end of a line.
    sample_length: int = 500  # Characters of each sample.
    temperatures: tuple[float, ...] = (0.5, 0.8, 1.0)  # One sample each; 0 is the most probable.
    top_k: int = 5  # One more sample draws among so many characters; 0 for none.
    nucleus: float = 0.9  # One more sample draws among the most probable of this sum; 1 for none.
    one_to_many: bool = False  # Adds what is written after each single character of the text.
    log_every: int = 100
    eval_every: int = 2_000
    checkpoint_every: int = 500

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "features", "sample_length", *Cadence._fields)
        require_at_least(self, 2, "chunk")
        require_at_least(self, 0, "seed", "learning_rate", "clip_norm", "temperatures", "top_k")
        require_between(self, 0.0, 0.95, "dropout")
        require_between(self, 0.01, 1.0, "nucleus")
        if not (self.features and self.temperatures):
            raise ValueError("--features and --temperatures must each have at least one value")


# char-rnn's README and defaults for tinyshakespeare.
PAPER = {
    "batch_size": 50,
    "chunk": 50,
    "num_steps": 20_000,
    "features": (128, 128),
    "dropout": 0.0,
    "learning_rate": 2e-3,
    "clip_norm": 5.0,
    "char_rnn_schedule": True,
    "log_every": 100,
    "eval_every": 2_000,
    "checkpoint_every": 1_000,
}

PAPER_SOURCES = {
    "batch_size": "train.lua, -batch_size",
    "chunk": "train.lua, -seq_length",
    "num_steps": "train.lua, -max_epochs: 50 epochs, here of 400 chunks of 90% of the text",
    "features": "train.lua, -num_layers and -rnn_size",
    "dropout": "train.lua, -dropout",
    "learning_rate": "train.lua, -learning_rate",
    "clip_norm": "train.lua, -grad_clip, there for each element",
    "char_rnn_schedule": "train.lua: RMSProp, decay 0.95; 0.97 at each epoch from the 10th on",
}
PAPER_DEPARTURES = (
    ("each element of the gradient is cut to [-5, 5]", "the whole gradient's norm is cut to 5"),
    ("the text is split 95% and 5%", "90%, 5% and 5%, the same last tenth as in nanoGPT"),
    ("weights start uniform in [-0.08, 0.08]", "LeCun's and orthogonal kernels"),
    ("each epoch cuts the text at the same places", "at other places"),
)

SMOKE = {
    "dataset": "zen",
    "batch_size": 4,
    "chunk": 8,
    "num_steps": 12,
    "features": (8,),
    "sample_length": 12,
    "temperatures": (0.0, 0.8),
    "one_to_many": True,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def make_optimizer(config: Config, steps_per_epoch: int) -> optax.GradientTransformation:
    """Returns Adam with a cosine, or RMSProp with char-rnn's decay, after the clipping."""
    clip = clip_to_norm(config.clip_norm)
    if not config.char_rnn_schedule:
        return optax.chain(clip, optax.adam(warmup_cosine(config.learning_rate, config.num_steps)))
    schedule = optax.exponential_decay(
        config.learning_rate,
        transition_steps=steps_per_epoch,
        decay_rate=0.97,
        # The first factor comes at the end of the tenth epoch.
        transition_begin=9 * steps_per_epoch,
        staircase=True,
    )
    return optax.chain(clip, optax.rmsprop(schedule, decay=0.95))


def sampling_rules(config: Config) -> tuple[SamplingRule, ...]:
    rules = [SamplingRule(temperature) for temperature in config.temperatures]
    rules += [SamplingRule(1.0, top_k=config.top_k)] if config.top_k else []
    rules += [SamplingRule(1.0, nucleus=config.nucleus)] if config.nucleus < 1.0 else []
    return tuple(rules)


def write_samples(config: Config, model, params, parts: HeldOut, key) -> dict[str, str]:
    """Returns one text for each sampling rule, the prompt included."""
    prompt = config.prompt or ("\n" if "\n" in parts.vocabulary else parts.vocabulary[0])
    prompts = encode(prompt, parts.vocabulary)[None]
    samples = {}
    for number, rule in enumerate(sampling_rules(config)):
        rule_key = jax.random.fold_in(key, number)
        tokens = write_tokens(model, params, prompts, config.sample_length, rule, rule_key)
        samples[f"sample_{number}"] = f"[{rule.described}]\n{config.prompt}{parts.text(tokens[0])}"
    return samples


def one_to_many_table(model, params, parts: HeldOut, key) -> DataTable:
    """Returns what is written after each single character: one input, many outputs."""
    prompts = np.arange(len(parts.vocabulary), dtype=np.int32)[:, None]
    tokens = write_tokens(model, params, prompts, SHORT, SamplingRule(0.5), key)
    rows = tuple(
        (repr(character), repr(parts.text(row)))
        for character, row in zip(parts.vocabulary, tokens, strict=True)
    )
    return DataTable(("input", "outputs"), rows, "one to many: written after a single character")


def comparison_table(parts: HeldOut, nats: float, name: str) -> tuple[float, DataTable]:
    """Returns the nats of the 4-gram table, and the table of ours beside counting and published."""
    tokens = np.concatenate([parts.validation, parts.test])
    size = len(parts.vocabulary)
    counted = {n: ngram_nats(parts.before, tokens, size, n) for n in NGRAMS if n <= len(tokens)}
    rows = [("this network", nats), ("all characters equally probable", float(np.log(size)))]
    rows += [(f"{n}-gram table, 0.1 added to each count", value) for n, value in counted.items()]
    rows += [*PUBLISHED] if name == "tinyshakespeare" else []
    table = DataTable(("model", "nats per character"), tuple(rows), "on the last tenth of the text")
    return counted[4], table


def surprisal_picture(parts: HeldOut, reading: Reading) -> Images:
    text = parts.text(parts.validation[:SHOWN])
    values = reading.nats[:SHOWN] / MOST_NATS
    caption = (
        "held-out text; the darker the paper, the more surprising the character: white 0 nats, "
        f"orange {MOST_NATS:g} or more"
    )
    return Images(colored_text(text, values)[None], 1, caption)


def cell_pictures(
    parts: HeldOut, validation: Reading, test: Reading
) -> tuple[Evaluation, tuple[TrackingCell, ...]]:
    """Returns the pictures of the cells that follow the text best, and the cells."""
    read = [part[:READ] for part in (parts.validation, parts.test)]
    states = [reading.states[:READ] for reading in (validation, test)]
    texts = [parts.text(tokens) for tokens in read]
    cells = tracking_cells((states[0], texts[0]), (states[1], texts[1]))
    pictures: Evaluation = {}
    for rank, cell in enumerate(cells):
        begin = _densest(text_properties(texts[1])[cell.name])
        shown = slice(begin, begin + SHOWN // 2)
        caption = (
            f'cell {cell.feature} (blue -1, orange 1) beside "{cell.name}": correlation '
            f"{cell.correlation:.2f} on text where it was not chosen"
        )
        picture = colored_text(texts[1][shown], states[1][shown, cell.feature])
        pictures[f"cell_{rank}"] = Images(picture[None], 1, caption)
    return pictures, cells


def _densest(values: np.ndarray) -> int:
    """Returns where the stretch of a picture begins in which a property varies most."""
    begins = range(0, max(len(values) - SHOWN // 2, 1), 100)
    return max(begins, key=lambda begin: float(values[begin : begin + SHOWN // 2].std()))


def make_evaluate(
    config: Config, dataset: Dataset, model: TokenRNN
) -> Callable[[CarriedState, Key[Array, ""]], Evaluation]:
    parts, name = held_out(dataset, config.dataset), dataset.provenance.dataset

    def evaluate(state, key):
        params = state.network.params
        sample_key, short_key = jax.random.split(key)
        validation = read_tokens(model, params, parts.before, parts.validation, keep_states=True)
        before_test = np.concatenate([parts.before[-READ:], parts.validation])
        test = read_tokens(model, params, before_test, parts.test, keep_states=True)
        nats = float(np.concatenate([validation.nats, test.nats]).mean())
        counted, table = comparison_table(parts, nats, name)
        pictures, cells = cell_pictures(parts, validation, test)
        results: Evaluation = {
            "validation_nats": float(validation.nats.mean()),
            "test_nats": float(test.nats.mean()),
            "held_out_nats": nats,
            "four_gram_nats": counted,
            "surprisal": surprisal_picture(parts, validation),
            "comparison": table,
            "cells": "\n".join(
                f"cell {cell.feature:>4}, {cell.name:24} correlation "
                f"{cell.chosen:5.2f} where it was chosen, {cell.correlation:5.2f} elsewhere"
                for cell in cells
            ),
            **pictures,
            **write_samples(config, model, params, parts, sample_key),
        }
        if config.one_to_many:
            results["one_to_many"] = one_to_many_table(model, params, parts, short_key)
        return results

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    dataset = library.text("--text", config.text) if config.text else library.load(config.dataset)
    parts = held_out(dataset, config.dataset)
    encode(config.prompt, parts.vocabulary)  # Refuses what the text lacks before the training.
    model = TokenRNN(len(parts.vocabulary), config.features, dropout=config.dropout)
    batches = StreamBatches(parts.before, config.batch_size, config.chunk, config.seed)
    optimizer = make_optimizer(config, batches.steps_per_epoch)

    return Experiment(
        lambda key: init_characters(model, optimizer, config.batch_size, key),
        make_step(model, optimizer),
        make_evaluate(config, dataset, model),
        batches,
        Best("validation_nats", sign=-1.0),
        cadence_decides=(
            {} if config.char_rnn_schedule else {"num_steps": "the schedule of learning_rate"}
        ),
    )
