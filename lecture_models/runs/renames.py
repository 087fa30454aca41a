"""Translates names in the records of older runs into the names of today."""

from collections.abc import Mapping
from typing import Any

EXPERIMENTS = {
    "feature_neighbours": "feature_neighbors",
    "texture_nearest_neighbour": "texture_nearest_neighbor",
}
# By experiment; "" holds for every experiment.
FIELDS: dict[str, dict[str, str]] = {
    "": {
        "falls_at": "decay_at",
        "of_1998": "original_architecture",
        "static": "static_binarization",
        "memory": "history_size",
        "keep_colours": "keep_colors",
        "match_colours": "match_colors",
        "neighbours": "neighbors",
        "neighbourhood": "neighborhood",
        "grey": "gray",
    },
    "gan_mnist": {"sgd": "momentum_sgd"},
    "lenet_mnist": {"sgd": "plain_sgd"},
    "denoising_ae_mnist": {"sgd": "constant_rate_sgd"},
    "encoder_finetune_mnist": {"sgd": "constant_rate_sgd"},
}
METRICS = {
    "memorisation_ratio": "memorization_ratio",
    "neighbour_divergence": "neighbor_divergence",
}
# Whole comma-separated words in values of the config, such as names of networks.
WORDS = {"vgg19_normalised": "vgg19_normalized"}


def current_experiment(name: str) -> str:
    """Returns today's name of an experiment."""
    return EXPERIMENTS.get(name, name)


def current_config(experiment: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a recorded config with today's field names and today's names of networks."""
    fields = FIELDS[""] | FIELDS.get(current_experiment(experiment), {})
    return {fields.get(name, name): _current_value(value) for name, value in config.items()}


def current_metric(name: str) -> str:
    """Returns today's name of a metric; a prefix such as `eval/` is kept."""
    group, slash, bare = name.rpartition("/")
    return f"{group}{slash}{METRICS.get(bare, bare)}"


def _current_value(value: Any) -> Any:
    if isinstance(value, str):
        return ",".join(WORDS.get(word, word) for word in value.split(","))
    if isinstance(value, list | tuple):
        return [_current_value(element) for element in value]
    return value
