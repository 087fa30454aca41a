"""Evaluates classifiers that were adapted to another domain."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.data.digit_domains import Domain, LabeledPictures
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import DataTable, Evaluation, Images
from lecture_models.metrics.classification import batched_apply, confusion_matrix
from lecture_models.metrics.domain_distance import proxy_a_distance
from lecture_models.plots.confusion import confusion_plot
from lecture_models.plots.scatter import scatter_plot
from lecture_models.steps.adaptation import (
    ADDA,
    DANN,
    SOURCE_ONLY,
    TARGET_TRAINED,
    Adaptation,
    AdaptationState,
)
from lecture_models.tasks.plane import embed_tsne

BATCH_SIZE = 500
SHOWN = 30  # Pictures of each sheet.
WORDS = {
    SOURCE_ONLY: "source only",
    DANN: "DANN",
    ADDA: "ADDA",
    TARGET_TRAINED: "trained on the target",
}


class Named(NamedTuple):
    """Holds a domain and its name."""

    name: str
    domain: Domain


class Shown(NamedTuple):
    """Says how features are compared and drawn.

    Attributes:
        images: the number of images of each domain.
        iterations: the number of t-SNE's steps.
        seed: of t-SNE, and of the halves of the distance.
    """

    images: int
    iterations: int
    seed: int


class Judged(NamedTuple):
    """Holds what one network says of pictures."""

    logits: Float[np.ndarray, "image class"]
    features: Float[np.ndarray, "image feature"]


def make_evaluate(
    adaptation: Adaptation,
    prepare: Callable[[Array], Array],
    source: Named,
    target: Named,
    networks: tuple[str, ...],
    last_step: int,
    shown: Shown,
) -> Callable[[AdaptationState, Key[Array, ""]], Evaluation]:
    """Returns a function that evaluates all networks on both domains.

    Validation images are judged at each evaluation, test images only after the last step.

    Args:
        adaptation: the methods.
        prepare: maps bytes to what the networks take.
        source: the domain whose classes are known.
        target: the other domain.
        networks: the names of the methods that are compared.
        last_step: the number of the last step.
        shown: how features are compared.

    Returns:
        A function of (state, key), which returns accuracies in percent, the domains' distances,
        a table, and pictures.
    """

    @jax.jit
    def judge(params, pictures):
        features = adaptation.features(params, prepare(pictures))
        return Judged(adaptation.classify(params, features), features)

    def judge_all(state, part: LabeledPictures) -> dict[str, Judged]:
        size = min(BATCH_SIZE, len(part.labels))
        return {
            name: batched_apply(
                lambda pictures, name=name: judge(state.networks[name].params, pictures),
                part.pictures,
                size,
            )
            for name in networks
        }

    def evaluate(state, key):
        validation = judge_all(state, target.domain.validation)
        results = _accuracies(validation, target.domain.validation, "validation_target")
        results["alarm_adaptation"] = _alarm(results)
        if int(state.step) < last_step:
            return results
        of_target = judge_all(state, target.domain.test)
        of_source = judge_all(state, source.domain.test)
        results |= _accuracies(of_target, target.domain.test, "test_target")
        results |= _accuracies(of_source, source.domain.test, "test_source")
        results |= _distances(of_source, of_target, networks, shown)
        results["comparison"] = _comparison(results, networks, source.name, target.name)
        results |= _pictures(of_target, source, target)
        results |= _planes(of_source, of_target, source, target, shown)
        return results

    return evaluate


def _accuracies(judged: dict[str, Judged], part: LabeledPictures, split: str) -> dict[str, float]:
    """Returns each network's share of right answers, in percent."""
    return {
        f"{split}_accuracy_{name}": 100.0
        * float(np.mean(found.logits.argmax(axis=1) == part.labels))
        for name, found in judged.items()
    }


def _alarm(results: Evaluation) -> str:
    """Returns a warning where the adversary made the target worse, else an empty text."""
    before, after = (results[f"validation_target_accuracy_{name}"] for name in (SOURCE_ONLY, DANN))
    if after >= before:
        return ""
    return (
        f"DANN recognizes {after:.1f}% of the target's validation images; source only {before:.1f}%"
    )


def _distances(
    of_source: dict[str, Judged], of_target: dict[str, Judged], networks, shown: Shown
) -> dict[str, float]:
    """Returns the distance of both domains' features. ADDA has two networks for them."""
    results = {}
    for name in networks:
        own = of_source[SOURCE_ONLY if name == ADDA else name]
        parts = [found.features[: shown.images] for found in (own, of_target[name])]
        results[f"a_distance_{name}"] = proxy_a_distance(*parts, shown.seed)
    return results


def _comparison(results: Evaluation, networks, source: str, target: str) -> DataTable:
    rows = [
        (
            WORDS[name],
            results[f"test_source_accuracy_{name}"],
            results[f"test_target_accuracy_{name}"],
            results[f"a_distance_{name}"],
        )
        for name in networks
    ]
    columns = ("network", f"{source}, %", f"{target}, %", "A-distance")
    caption = (
        "share of test images that are recognized, and the distance of both domains' features, "
        "from 0 to 2"
    )
    return DataTable(columns, tuple(rows), caption)


def _pictures(of_target: dict[str, Judged], source: Named, target: Named) -> Evaluation:
    """Returns sheets of both domains, DANN's confusion, and what the adversary mended."""
    truth = target.domain.test.labels
    answers = {name: found.logits.argmax(axis=1) for name, found in of_target.items()}
    classes = target.domain.classes
    counts = confusion_matrix(truth, answers[DANN], len(classes))
    mended = np.flatnonzero((answers[SOURCE_ONLY] != truth) & (answers[DANN] == truth))[:SHOWN]
    words = ", ".join(
        f"{classes[answers[SOURCE_ONLY][k]]} to {classes[truth[k]]}" for k in mended[:10]
    )
    sheets = [
        Images(
            images_from_uint8(each.domain.train.pictures[:SHOWN]),
            10,
            f"training images of {each.name}",
        )
        for each in (source, target)
    ]
    return {
        "source_images": sheets[0],
        "target_images": sheets[1],
        "confusion": Images(
            confusion_plot(counts, classes)[None], 1, f"test images of {target.name}, by DANN"
        ),
        "mended": Images(
            images_from_uint8(target.domain.test.pictures[mended if len(mended) else slice(1)]),
            10,
            f"test images that source only takes for another class and DANN does not: "
            f"{words or 'none'}",
        ),
    }


def _planes(
    of_source: dict[str, Judged],
    of_target: dict[str, Judged],
    source: Named,
    target: Named,
    shown: Shown,
) -> Evaluation:
    """Returns t-SNE of the features of both domains, without and with the adversary."""
    labels = (source.domain.test.labels, target.domain.test.labels)
    of_classes = np.concatenate([each[: shown.images] for each in labels])
    sizes = [len(each[: shown.images]) for each in labels]
    of_domains = np.repeat([0, 1], sizes)
    plots = []
    for name in (SOURCE_ONLY, DANN):
        parts = [found[name].features[: shown.images] for found in (of_source, of_target)]
        perplexity = min(30.0, (len(of_domains) - 1) / 3.0)
        points = embed_tsne(
            np.concatenate(parts), perplexity, shown.iterations, 50, shown.seed
        ).points
        plots += [
            scatter_plot(points, of_domains, (source.name, target.name), title=WORDS[name]),
            scatter_plot(points, of_classes, source.domain.classes, title=WORDS[name]),
        ]
    return {
        "features": Images(
            np.stack(plots),
            2,
            "t-SNE of the features of test images; left by domain, right by class",
        )
    }
