"""Image captions: an LSTM describes photos, and looks at a part of the photo for each word.

    python launch.py --experiment=captioning
    python launch.py --experiment=captioning --images=my_photo.jpg
    python launch.py --experiment=captioning --attention_features=0    # one vector for the photo

Paper: Vinyals et al., 2015, Show and tell; Xu et al., 2015, Show, attend and tell
Data: Flickr8k, 1,000 of its 8,091 photos; else made pictures of shapes (announced and recorded)
Cost: 4 minutes on two cores beside other work
Expected: BLEU-4 16.4 +- 1.1 of test photos, five references, 3 seeds (most similar photo: 7.3); see
  results/captioning.md
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError, Split
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.data.ragged_batches import Batch, RaggedBatches, ragged_batches
from lecture_models.evaluators.captions import (
    Grids,
    attend,
    baselines,
    describe,
    number_captions,
    rank_pictures,
    shuffled,
)
from lecture_models.evaluators.word_writing import shifted, written_vocabulary
from lecture_models.experiment import Best, Cadence, DataTable, Evaluation, Experiment, Images
from lecture_models.losses.token_likelihood import smoothed_nats
from lecture_models.metrics.translation_scores import TextScores, score_texts
from lecture_models.models.captioner import Captioner
from lecture_models.nn.recurrent import length_mask
from lecture_models.plots.word_maps import word_maps
from lecture_models.steps.descent import (
    Params,
    TrainState,
    clip_to_norm,
    descend,
    init_train_state,
    warmup_cosine,
)
from lecture_models.tasks.codes import (
    LayerReader,
    feature_grids,
    input_side,
    make_layer_reader,
    resizing_network,
)
from lecture_models.tasks.layers import cam_layer, layer_shapes
from lecture_models.weights.network import Pretrained
from lecture_models.weights.pretrained import Weights

SHOWN = 6  # Pictures whose words are drawn.
TOLD = 30  # Pictures in the table of captions.
ORDERS = (1, 2, 3, 4)
RANK = 10


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "flickr8k,made_scenes"
    model: str = "googlenet_bvlc,untrained"  # The network whose features are described; likewise.
    layer: str = ""  # Of that network; empty for its last one with rows and columns.
    images: tuple[str, ...] = ()  # Your own pictures, to describe when the training is over.
    seed: int = 0
    batch_size: int = 32  # Captions.
    num_steps: int = 800  # 6 epochs of Flickr8k's 800 photos: more lower BLEU on validation.
    least_count: int = 3  # Training captions must have a word as often; others are unknown.
    annotation_features: int = 256  # To which the features of each place are reduced.
    embedding: int = 128  # Elements of a word's vector.
    features: int = 256  # Of the LSTM.
    attention_features: int = 128  # Of the attention's hidden layer; 0 for no attention.
    readout: int = 128  # Features before the logits; 0 for no layer.
    dropout: float = 0.5  # Of the places' features, the words' vectors and the readout.
    label_smoothing: float = 0.1  # Share of each target that is spread over all words.
    learning_rate: float = 2e-3  # Adam's peak: a warmup, then a cosine to 0.
    clip_norm: float = 1.0  # The gradient's norm is cut to it; 0 for no clipping.
    beam: int = 4  # Captions kept in the search.
    length_penalty: float = 1.0  # Exponent of the length by which the search divides ln p.
    candidates: int = 200  # Training captions among which the best constant one is chosen.
    feature_batch: int = 16  # Pictures at once in the network whose features are described.
    log_every: int = 100
    eval_every: int = 400
    checkpoint_every: int = 400

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "least_count", "annotation_features", "embedding")
        require_at_least(self, 1, "features", "beam", "feature_batch", "candidates")
        require_at_least(self, 1, *Cadence._fields)
        require_at_least(self, 0, "seed", "attention_features", "readout", "length_penalty")
        require_at_least(self, 0, "learning_rate", "clip_norm")
        require_between(self, 0.0, 0.95, "dropout")
        require_between(self, 0.0, 0.95, "label_smoothing")


SMOKE = {
    "dataset": "made_scenes",
    "model": "untrained",
    "batch_size": 64,
    "num_steps": 6,
    "annotation_features": 4,
    "embedding": 4,
    "features": 4,
    "attention_features": 3,
    "readout": 4,
    "beam": 2,
    "candidates": 5,
    "feature_batch": 50,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 2,
}


class Described(NamedTuple):
    """Holds the pictures of a split: their features, pixels and captions."""

    grids: Grids
    pixels: np.ndarray
    captions: list[tuple[str, ...]]


class Album(NamedTuple):
    """Holds the pictures of all splits, the user's own, and the words of the captions."""

    train: Described
    validation: Described
    test: Described
    own: Described
    vocabulary: tuple[str, ...]
    places: tuple[int, int]


