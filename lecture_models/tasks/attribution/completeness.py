"""Checks the methods whose maps must add up: integrated gradients and relevance propagation."""

from collections.abc import Sequence

import numpy as np

from lecture_models.attribution.gradients import convergence_delta
from lecture_models.experiment import Evaluation
from lecture_models.tasks.attribution.functions import (
    AttributionFunctions,
    AttributionInputs,
    in_batches,
)
from lecture_models.tasks.attribution.methods import AttributionMaps, MethodSettings


def completeness(
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    found: AttributionMaps,
    settings: MethodSettings,
    labels: Sequence[str],
) -> Evaluation:
    """Returns what the maps add up to, beside what they should.

    Args:
        functions: the functions of the network.
        inputs: variables, images and targets that the maps were computed for.
        found: the maps; methods other than `integrated_gradients` and `lrp` are ignored.
        settings: the settings of the methods.
        labels: the picture and class of each map.

    Returns:
        A text for each of the two methods, and for each a mean over the maps in percent: of the
        absolute convergence delta, and of the share of the class score that reaches the pixels.
    """
    scores = in_batches(functions.scores, inputs, settings.batch_size).astype(np.float64)
    results: Evaluation = {}
    if "integrated_gradients" in found.raw:
        baselines = np.stack([settings.baseline(image) for image in inputs.images])
        at_baseline = in_batches(
            functions.scores, inputs._replace(images=baselines), settings.batch_size
        )
        maps = found.raw["integrated_gradients"]
        deltas = convergence_delta(maps, scores, at_baseline)
        lines = [
            f"{delta:8.2f} %   sum {total:9.4g}   {after:.4g} - {before:.4g} = "
            f"{after - before:.4g}   {label}"
            for delta, total, after, before, label in zip(
                deltas, _sums(maps), scores, at_baseline, labels, strict=True
            )
        ]
        title = (
            f"integrated gradients, {settings.integrated_steps} steps: convergence delta (the sum "
            "of a map less the score's difference from the baseline, in percent of that difference)"
        )
        results["integrated_gradients_convergence"] = "\n".join([title, *lines])
        results["integrated_gradients_delta_percent"] = float(np.mean(np.abs(deltas)))
    if "lrp" in found.raw:
        sums = _sums(found.raw["lrp"])
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = 100.0 * sums / scores
        lines = [
            f"{share:8.2f} %   sum {total:9.4g} of {score:.4g}   {label}"
            for share, total, score, label in zip(shares, sums, scores, labels, strict=True)
        ]
        title = (
            "LRP-epsilon: share of the class score that reaches the pixels; biases and the "
            "stabilizer have the rest"
        )
        results["lrp_conservation"] = "\n".join([title, *lines])
        results["lrp_conserved_percent"] = float(np.mean(shares))
    return results


def _sums(maps: np.ndarray) -> np.ndarray:
    return maps.sum(axis=(1, 2), dtype=np.float64)
