"""Computes the sections of the analysis of eigenfaces, each with its numbers and its pictures."""

import numpy as np

from lecture_models.experiment import Evaluation, Images
from lecture_models.linear.feature_space import squared_distances
from lecture_models.linear.pca import fit_pca, leading, project
from lecture_models.metrics.neighbors import nearest_neighbors
from lecture_models.metrics.reconstruction import originals_above
from lecture_models.models.eigenface_network import EigenfaceNetwork, eigenface_weights
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.faces import detection, face_pictures, occlusion, recognition
from lecture_models.tasks.faces.pictures import Faces, Gray, reduced, shown

SHOWN = 8  # Faces in a row.


def recognize(faces: Faces, count: int, draws: int, shrinkage: float, seed: int) -> Evaluation:
    """Recognizes people by both protocols, and by the network of three layers."""
    fits = {
        "eigenfaces": recognition.eigenfaces(count),
        "fisherfaces": recognition.fisherfaces(shrinkage),
    }
    halves = recognition.random_halves(fits, faces, draws, seed)
    fixed = recognition.fixed_halves(fits, faces)
    results: Evaluation = {}
    lines = [
        f"recognition of {len(faces.names)} people, {len(faces.people)} faces, {count} eigenfaces"
    ]
    for name, values in halves.items():
        first, last = fixed[name]
        results |= {
            f"{name}_accuracy": float(values.mean()),
            f"{name}_deviation": float(values.std(ddof=1)),
            f"{name}_first_half": first,
            f"{name}_last_half": last,
        }
        lines.append(
            f"{name:11} {draws} random halves {values.mean():.1%} +- {values.std(ddof=1):.1%}; "
            f"first half {first:.1%}, last half {last:.1%}"
        )
    train = recognition.draw_half(faces.people, np.random.default_rng(seed))
    pca = fit_pca(faces.vectors[train], int(train.sum()) - 1)
    test = faces.vectors[~train]
    kept = leading(pca, count)
    results |= _network(kept, faces, train)
    whole = np.cumsum(pca.variances) / pca.variances.sum()
    numbers = np.arange(1, len(whole) + 1)
    spectrum = line_plot(
        [Curve("share of the variance", numbers, whole)], ("eigenfaces", "share"), "spectrum"
    )
    steps = [step for step in (1, 5, 20, 50, count) if step <= count]
    return results | {
        "components_for_95_percent": float(np.searchsorted(whole, 0.95) + 1),
        "eigenfaces": face_pictures.eigenface_images(pca, faces.shape),
        "spectrum": Images(spectrum[None], 1, "variance that the first eigenfaces hold"),
        "reconstructions": face_pictures.reconstruction_images(
            pca, test[:: max(1, len(test) // SHOWN)][:SHOWN], faces.shape, sorted(set(steps))
        ),
        "recognition": "\n".join(lines),
    }


def _network(pca, faces: Faces, train: np.ndarray) -> Evaluation:
    """Compares the network of three layers with the matrices."""
    patterns = project(pca, faces.vectors[train])
    people, others = faces.people[train], faces.vectors[~train]
    network = EigenfaceNetwork(pca.components.shape[1], len(patterns), len(faces.names))
    weights = eigenface_weights(pca.mean, pca.components, patterns, people, len(faces.names))
    votes, _ = network.apply(weights, others)
    matrix = people[nearest_neighbors(project(pca, others), patterns).indices]
    return {"network_agreement": float((np.asarray(votes).argmax(axis=1) == matrix).mean())}


def compare_lights(faces: Faces, shrinkage: float, most: int) -> Evaluation:
    """Compares eigenfaces with Fisherfaces when the light changes, leaving one out."""
    fits = {
        "eigenfaces": recognition.eigenfaces(30),
        "eigenfaces_but_three": recognition.eigenfaces(30, omitted=3),
        "fisherfaces": recognition.fisherfaces(shrinkage),
    }
    wrong = recognition.leave_one_out_errors(fits, faces, most)
    errors = {f"lights_{name}_error": float(marks.mean()) for name, marks in wrong.items()}
    words = ", ".join(
        f"{name.removeprefix('lights_')} {error:.1%}" for name, error in errors.items()
    )
    missed = np.flatnonzero(wrong["eigenfaces"])[:SHOWN]
    results: Evaluation = errors | {
        "lights": f"people in several lights, {len(faces.people)} faces, leave one out: {words}"
    }
    if len(missed):
        results["lights_missed"] = Images(
            shown(faces.pixels[missed]), SHOWN, "faces that eigenfaces do not recognize"
        )
    return results


def tell_apart(
    pixels: Gray, labels: np.ndarray, photos: Gray, counts: tuple[int, ...], seed: int
) -> Evaluation:
    """Tells faces from other patches, raw and standardized, over the number of eigenfaces."""
    patches = detection.divide(pixels, labels, photos, seed)
    results: Evaluation = {}
    curves, lines = [], ["face or not, area under the ROC curve"]
    for color, name in enumerate(detection.PREPARATIONS):
        rows = detection.curve(patches, name, counts)
        best = int(np.argmax(rows["chosen"]))
        results |= {
            f"{name}_components": float(counts[best]),
            f"{name}_auc": rows["held_out"][best],
            f"{name}_auc_test": rows["test"][best],
            f"{name}_auc_photos": rows["photos"][best],
        }
        results |= {
            f"{name}_auc_at_{count}": area
            for count, area in zip(counts, rows["held_out"], strict=True)
        }
        lines.append(
            f"{name:12} {counts[best]:>3} eigenfaces chosen: {rows['held_out'][best]:.3f} on all "
            f"held-out patches, {rows['test'][best]:.3f} on those not used to choose, "
            f"{rows['photos'][best]:.3f} against photos"
        )
        for kind, style in (("held_out", "-"), ("photos", "--")):
            words = "other patches" if kind == "held_out" else "photos"
            curves.append(
                Curve(f"{name}, {words}", np.array(counts), np.array(rows[kind]), color, style, "o")
            )
    plot = line_plot(curves, ("eigenfaces", "area under the ROC curve"), logarithmic="x")
    results["detection_curve"] = Images(plot[None], 1, "faces against other patches and photos")
    return results | {"detection": "\n".join(lines)} | _slide_distances(patches, max(counts))


def _slide_distances(patches: detection.Patches, count: int) -> Evaluation:
    """Prints distances in the form of the lecture: two training faces, then something else."""
    pca = fit_pca(patches.train, count)
    rows = np.concatenate([patches.train[:2], patches.test_others[:1]])
    side = round(np.sqrt(rows.shape[1]))
    values = squared_distances(pca, rows) * 255.0**2
    words = " / ".join(f"{value:,.1f}" for value in values)
    return {
        "slide_ratio": float(values[2] / max(values[:2].max(), 1e-9)),
        "slide": f"squared distances from face space, raw gray levels 0 to 255, {count} "
        f"eigenfaces: training face, training face, other patch: {words}",
        "slide_patches": Images(shown(rows.reshape(3, side, side)), 3, f"distances {words}"),
    }


def restore_hidden(
    faces: Faces, count: int, shares: tuple[float, ...], most: int, seed: int
) -> Evaluation:
    """Restores hidden rectangles of held-out faces, by two protocols.

    In the first one, other pictures of the same people are for training: a random half. In the
    second one, half of the people are.
    """
    generator = np.random.default_rng(seed)
    small = reduced(faces, min(56, faces.shape[0]))
    people = generator.permutation(len(small.names))[: len(small.names) // 2]
    protocols = {
        "known": ("known people", recognition.draw_half(small.people, generator)),
        "new": ("new people", np.isin(small.people, people)),
    }
    results: Evaluation = {}
    lines, curves = [], []
    for name, (words, train) in protocols.items():
        test = generator.permutation(np.flatnonzero(~train))[:most]
        model = occlusion.fit_model(small.vectors[train], count)
        table = occlusion.table(model, small.vectors[test], small.shape, shares, generator)
        lines.append(f"{words}, PSNR in the hole at {', '.join(f'{s:.0%}' for s in shares)}")
        for number, (method, values) in enumerate(table.scores.items()):
            key = f"hole_{name}_{method.replace(', ', '_').replace(' ', '_')}"
            results |= {
                f"{key}_{round(100 * share)}": value
                for share, value in zip(shares, values, strict=True)
            }
            lines.append(f"{method:15} {' '.join(f'{value:5.1f}' for value in values)}")
            curves.append(
                Curve(
                    method if name == "known" else "",
                    np.array(shares),
                    np.array(values),
                    number,
                    "-" if name == "known" else "--",
                    "o",
                )
            )
        lines.append(f"hidden pixels found, IoU {' '.join(f'{x:.2f}' for x in table.overlaps)}")
        results |= {
            f"hole_{name}_found_{round(100 * share)}": value
            for share, value in zip(shares, table.overlaps, strict=True)
        }
        columns = min(SHOWN, len(test))
        rows = [shown(np.reshape(row[:columns], (-1, *small.shape))) for row in table.shown]
        results[f"holes_{name}"] = Images(
            originals_above(*rows, columns=columns),
            columns,
            f"faces of {words}; hidden; from above: mean filled in and projected; masked with a "
            "prior; robust, told nothing",
        )
    plot = line_plot(
        curves, ("hidden share", "PSNR in the hole, dB"), "dashed: new people", limits=(5.0, 26.0)
    )
    results["hole_curve"] = Images(plot[None], 1, "quality of the restored part")
    return results | {"occlusion": "\n".join(lines)}