class CaptionBatches(NamedTuple):
    """Draws batches of captions, each with the features of its picture."""

    captions: RaggedBatches
    grids: Grids

    def __call__(self, first_step: int) -> Iterator[Batch]:
        for batch in self.captions(first_step):
            yield batch | {"grids": self.grids[batch["picture"]].astype(np.float32)}


def make_album(config: Config, library: Library, network: Pretrained, reader: LayerReader) -> Album:
    dataset = library.load(config.dataset)
    if "captions" not in dataset.train.arrays:
        raise DataError(f"--dataset={config.dataset} has no pictures with captions")
    own = library.pictures(config.images, reader.side) if config.images else []

    def described(pixels: np.ndarray, captions: list[tuple[str, ...]]) -> Described:
        grids = np.zeros((0, reader.shape[0] * reader.shape[1], reader.shape[2]), np.float16)
        if len(pixels):
            grids = feature_grids(network, reader, pixels, config.feature_batch)
        return Described(grids, pixels, captions)

    def of_split(split: Split) -> Described:
        return described(split["pixels"], list(split["captions"]))

    train = of_split(dataset.train)
    texts = [text for captions in train.captions for text in captions]
    return Album(
        train,
        of_split(dataset.validation),
        of_split(dataset.test),
        described(np.array([file.pixels for file in own], np.uint8), []),
        written_vocabulary(texts, config.least_count),
        reader.shape[:2],
    )


def make_batches(config: Config, album: Album) -> CaptionBatches:
    captions = album.train.captions
    split = Split(
        {
            "target": number_captions(
                [text for texts in captions for text in texts], album.vocabulary
            ),
            "picture": np.repeat(np.arange(len(captions)), [len(texts) for texts in captions]),
        }
    )
    return CaptionBatches(ragged_batches(split, config.batch_size, config.seed), album.train.grids)


def make_step(config: Config, model: Captioner, optimizer: optax.GradientTransformation):
    def step(state: TrainState, batch, key):
        target = batch["target"]
        # The repeats that fill a batch have the weight 0.
        counted = batch["weights"][:, None] * length_mask(batch["target_lengths"], target.shape[1])

        def loss(params):
            logits, _ = model.apply(
                {"params": params}, batch["grids"], shifted(target), True, rngs={"dropout": key}
            )
            nats, smoothed = smoothed_nats(logits, target, config.label_smoothing)
            total = counted.sum()
            return (counted * smoothed).sum() / total, {"nats": (counted * nats).sum() / total}

        return descend(optimizer, state, loss)

    return step


def score(captions: list[str], described: Described) -> TextScores:
    return score_texts(captions, described.captions)


def pictures_of_words(
    model: Captioner, params: Params, album: Album, described: Described, captions: list[str]
) -> Evaluation:
    """Draws where the network looked for each word of the captions of the first pictures."""
    shown = captions[:SHOWN]
    if not (model.attention_features and shown):
        return {}
    weights = attend(model, params, album.vocabulary, described.grids[:SHOWN], shown)
    images = images_from_uint8(described.pixels[:SHOWN])
    maps = [
        word_maps(
            image,
            caption.split()[: len(places)],
            places.reshape(-1, *album.places),
        )
        for image, caption, places in zip(images, shown, weights, strict=True)
    ]
    caption = "the picture, and where the network looked for each word: bright places count"
    return {"attention": Images(np.stack(maps), min(3, len(maps)), caption)}


def comparison(rows: dict[str, TextScores]) -> DataTable:
    """Returns BLEU-1 to BLEU-4 of ways to describe the test pictures."""
    signature = next(iter(rows.values())).signature
    return DataTable(
        ("captions", *(f"BLEU-{order}" for order in ORDERS), "brevity penalty"),
        tuple(
            (name, *map(found.bleu_of_order, ORDERS), found.brevity_penalty)
            for name, found in rows.items()
        ),
        f"test pictures with all their reference captions; {signature}",
    )


