"""Dictionary learning on patches of faces, beside PCA and DCT at equal numbers of coefficients.

    python launch.py --experiment=dictionary_faces

Paper: Elad and Aharon, 2006, Image denoising via sparse and redundant representations; Mairal et
  al., 2009, Online dictionary learning for sparse coding
Data: ORL faces, or else drawn faces (announced and recorded); --images=FOLDER takes your people, a
  sub-folder each
Cost: four minutes on two busy cores (measured)
Expected: ten of 128 atoms leave 4.3e-4 +- 0.5e-4 of squared error a pixel on patches of other
  people, ten components 12.7e-4 +- 1.5e-4; half of the pixels filled in with 31.7 +- 0.8 dB; see
  results/dictionary_faces.md
"""

import dataclasses

import numpy as np

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.linear.sparse_coding import learn_dictionary
from lecture_models.models.filters import filter_pictures
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment
from lecture_models.tasks.faces import sparse_patches
from lecture_models.tasks.faces.pictures import Faces, collect_faces, reduced, shown

SHOWN = 6  # Faces in a row.
REPAIRING = ("learned", "pca_chosen", "dct")
WHOLE_HEIGHT = 28  # In pixels, of whole faces.
ENLARGED = 4  # Pixels on a side for one pixel of an atom.


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    images: tuple[str, ...] = ()  # Folders of your own faces, a sub-folder a person.
    # Comma-separated names of data sets; the first available one is used.
    dataset: str = "att_faces,synthetic_faces"
    side: int = 64  # Side in pixels to which your own faces are resized.
    patch: int = 8  # Side of a patch in pixels.
    atoms: int = 128  # Learned atoms; a patch of 8x8 has 64 dimensions.
    train_patches: int = 10_000  # Of people who are not tested.
    test_patches: int = 2_000  # Of other people.
    sparsities: tuple[int, ...] = (1, 2, 3, 5, 10)  # Numbers of coefficients of a patch.
    iterations: int = 300  # Mini-batches of 256 patches.
    missing: float = 0.5  # Share of the pixels that are missing.
    noise: float = 0.1  # Standard deviation of the noise; white is 1.
    alternations: int = 30  # Turns of codes and atoms, of the dictionary learned by turns.
    whole_atoms: int = 49  # Of the dictionary of whole faces; fewer where there are fewer faces.
    whole_sparsity: int = 10  # Coefficients of a whole face.
    repaired: int = 6  # Faces that are inpainted and denoised.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "patch", "atoms", "train_patches", "test_patches")
        require_at_least(self, 2, "whole_atoms", "alternations")
        require_at_least(self, 1, "sparsities", "iterations", "repaired", "whole_sparsity")
        if not 0.0 < self.missing < 1.0 or not 0.0 < self.noise <= 1.0:
            raise ValueError(
                f"--missing is {self.missing} and --noise {self.noise}; both must be above 0, "
                "--missing below 1 and --noise at most 1"
            )
        if not self.sparsities or max(self.sparsities) > min(self.atoms, self.patch**2):
            raise ValueError(
                f"--sparsities is {self.sparsities}; with patches of {self.patch**2} pixels and "
                f"{self.atoms} atoms there must be at least one number, and none above "
                f"{min(self.atoms, self.patch**2)}"
            )


SMOKE = {
    "dataset": "synthetic_faces",
    "patch": 4,
    "atoms": 20,
    "train_patches": 200,
    "test_patches": 50,
    "sparsities": (1, 3),
    "iterations": 3,
    "alternations": 2,
    "whole_atoms": 6,
    "whole_sparsity": 2,
    "repaired": 1,
}


def compare(config: Config, bases: dict, test: np.ndarray) -> Evaluation:
    """Compares bases at equal numbers of coefficients, on patches of other people."""
    results: Evaluation = {}
    curves, lines = [], ["mean squared error of held-out patches, white is 1, by coefficients"]
    for color, (name, basis) in enumerate(bases.items()):
        errors = []
        for count in config.sparsities:
            approximation = sparse_patches.approximate(basis, test, count)
            errors.append(float(((approximation - test) ** 2).mean()))
            results[f"{name}_error_{count}"] = errors[-1]
        curves.append(Curve(name, np.array(config.sparsities), np.array(errors), color, marker="o"))
        lines.append(f"{name:16} {' '.join(f'{error:.6f}' for error in errors)}")
    plot = line_plot(curves, ("coefficients", "mean squared error"), logarithmic="y")
    results["sparsity_curve"] = Images(plot[None], 1, "error over the number of coefficients")
    return results | {"sparse_coding": "\n".join(lines)}


