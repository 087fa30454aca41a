"""Texture by nearest neighbor: each pixel is copied from where its neighbors look most alike.

    python launch.py --experiment=texture_nearest_neighbor --texture=PATH

Paper: Efros and Leung, 1999, Texture synthesis by non-parametric sampling
Data: a picture of a texture, half of it held out (default: gravel, which ships with scikit-image)
Cost: one core: 5 s at 96 pixels, 33 s at 160
Expected: a texture made of the source's pixels, beside that of the Gram model: see
  results/texture_synthesis.md
"""

import dataclasses

import numpy as np

from lecture_models.config import require_at_least
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Images, Result
from lecture_models.image_space.nonparametric import GrownTexture, grow_texture
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment
from lecture_models.tasks.texture import judge_copying, read_halves, show_halves


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    texture: str = ""  # A picture's path or a sample's name; default: gravel.
    texture_size: int = 128  # Pixels of its longer side; half of the picture is copied from.
    size: tuple[int, ...] = (96,)  # Pixels of the result: one side, or height,width.
    neighborhood: int = 15  # Odd number of pixels, about the size of the largest regular feature.
    match_tolerance: float = (
        0.1  # Pixels within this fraction above the best match's error may be copied too.
    )
    patch: int = 12  # Pixels of the patches whose nearest source patch is searched.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "texture_size", "patch")
        require_at_least(self, 3, "size", "neighborhood")
        require_at_least(self, 0.0, "match_tolerance")
        if not 1 <= len(self.size) <= 2:
            raise ValueError(f"--size has {len(self.size)} values; it must have 1 or 2")
        if self.neighborhood % 2 == 0:
            raise ValueError(f"--neighborhood is {self.neighborhood}; it must be odd")


SMOKE = {"texture_size": 32, "size": (12,), "neighborhood": 5, "patch": 6}


def coherence(grown: GrownTexture) -> float:
    """Returns the fraction of pixels whose left neighbor is also their left neighbor in the source.

    It is 1 for a piece that is cut out as a whole.
    """
    return float((np.diff(grown.origin, axis=1) == [0, 1]).all(-1).mean())


def build(config: Config, library: Library) -> Experiment:
    smallest = max(config.patch, config.neighborhood)
    halves = read_halves(library, config.texture, config.texture_size, smallest)
    height, width = config.size if len(config.size) == 2 else config.size * 2

    def evaluate(state, key) -> Evaluation:
        grown = grow_texture(
            halves.source,
            (height, width),
            config.neighborhood,
            config.seed,
            config.match_tolerance,
        )
        return {
            "image": Images(grown.image[None], 1),
            "coherence": coherence(grown),
            **judge_copying(grown.image, halves, config.patch),
            **show_halves(halves),
        }

    return analysis_experiment(evaluate)._replace(result=Result("image"))
