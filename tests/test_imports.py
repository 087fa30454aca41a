"""The house's arrows and measures, read from the source."""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lecture_models"
PURE = {"nn", "models", "losses", "steps", "image_space", "attribution", "linear", "metrics"}
WORLD = {"data", "weights", "runtime", "commands"}
HEAVY = ("wandb", "tensorflow_datasets", "tensorflow", "sklearn", "skimage", "h5py")
EXPERIMENTS = ROOT / "experiments"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *EXPERIMENTS.rglob("*.py"), ROOT / "launch.py"])


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def rooms(path: Path) -> set[str]:
    """The rooms of lecture_models that a file imports from."""
    parts = [name.split(".") for name in imported(path)]
    return {part[1] for part in parts if part[0] == "lecture_models" and len(part) > 1}


def files_of(*names: str) -> list[Path]:
    return [path for name in sorted(names) for path in sorted((PACKAGE / name).rglob("*.py"))]


def test_every_room_is_known():
    found = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert found <= PURE | WORLD


@pytest.mark.parametrize("path", files_of(*PURE), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_pure_rooms_never_touch_the_world(path):
    assert not rooms(path) & WORLD
    assert not roots(path) & {"absl", "wandb", "orbax", "time", "datetime", "tensorflow_datasets"}


def test_runtime_imports_no_pure_room():
    assert all(not rooms(path) & PURE for path in files_of("runtime"))


def test_only_the_launcher_imports_the_commands():
    others = [path for path in SOURCES if path.name != "launch.py" and "commands" not in path.parts]
    assert all("commands" not in rooms(path) for path in others)


def test_data_imports_no_other_room():
    assert all(rooms(path) <= {"data"} for path in files_of("data"))


def test_weights_are_never_unpickled():
    assert all(not roots(path) & {"pickle", "torch", "dill"} for path in files_of("weights"))
    loads = [path for path in files_of("weights") if "np.load" in path.read_text("utf-8")]
    assert not loads


def test_losses_and_steps_never_import_models():
    assert all("models" not in rooms(path) for path in files_of("losses", "steps", "image_space"))


def test_the_package_imports_neither_experiments_nor_launch():
    assert all(not roots(path) & {"experiments", "launch"} for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize(
    ("package", "homes"),
    [
        ("wandb", {"lecture_models/training/wandb_tracker.py"}),
        ("tensorflow_datasets", {"lecture_models/data/tfds.py"}),
        (
            "absl",
            {
                "launch.py",
                "lecture_models/commands/flags.py",
                "lecture_models/config.py",
            },
        ),
        ("safetensors", {"lecture_models/weights/tensors.py"}),
    ],
)
def test_a_package_is_imported_in_its_home_alone(package, homes):
    found = {str(path.relative_to(ROOT)) for path in SOURCES if package in roots(path)}
    assert found <= homes


def test_init_files_are_empty():
    inits = list(PACKAGE.rglob("__init__.py"))
    assert inits
    assert all(path.stat().st_size == 0 for path in inits)


def test_no_file_has_a_name_that_says_nothing():
    vague = {"utils.py", "common.py", "base.py", "helpers.py", "misc.py"}
    assert not [
        path for path in ROOT.rglob("*.py") if path.name in vague and "venv" not in str(path)
    ]


def test_files_and_functions_are_short():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert statistics.median(lengths.values()) <= 120
    assert not [str(path) for path, length in lengths.items() if length > 300]
    functions = [
        node.end_lineno - node.lineno + 1
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert sum(length <= 50 for length in functions) >= 0.95 * len(functions)


def test_no_module_needs_a_heavy_package_to_be_imported():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in [*PACKAGE.rglob("*.py"), *EXPERIMENTS.rglob("*.py")]
        if path.name != "__init__.py"
    ]
    program = (
        "import importlib, sys\n"
        f"for name in {HEAVY}: sys.modules[name] = None\n"
        f"for name in {modules}: importlib.import_module(name)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    assert len(modules) > 30
