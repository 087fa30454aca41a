"""Translates names in the records of older runs into today's names.

Whoever renames an experiment, a field of a Config or a metric adds the old name here, so that older
runs can still be read, resumed and reproduced.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lecture_models.config import did_you_mean

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
        "randomised_shares": "randomized_shares",
    },
    "attribution": {"target": "targets"},
    "deep_dream": {"image": "images"},
    "feature_inversion": {"image": "images"},
    "gan_mnist": {"sgd": "momentum_sgd"},
    "sentiment": {"table": "csv"},
    "lenet_mnist": {"sgd": "plain_sgd"},
    "denoising_ae_mnist": {"sgd": "constant_rate_sgd"},
    "encoder_finetune_mnist": {"sgd": "constant_rate_sgd"},
}
# Fields by their old names, by experiment, that had one value and now have a tuple of values; an
# empty text is now an empty tuple.
BECAME_TUPLES = {
    "attribution": ("target",),
    "deep_dream": ("image",),
    "feature_inversion": ("image",),
}
METRICS = {
    "deletion_centre": "deletion_center",
    "insertion_centre": "insertion_center",
    "pointing_centre": "pointing_center",
    "neighbours_kept": "neighbors_kept",
    "memorisation_ratio": "memorization_ratio",
    "memorisation": "memorization",
    "negative_bound": "negative_elbo",
    "validation_negative_bound": "validation_negative_elbo",
    "negative_bound_1": "negative_importance_weighted_elbo_1",
    "negative_bound_5": "negative_importance_weighted_elbo_5",
    "negative_bound_50": "negative_importance_weighted_elbo_50",
    "divergence": "kl_divergence",
    "divergence_by_unit": "kl_divergence_by_unit",
    "aggregate_divergence": "aggregate_kl_divergence",
    "class_divergence": "class_kl_divergence",
    "autoencoder_code_divergence": "autoencoder_code_kl_divergence",
    "code_divergence": "code_kl_divergence",
}
# Whole comma-separated words in values of the config, such as names of networks.
WORDS = {"vgg19_normalised": "vgg19_normalized"}


def current_experiment(name: str) -> str:
    """Returns today's name of an experiment."""
    return EXPERIMENTS.get(name, name)


def current_config(experiment: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a recorded config with today's names of fields and networks, and today's types."""
    experiment = current_experiment(experiment)
    fields = FIELDS[""] | FIELDS.get(experiment, {})
    became_tuples = BECAME_TUPLES.get(experiment, ())
    return {
        fields.get(name, name): _current_value(
            [value] * (value != "") if name in became_tuples else value
        )
        for name, value in config.items()
    }


def current_metric(name: str) -> str:
    """Returns today's name of a metric, with the same prefix, such as `eval/`."""
    group, slash, bare = name.rpartition("/")
    return f"{group}{slash}{METRICS.get(bare, bare)}"


def current_source(source: Any) -> Any:
    """Returns the record of a data set, or of weights, with today's name."""
    if not isinstance(source, dict) or not isinstance(source.get("dataset"), str):
        return source
    words = source["dataset"].split(" ")  # The name of weights is `weights NETWORK`.
    return source | {"dataset": " ".join(WORDS.get(word, word) for word in words)}


def current_name(name: str, known: Iterable[str]) -> str | None:
    """Returns today's name of an old experiment, field or metric; None if the name is not old.

    Args:
        name: a name that a user typed. A negated flag, such as `nosgd`, counts as its field.
        known: the names that exist today. Fields of different experiments may have had one name;
            the first new name that is known is returned.
    """
    names = set(known)
    group, slash, bare = name.rpartition("/")
    for negation in ("", "no"):
        old = bare.removeprefix(negation)
        for renamed in (EXPERIMENTS, METRICS, *FIELDS.values()):
            current = f"{group}{slash}{renamed.get(old)}"
            if old in renamed and current in names:
                return current
    return None


def name_hint(name: str, known: Iterable[str]) -> str:
    """Returns the end of an error message: today's name of an old name, else the nearest name."""
    current = current_name(name, known := set(known))
    return f"; it is now {current!r}." if current else did_you_mean(name, known)


def _current_value(value: Any) -> Any:
    if isinstance(value, str):
        return ",".join(WORDS.get(word, word) for word in value.split(","))
    if isinstance(value, list | tuple):
        return [_current_value(element) for element in value]
    return value
