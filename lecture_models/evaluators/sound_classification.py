"""Shows how a classifier hears sounds: pictures, players, and accuracy in noise."""

import numpy as np
from jaxtyping import Float32, Int

from lecture_models.data.labeled_sounds import RATE
from lecture_models.experiment import DataTable, Evaluation, Images, Sound
from lecture_models.metrics.classification import confusion_matrix
from lecture_models.nn.log_mel import Spectrum, log_mel
from lecture_models.plots.confusion import confusion_plot
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.plots.sound_plot import sound_plot

PLAYERS = 3  # Recordings of each kind that a report plays.


def sound_pictures(
    sounds: list[Float32[np.ndarray, " sample"]],
    titles: list[str],
    spectrum: Spectrum,
    caption: str,
) -> Images:
    """Draws sounds with their spectra.

    Args:
        sounds: the samples of each, at RATE.
        titles: what is written above each.
        spectrum: frames and bands.
        caption: the caption of the sheet.

    Returns:
        The pictures, three in a row.
    """
    pictures = []
    for samples, title in zip(sounds, titles, strict=True):
        features, _ = log_mel(samples[None], np.array([len(samples)]), spectrum)
        pictures.append(sound_plot(samples, np.asarray(features[0]), len(samples) / RATE, title))
    return Images(np.stack(pictures), 3, caption)


def players(
    sounds: list[Float32[np.ndarray, " sample"]], names: list[str], right: np.ndarray
) -> dict[str, Sound]:
    """Returns players of some recordings that were heard right, and of some that were not.

    Args:
        sounds: the samples of all, at RATE.
        names: what is written beside each.
        right: whether each was heard right.

    Returns:
        The players by name, `right_0` to `wrong_2`; wrong ones only as far as there are any.
    """
    results = {}
    for kind, chosen in (("right", np.flatnonzero(right)), ("wrong", np.flatnonzero(~right))):
        # Right ones from all parts of the data, which are sorted.
        places = np.linspace(0, len(chosen) - 1, min(PLAYERS, len(chosen))).astype(int)
        for place, number in enumerate(chosen[places]):
            results[f"{kind}_{place}"] = Sound(sounds[number], RATE, names[number])
    return results


def noise_curve(ratios: tuple[float, ...], accuracies: list[float], classes: int) -> Evaluation:
    """Shows the accuracy over the ratio of signal to noise.

    Args:
        ratios: in dB, ascending.
        accuracies: in percent, of each.
        classes: the number of classes.

    Returns:
        A plot and a table.
    """
    places = np.array(ratios)
    curves = [
        Curve("this network", places, np.array(accuracies), 0, marker="o"),
        Curve("chance", places[[0, -1]], np.full(2, 100.0 / classes), 7, "--"),
    ]
    names = ("signal to noise, dB", "accuracy, %")
    caption = f"judged recordings with white noise added; none at {ratios[-1]:g} dB"
    return {
        "noise": Images(line_plot(curves, names, limits=(0.0, 100.0))[None], 1, caption),
        "noise_accuracies": DataTable(names, tuple(zip(ratios, accuracies, strict=True)), caption),
    }


def confusion_picture(
    labels: Int[np.ndarray, " sound"],
    predictions: Int[np.ndarray, " sound"],
    classes: tuple[str, ...],
) -> Images:
    """Draws the confusion matrix of sounds.

    Args:
        labels: the true classes.
        predictions: the classes that a network names.
        classes: their names.

    Returns:
        The picture.
    """
    counts = confusion_matrix(labels, predictions, len(classes))
    picture = confusion_plot(counts, classes, "recordings")
    return Images(picture[None], 1, "judged recordings: rows are what is said, columns the answer")