def compare_whole(config: Config, faces: Faces, trains: np.ndarray) -> Evaluation:
    """Compares atoms with eigenfaces on whole faces of other people, in the two fair ways."""
    small = reduced(faces, min(WHOLE_HEIGHT, faces.shape[0]))
    count = min(config.whole_atoms, int(trains.sum()) - 1, small.vectors.shape[1] - 1)
    active = min(config.whole_sparsity, count)
    errors, atoms = sparse_patches.whole_errors(
        small.vectors[trains], small.vectors[~trains], count, active, config.seed
    )
    words = {
        "atoms": f"{active} of {count} atoms, chosen by each face",
        "pca_few": f"the first {active} eigenfaces",
        "pca_chosen": f"{active} of {count} eigenfaces, chosen by each face",
        "pca_all": f"all {count} eigenfaces",
    }
    lines = ["mean squared error of whole faces of other people, white is 1"]
    lines += [f"{errors[name]:.6f}  {text}" for name, text in words.items()]
    pictures = np.asarray(filter_pictures(atoms.T, (*small.shape, 1)))
    return {f"whole_{name}_error": value for name, value in errors.items()} | {
        "whole_faces": "\n".join(lines),
        "whole_atoms": Images(
            enlarged(pictures, 2), round(np.sqrt(len(pictures))), "atoms of whole faces"
        ),
    }


def enlarged(images: np.ndarray, factor: int) -> np.ndarray:
    """Returns images with each pixel repeated in both directions."""
    return images.repeat(factor, axis=1).repeat(factor, axis=2)


def repair(config: Config, bases: dict, faces: Faces, tests: np.ndarray) -> Evaluation:
    """Fills in missing pixels and removes noise, with each basis."""
    generator = np.random.default_rng(config.seed)
    chosen = faces.pixels[generator.permutation(tests)[: config.repaired]]
    visible = generator.random(chosen.shape) >= config.missing
    noisy = (chosen + config.noise * generator.normal(size=chosen.shape)).astype(np.float32)
    results: Evaluation = {}
    rows = {"missing": [shown(chosen), shown(chosen * visible)], "noise": [shown(noisy)]}
    lines = ["PSNR in dB: missing pixels, filled in; noise, removed"]
    lines.append(f"{'noisy':16} {'':6} {sparse_patches.mean_psnr(noisy, chosen):6.2f}")
    results["noisy_psnr"] = sparse_patches.mean_psnr(noisy, chosen)
    repairing = {name: basis for name, basis in bases.items() if name in REPAIRING}
    for name, basis in repairing.items():
        filled = np.stack(
            [
                sparse_patches.inpaint(basis, face, seen, config.patch)
                for face, seen in zip(chosen, visible, strict=True)
            ]
        )
        clean = np.stack(
            [sparse_patches.denoise(basis, face, config.noise, config.patch) for face in noisy]
        )
        values = [sparse_patches.mean_psnr(images, chosen) for images in (filled, clean)]
        results |= {f"{name}_inpainting_psnr": values[0], f"{name}_denoising_psnr": values[1]}
        rows["missing"].append(shown(filled))
        rows["noise"].append(shown(clean))
        lines.append(f"{name:16} {values[0]:6.2f} {values[1]:6.2f}")
    columns = min(SHOWN, len(chosen))
    names = ", ".join(repairing)
    for kind, images in rows.items():
        first = "faces; without the missing pixels" if kind == "missing" else "with noise"
        results[kind] = Images(
            np.concatenate([image[:columns] for image in images]),
            columns,
            f"{first}; restored with {names}",
        )
    return results | {"repair": "\n".join(lines)}


def build(config: Config, library: Library) -> Experiment:
    faces = collect_faces(library, config.images, config.dataset, config.side)
    if config.patch > min(faces.shape):
        raise DataError(f"--patch is {config.patch}; faces are {faces.shape[0]}x{faces.shape[1]}")

    def evaluate(state, key) -> Evaluation:
        generator = np.random.default_rng(config.seed)
        people = generator.permutation(len(faces.names))[: len(faces.names) // 2]
        trains = np.isin(faces.people, people)
        train = sparse_patches.draw_patches(
            faces.pixels[trains], config.patch, config.train_patches, generator
        )
        test = sparse_patches.draw_patches(
            faces.pixels[~trains], config.patch, config.test_patches, generator
        )
        bases = sparse_patches.fit_bases(train, config.atoms, config.iterations, config.seed)
        by_turns = learn_dictionary(
            train[: config.train_patches // 2],
            config.atoms,
            sparse_patches.PENALTY,
            config.alternations,
            config.seed,
        )
        bases["by_turns"] = sparse_patches.Basis(by_turns.atoms.astype(np.float32), False)
        turns = np.arange(1, config.alternations + 1)
        falling = line_plot(
            [Curve("", turns, by_turns.objectives)], ("turn", "lasso objective of a patch")
        )
        shape = (config.patch, config.patch, 1)
        atoms = np.asarray(filter_pictures(bases["learned"].atoms.T, shape))
        columns = max(1, round(np.sqrt(len(atoms))))
        return {
            "atoms": Images(enlarged(atoms, ENLARGED), columns, "learned atoms"),
            "objective_first": float(by_turns.objectives[0]),
            "objective_last": float(by_turns.objectives[-1]),
            "objective_largest_rise": float(np.diff(by_turns.objectives).max()),
            "objective_curve": Images(falling[None], 1, "codes and atoms by turns"),
            **compare(config, bases, test),
            **compare_whole(config, faces, trains),
            **repair(config, bases, faces, np.flatnonzero(~trains)),
        }

    return analysis_experiment(evaluate)
