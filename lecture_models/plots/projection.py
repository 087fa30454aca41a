"""Draws the projection of a vector onto a plane in space, as the lecture's sketch shows it."""

import numpy as np
from jaxtyping import Array, Float, Float32

from lecture_models.plots.figure import new_figure, to_image

_TARGET, _PROJECTED, _RESIDUAL, _OTHER = "#1f77b4", "#2ca02c", "#d62728", "#7f7f7f"


def projection_plot(
    matrix: Float[Array | np.ndarray, "3 2"],
    target: Float[Array | np.ndarray, "3"],
    projected: Float[Array | np.ndarray, "3"],
    other: Float[Array | np.ndarray, "3"],
) -> Float32[np.ndarray, "side side 3"]:
    """Draws col(A) as a plane, b, its projection Pb, and another point v of the plane.

    The dashed lines are the sides of the right triangle of b, Pb and v.

    Args:
        matrix: the matrix A, whose columns span the plane.
        target: the vector b.
        projected: its projection Pb.
        other: the vector v in the plane.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.
    """
    target, projected, other = (
        np.asarray(vector, np.float64) for vector in (target, projected, other)
    )
    figure = new_figure()
    axes = figure.add_subplot(projection="3d", computed_zorder=False)
    reach = 1.25 * max(np.linalg.norm(projected), np.linalg.norm(other))
    across, along = np.meshgrid([-0.35 * reach, reach], [-0.35 * reach, reach])
    first = projected / np.linalg.norm(projected)
    second = other - (other @ first) * first
    second /= np.linalg.norm(second)
    corners = across[..., None] * first + along[..., None] * second
    axes.plot_surface(*corners.transpose(2, 0, 1), color="#cfe3f5", shade=False, zorder=0)
    for vector, color, name in (
        (target, _TARGET, "b"),
        (projected, _PROJECTED, "Pb"),
        (other, _OTHER, "v = Aw for any w"),
    ):
        axes.quiver(
            0.0, 0.0, 0.0, *vector, color=color, arrow_length_ratio=0.08, label=name, zorder=2
        )
    for first_end, second_end, color, name in (
        (target, projected, _RESIDUAL, "b - Pb, orthogonal to col(A)"),
        (other, projected, _OTHER, "v - Pb"),
        (other, target, _TARGET, "v - b, the longest side"),
    ):
        ends = np.stack([first_end, second_end])
        axes.plot(*ends.T, color=color, linestyle="--", linewidth=1.2, label=name, zorder=1)
    axes.text(*(0.8 * corners[-1, 0] + 0.2 * corners[0, -1]), "col(A)", fontsize=10)
    drawn = np.concatenate([corners.reshape(-1, 3), np.stack([target, projected, other])])
    axes.set_box_aspect(np.ptp(drawn, axis=0), zoom=1.45)
    normal = np.cross(first, second) * np.sign((target - projected) @ np.cross(first, second))
    # Seen from above the plane, so that b stands on it.
    view = normal * 0.45 - first * 0.2 - second * 0.8
    axes.view_init(
        elev=float(np.degrees(np.arcsin(view[2] / np.linalg.norm(view)))),
        azim=float(np.degrees(np.arctan2(view[1], view[0]))),
    )
    axes.set_axis_off()
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return to_image(figure)
