"""Actions in films: a convolutional network on each frame and an LSTM along the film.

    python launch.py --experiment=video_actions
    python launch.py --experiment=video_actions --dataset=moving_shapes --nomotion
    python launch.py --experiment=video_actions --films=FOLDER

Paper: Donahue et al., 2015, Long-term recurrent convolutional networks for visual recognition and
  description; the lecture's slide on video understanding
Data: four actions of nine people of the Weizmann Institute, or else made films of a moving shape
  (announced and recorded); --films=FOLDER takes yours, ACTION/PERSON.gif, videos or folders
Cost: 2 to 5 minutes on a busy machine
Expected: with each person left out in turn, all 36 clips are recognized; see
  results/video_actions.md
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset, joined
from lecture_models.data.labeled_batches import LabeledBatches
from lecture_models.data.lookup import Library
from lecture_models.experiment import (
    Animation,
    Cadence,
    DataTable,
    Evaluation,
    Experiment,
    Images,
    LabeledBox,
)
from lecture_models.models.video_classifier import AveragedFilm, RecurrentFilm
from lecture_models.nn.recurrent import length_mask
from lecture_models.plots.confusion import confusion_plot
from lecture_models.plots.overlay import draw_overlay
from lecture_models.plots.png import tile
from lecture_models.steps.descent import TrainState, descend, init_train_state
from lecture_models.tasks.film_folds import Judged, Network, accuracies, fold_losses, make_judge
from lecture_models.tasks.film_windows import (
    Windows,
    cut_windows,
    motion,
    rolled,
    shrink,
    shuffled,
    to_films,
)

SHOWN_S = 0.08  # Seconds for which a frame is shown.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "weizmann_actions,moving_shapes"
    films: str = ""  # Folder of your own films in place of --dataset: ACTION/PERSON.gif.
    seed: int = 0
    window: int = 16  # Frames that a network sees at a time; a film's windows vote.
    stride: int = 4  # Frames between the beginnings of windows.
    side: int = 32  # Side in pixels to which frames are reduced, a divisor of 64.
    motion: bool = True  # Shows the LSTM the change from frame to frame, not the frames.
    shift: int = 3  # At most so many pixels a training window is shifted.
    features: int = 64  # Of a frame, and of the LSTM.
    batch_size: int = 16  # Windows in a batch of each network.
    num_steps: int = 400
    learning_rate: float = 3e-3
    log_every: int = 20
    eval_every: int = 400
    checkpoint_every: int = 100

    def __post_init__(self):
        require_at_least(self, 1, "stride", "features", "batch_size", *Cadence._fields)
        require_at_least(self, 2, "window")
        require_at_least(self, 0, "seed", "shift", "learning_rate")
        if self.side not in (8, 16, 32, 64):
            raise ValueError(f"--side is {self.side}; it must be 8, 16, 32 or 64")


SMOKE = {
    "dataset": "moving_shapes",
    "window": 4,
    "stride": 20,
    "side": 8,
    "features": 4,
    "batch_size": 2,
    "num_steps": 4,
    "log_every": 1,
    "eval_every": 4,
    "checkpoint_every": 2,
}


def make_networks(config: Config, classes: int) -> tuple[Network, ...]:
    """Returns the LSTM, and the controls that know nothing of the order of frames."""
    recurrent = RecurrentFilm(classes, config.features)
    averaged = AveragedFilm(classes, config.features)
    change = motion if config.motion else lambda films: films
    seen = "changes" if config.motion else "frames"
    return (
        Network("lstm", f"LSTM on {seen}", recurrent, lambda key, films, mask: change(films)),
        Network(
            *("shuffled_lstm", f"LSTM on {seen} of shuffled frames", recurrent),
            lambda key, films, mask: change(shuffled(key, films, mask)),
        ),
        Network("mean", "mean over frames", averaged, lambda key, films, mask: films),
        Network(
            *("single", "single frame", averaged),
            lambda key, films, mask: shuffled(key, films, mask)[:, :1],
        ),
    )


def make_step(config: Config, networks: tuple[Network, ...], optimizer, people: int):
    """Returns the step of all networks, each with own weights for each person left out."""

    def step(state: TrainState, batch, key):
        roll_key, *keys = jax.random.split(key, 1 + len(networks))
        films = rolled(roll_key, to_films(batch["frames"]), config.shift)
        mask = length_mask(batch["lengths"], films.shape[1])

        def by_person(values: Array) -> Array:
            return values.reshape(people, -1, *values.shape[1:])

        lengths, labels = by_person(batch["lengths"]), by_person(batch["labels"])

        def loss(params):
            losses = {}
            for network, own_key in zip(networks, keys, strict=True):
                order_key, dropout_key = jax.random.split(own_key)
                seen = by_person(network.prepare(order_key, films, mask))
                losses[f"loss_{network.name}"] = fold_losses(
                    network, params[network.name], seen, lengths, labels, dropout_key
                )
            # Adam scales each weight separately, so the sum trains each network as if alone.
            total = sum(map(jnp.sum, losses.values()))
            return total, {name: values.mean() for name, values in losses.items()}

        return descend(optimizer, state, loss)

    return step


def fold_batches(windows: Windows, config: Config, people: int) -> LabeledBatches:
    """Returns batches that have one part for each person: windows of all others."""
    parts = []
    for person in range(people):
        others = np.flatnonzero(windows.people != person)
        size = min(config.batch_size, len(others))
        parts.append(ArrayBatches({"example": others}, size, config.seed + person))
    smallest = min(part.batch_size for part in parts)  # Stacked networks have equal batches.
    parts = [dataclasses.replace(part, batch_size=smallest) for part in parts]
    arrays = {"frames": windows.frames, "lengths": windows.lengths, "labels": windows.labels}
    return LabeledBatches(arrays, tuple(parts))


def running_films(config: Config, dataset: Dataset, everything, network: Network) -> Callable:
    """Returns what shows one film of each action with the prediction so far, of unseen people."""
    labels = everything.labels
    # A person for each action, so that several people are seen.
    chosen = []
    for label in np.unique(labels):
        films = np.flatnonzero(labels == label)
        chosen.append(int(films[(int(label) * max(1, len(films) // 4)) % len(films)]))
    small = shrink(everything["frames"], config.side)
    longest = int(max(small.lengths[film] for film in chosen))
    padded = small[np.array(chosen)].padded(longest)
    lengths = small.lengths[np.array(chosen)].astype(np.int32)
    owners = everything["people"][np.array(chosen)]

    @jax.jit
    def predict(params, key, frames, length):
        films = to_films(frames[None])
        mask = length_mask(length[None], films.shape[1])
        seen = network.prepare(key, films, mask)
        return jax.nn.softmax(network.module.apply({"params": params}, seen, mask))[0]

    def show(params: Any, key: Key[Array, ""]) -> Animation:
        pictures, boxes = [], []
        for place, film in enumerate(chosen):
            own = jax.tree.map(lambda leaf, place=place: np.asarray(leaf)[owners[place]], params)
            own_key = jax.random.fold_in(key, place)
            running = np.asarray(predict(own, own_key, padded[place], lengths[place]))
            frames = everything["frames"][film]
            times = np.minimum(np.arange(longest), len(frames) - 1)
            pictures.append(frames[times].astype(np.float32)[..., None] / 127.5 - 1.0)
            edge = float(frames.shape[1]) - 1.0
            boxes += [
                (LabeledBox(1.0, 1.0, edge, edge, dataset.classes[row.argmax()], float(row.max())),)
                for row in running[times]
            ]
        drawn = draw_overlay(np.concatenate(pictures), tuple(boxes))
        shown = drawn.reshape(len(chosen), longest, *drawn.shape[1:]).swapaxes(0, 1)
        columns = min(len(chosen), 4)
        frames = [tile(sheet, columns) for sheet in shown]
        pixels = np.stack(frames).astype(np.float32) / 127.5 - 1.0
        names = ", ".join(dataset.classes)
        caption = f"films of people that the network never saw ({names}), and its answer so far"
        return Animation(pixels, SHOWN_S, caption)

    return show


def compare(networks, judged: dict[str, Judged], windows: Windows) -> Evaluation:
    """Returns the accuracies of all networks, in order and backward, as a table and metrics."""
    rows, results = [], {}
    for network in networks:
        found = judged[network.name]
        of_windows, of_films, _ = accuracies(found.in_order, windows)
        backward_windows, backward_films, _ = accuracies(found.backward, windows)
        results |= {
            f"{network.name}_window_accuracy": of_windows,
            f"{network.name}_film_accuracy": of_films,
            f"{network.name}_backward_film_accuracy": backward_films,
        }
        rows.append((network.words, of_windows, of_films, backward_windows, backward_films))
    columns = ("network", "windows", "films", "windows backward", "films backward")
    caption = "accuracy in percent, each person left out in turn; backward: films from end to start"
    return results | {"accuracies": DataTable(columns, tuple(rows), caption)}


def by_person(judged: Judged, windows: Windows, people: tuple[str, ...]) -> DataTable:
    """Returns the LSTM's accuracies for each person left out."""
    rows = []
    for person, name in enumerate(people):
        own = windows.people == person
        part = Windows(*(values[own] for values in windows))
        rows.append((name, *accuracies(judged.in_order[own], part)[:2], len(np.unique(part.films))))
    columns = ("person left out", "windows", "films", "number of films")
    return DataTable(columns, tuple(rows), "accuracy of the LSTM in percent")