def test_results(config: Config, model: Captioner, params: Params, album: Album, key) -> Evaluation:
    """Returns what is said about the test pictures, after the last step alone."""
    test, words = album.test, album.vocabulary
    greedy = describe(model, params, words, test.grids)
    best = describe(model, params, words, test.grids, config.beam, config.length_penalty)
    other = test.grids[shuffled(len(test.grids), key)]
    blind = describe(model, params, words, other, config.beam, config.length_penalty)
    simple = baselines(
        test.grids,
        album.train.grids,
        album.train.captions,
        config.candidates,
        np.random.default_rng(config.seed),
    )
    rows = {
        f"this network, beam of {config.beam}": score(best, test),
        "this network, greedy": score(greedy, test),
        "this network, shown another picture": score(blind, test),
        "the caption of the most similar training picture": score(simple.nearest, test),
        f"always: {simple.constant}": score([simple.constant] * len(best), test),
    }
    searched, _, mistaken, nearest, constant = rows.values()
    ranks = rank_pictures(model, params, words, test.grids, [texts[0] for texts in test.captions])
    return {
        **{f"test_bleu_{order}": searched.bleu_of_order(order) for order in ORDERS},
        "test_greedy_bleu_4": rows["this network, greedy"].bleu,
        "shuffled_bleu_4": mistaken.bleu,
        "nearest_bleu_4": nearest.bleu,
        "constant_bleu_4": constant.bleu,
        f"ranked_in_first_{RANK}_percent": 100.0 * float((ranks <= RANK).mean()),
        "median_rank": float(np.median(ranks)),
        "comparison": comparison(rows),
        "captions": DataTable(
            ("caption", "a reference"),
            tuple(
                (caption, texts[0])
                for caption, texts in zip(best[:TOLD], test.captions, strict=False)
            ),
            "the first test pictures",
        ),
        "alarm_blind": (
            ""
            if searched.bleu > mistaken.bleu
            else "captions suit other pictures as well as their own"
        ),
        **pictures_of_words(model, params, album, test, best),
    }


def own_results(config: Config, model: Captioner, params: Params, album: Album) -> Evaluation:
    """Returns the captions of the user's own pictures."""
    if not len(album.own.pixels):
        return {}
    captions = describe(
        model, params, album.vocabulary, album.own.grids, config.beam, config.length_penalty
    )
    drawn = pictures_of_words(model, params, album, album.own, captions)
    return {"own_captions": "\n".join(captions)} | {f"own_{k}": v for k, v in drawn.items()}


def make_evaluate(
    config: Config, model: Captioner, album: Album, alarm: str
) -> Callable[[TrainState, Key[Array, ""]], Evaluation]:
    def evaluate(state, key):
        params = state.params
        captions = describe(model, params, album.vocabulary, album.validation.grids)
        found = score(captions, album.validation)
        results: Evaluation = {
            "validation_bleu_4": found.bleu,
            "validation_bleu_1": found.bleu_of_order(1),
            "examples": "\n".join(captions[:TOLD]),
            "alarm_network": alarm,
            **own_results(config, model, params, album),
        }
        _, (adam, *_) = state.optimizer_state
        if int(adam.count) < config.num_steps:  # Adam counts its steps.
            return results | pictures_of_words(model, params, album, album.validation, captions)
        return results | test_results(config, model, params, album, key)

    return evaluate


def make_reader(config: Config, network: Pretrained) -> LayerReader:
    """Returns the reader of the layer that was named, or of the last one with rows and columns."""
    side = input_side(network, 0)
    shapes = layer_shapes(resizing_network(network, side), network, (side, side))
    reader = make_layer_reader(network, config.layer or cam_layer(shapes, ""), side)
    if len(reader.shape) != 3:
        raise DataError(f"--layer={config.layer} has no rows and columns; name another one")
    return reader


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the weights.
    network = weights.load(config.model)
    album = make_album(config, library, network, make_reader(config, network))
    model = Captioner(
        len(album.vocabulary),
        config.annotation_features,
        config.embedding,
        config.features,
        config.attention_features,
        config.readout,
        config.dropout,
    )
    clip = clip_to_norm(config.clip_norm)
    optimizer = optax.chain(clip, optax.adam(warmup_cosine(config.learning_rate, config.num_steps)))

    def init(key):
        grids = jnp.zeros((1, *album.train.grids.shape[1:]))
        variables = model.init(key, grids, jnp.ones((1, 2), jnp.int32))
        return init_train_state(optimizer, variables["params"])

    return Experiment(
        init,
        make_step(config, model, optimizer),
        make_evaluate(config, model, album, network.alarm),
        make_batches(config, album),
        Best("validation_bleu_4"),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
