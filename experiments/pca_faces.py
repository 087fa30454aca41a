"""Eigenfaces: recognize, detect, locate, track and restore faces by their principal components.

    python launch.py --experiment=pca_faces

Paper: Turk and Pentland, 1991, Eigenfaces for recognition; Belhumeur et al., 1997, Eigenfaces vs.
  Fisherfaces
Data: ORL, Yale and CBCL faces and BSDS crops, or else drawn faces and photos that packages ship
  (announced and recorded); --images=FOLDER takes your people, a sub-folder each, --photo=FILE the
  picture in which a face is looked for
Cost: two minutes on two busy cores (measured)
Expected: recognition on ORL by random halves 93.9 +- 0.2%, Fisherfaces 96.1 +- 0.2%; area under
  the ROC curve of face or not 0.980 +- 0.003; 68 +- 6% of pasted faces of known people within 4
  pixels; a moving face within 1.2 +- 0.2 pixels; see results/pca_faces.md
"""

import dataclasses

import numpy as np

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Experiment
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment
from lecture_models.tasks.faces import finding, sections
from lecture_models.tasks.faces.pictures import (
    Faces,
    collect_faces,
    everything,
    gray,
    labels_of,
    reduced,
)


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    images: tuple[str, ...] = ()  # Folders of your own faces, a sub-folder a person.
    # Comma-separated names of data sets of people; the first available one is used.
    dataset: str = "att_faces,synthetic_faces"
    lights: str = "yale_faces,synthetic_faces"  # People in several lights, for Fisherfaces.
    patches: str = "cbcl_faces,synthetic_patches"  # Faces and other patches of one size.
    backgrounds: str = "bsds_crops,sample_crops"  # Photos without faces.
    photo: str = "sample:astronaut"  # A picture in which a face is looked for.
    photo_size: int = 320  # Length of the photo's longer side in pixels.
    side: int = 64  # Side in pixels to which your own faces are resized.
    components: int = 90  # Eigenfaces for recognition.
    draws: int = 20  # Random halves.
    left_out: int = 1_000  # At most so many people in several lights are left out in turn.
    shrinkage: float = 0.1  # Of Fisherfaces' covariance within people; chosen on other draws.
    # Numbers of eigenfaces at which faces are told from other patches, where the faces allow it.
    counts: tuple[int, ...] = (1, 2, 3, 5, 10, 15, 25, 50, 100, 200)
    composites: int = 200  # Photos with a pasted face; a fifth as many more choose the space.
    films: int = 4  # Of a moving face.
    frames: int = 60  # Of a film.
    hidden: tuple[float, ...] = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5)  # Hidden shares of a face.
    occlusion_components: int = 100
    occluded: int = 60  # Held-out faces that are partly hidden.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(
            self, 1, "components", "counts", "occlusion_components", "frames", "films", "left_out"
        )
        require_at_least(self, 2, "draws", "occluded")
        require_at_least(self, 5, "composites")
        require_at_least(self, 16, "side", "photo_size")
        require_between(self, 0.0, 1.0, "shrinkage")
        wrong = [share for share in self.hidden if not 0.0 < share < 1.0]
        if wrong or not self.hidden or not self.counts:
            raise ValueError(
                f"--hidden is {self.hidden} and --counts {self.counts}; neither may be empty, and "
                "hidden shares must be between 0 and 1"
            )


SMOKE = {
    "dataset": "synthetic_faces",
    "lights": "synthetic_faces",
    "patches": "synthetic_patches",
    "backgrounds": "sample_crops",
    "photo_size": 64,
    "components": 20,
    "draws": 2,
    "left_out": 3,
    "counts": (1, 3),
    "composites": 5,
    "films": 1,
    "frames": 4,
    "hidden": (0.25,),
    "occlusion_components": 10,
    "occluded": 4,
}


def small_lights(library: Library, names: str) -> Faces:
    """Returns the people in several lights at most 48 pixels high, as they are not aligned."""
    return reduced(collect_faces(library, (), names, 64), 48)


def require_fewer_components(components: int, faces: Faces) -> None:
    """Refuses as many eigenfaces as there are faces for training, a half of each person's."""
    trains = int((np.bincount(faces.people) // 2).sum())
    if components >= trains:
        raise DataError(
            f"--components is {components}; with {trains} faces for training, half of those of "
            f"each person, it must be less than {trains}"
        )


def allowed_counts(counts: tuple[int, ...], trains: int, pixels: int) -> tuple[int, ...]:
    """Returns the numbers of eigenfaces that the faces for training allow; refuses if none is."""
    allowed = tuple(count for count in counts if count < min(trains, pixels))
    if not allowed:
        raise DataError(
            f"--counts is {counts}; with {trains} faces for training at least one must be less "
            f"than {min(trains, pixels)}"
        )
    return allowed


def build(config: Config, library: Library) -> Experiment:
    faces = collect_faces(library, config.images, config.dataset, config.side)
    require_fewer_components(config.components, faces)
    lights = small_lights(library, config.lights)
    patches = library.load(config.patches)
    backgrounds = gray(everything(library.load(config.backgrounds), "images"))
    photo = library.picture(config.photo, config.photo_size, flag="--photo_size")
    picture = gray(images_from_uint8(photo.pixels[None]))[0]
    pixels, labels = gray(everything(patches, "images")), labels_of(patches)
    if set(np.unique(labels)) != {0, 1}:
        raise DataError(f"--patches={config.patches} must have the labels 0 and 1, 1 for a face")
    counts = allowed_counts(config.counts, int((labels == 1).sum()) // 2, pixels[0].size)

    def evaluate(state, key) -> Evaluation:
        results: Evaluation = {}
        results |= sections.recognize(
            faces, config.components, config.draws, config.shrinkage, config.seed
        )
        results |= sections.compare_lights(lights, config.shrinkage, config.left_out)
        results |= sections.tell_apart(pixels, labels, backgrounds, counts, config.seed)
        for name, is_known in (("new", False), ("known", True)):
            material = finding.divide(faces, backgrounds, is_known, config.seed)
            finders = finding.chosen_finders(material, config.composites, config.seed)
            results |= finding.locate(name, material, finders, config.composites, config.seed)
        finder = finders["density"][0]
        results |= finding.look(picture, pixels[labels == 1])
        results |= finding.track(material, finder, config.frames, config.films, config.seed)
        results |= sections.restore_hidden(
            faces, config.occlusion_components, config.hidden, config.occluded, config.seed
        )
        return results

    return analysis_experiment(evaluate)