def confusion_picture(judged: Judged, windows: Windows, classes: tuple[str, ...]) -> Images:
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (windows.labels, judged.in_order.argmax(axis=1)), 1)
    picture = confusion_plot(counts, classes, "windows")
    return Images(picture[None], 1, "windows of people left out: true and predicted action")


def build(config: Config, library: Library) -> Experiment:
    dataset = (
        library.labeled_films("--films", config.films)
        if config.films
        else library.load(config.dataset)
    )
    everything = joined(joined(dataset.train, dataset.validation), dataset.test)
    people = dataset.vocabularies["people"]
    windows = cut_windows(everything, config.side, config.window, config.stride)
    networks = make_networks(config, len(dataset.classes))
    batches = fold_batches(windows, config, len(people))
    optimizer = optax.adam(optax.cosine_decay_schedule(config.learning_rate, config.num_steps))

    def init(key):
        frames = jnp.zeros((1, config.window, config.side, config.side, 1))
        params = {}
        for place, network in enumerate(networks):
            keys = jax.random.split(jax.random.fold_in(key, place), len(people))
            mask = jnp.ones((1, config.window), bool)
            start = functools.partial(network.module.init, films=frames, mask=mask)
            params[network.name] = jax.vmap(start)(keys)["params"]
        return init_train_state(optimizer, params)

    judges = {network.name: make_judge(network, windows, len(people)) for network in networks}
    show = running_films(config, dataset, everything, networks[0])

    def evaluate(state, key) -> Evaluation:
        show_key, *keys = jax.random.split(key, 1 + len(networks))
        judged = {
            network.name: judges[network.name](state.params[network.name], own_key)
            for network, own_key in zip(networks, keys, strict=True)
        }
        first = judged[networks[0].name]
        return {
            **compare(networks, judged, windows),
            "people": by_person(first, windows, people),
            "confusion": confusion_picture(first, windows, dataset.classes),
            "running": show(state.params[networks[0].name], show_key),
        }

    return Experiment(
        init,
        make_step(config, networks, optimizer, len(people)),
        evaluate,
        batches,
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
