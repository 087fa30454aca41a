"""Puts the launcher and the experiments into the wheel; everything else is in pyproject.toml.

In the checkout they lie at the top level, where a reader finds them. A wheel must not install a
package with the name `experiments`, which other projects use as well. So they lie in the wheel as
they lie in the checkout, in the folder `lecture_models/checkout/`, and the console script puts that
folder on the path of its own process only: see lecture_models/commands/console.py.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
COPIED = ("launch.py", "experiments/**/*.py", "experiments/sweeps/*")


class BuildWithExperiments(build_py):
    """Builds the package and a copy of what lies beside it."""

    def run(self):
        super().run()
        if not self.editable_mode:
            for source in self._beside():
                target = Path(self.build_lib, "lecture_models", "checkout", source)
                target.parent.mkdir(parents=True, exist_ok=True)
                self.copy_file(source, str(target))

    def get_source_files(self):
        """Returns what a source distribution holds."""
        return [*super().get_source_files(), *self._beside()]

    def _beside(self):
        found = (path for pattern in COPIED for path in sorted(ROOT.glob(pattern)))
        return [str(path.relative_to(ROOT)) for path in found if path.is_file()]


setup(cmdclass={"build_py": BuildWithExperiments})
