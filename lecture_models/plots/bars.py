"""Draws horizontal bars on a logarithmic axis."""

import numpy as np
from jaxtyping import Float32

from lecture_models.plots.figure import new_figure, to_image


def log_bars(
    values: dict[str, dict[str, float]], axis_name: str
) -> Float32[np.ndarray, "side side 3"]:
    """Draws a group of bars for each name, one bar for each measure, the first name on top.

    Args:
        values: by the name of a measure the positive values by name. A name may lack a measure.
        axis_name: the name of the axis, with its unit.

    Returns:
        RGB in [-1, 1].

    Raises:
        ValueError: there is no value, or one is not positive.
    """
    flat = [value for measure in values.values() for value in measure.values()]
    if not flat or min(flat) <= 0.0:
        raise ValueError(f"values are {flat}; there must be one or more, all above 0")
    names = list(dict.fromkeys(name for measure in values.values() for name in measure))
    figure = new_figure()
    axes = figure.subplots()
    height = 0.8 / len(values)
    for index, (measure, by_name) in enumerate(values.items()):
        places = [names.index(name) + (index + 0.5) * height - 0.4 for name in by_name]
        axes.barh(places, list(by_name.values()), height, label=measure, log=True)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(min(flat) / 2.0, max(flat) * 2.0)  # Bars of one length would fill the axis.
    axes.set_xlabel(axis_name)
    axes.legend(loc="lower right", fontsize="small")
    return to_image(figure)
