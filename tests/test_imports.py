"""Checks the arrows between rooms, and measures of size, in the source."""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lecture_models"
EXPERIMENTS = ROOT / "experiments"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *EXPERIMENTS.rglob("*.py"), ROOT / "launch.py"])
HEAVY = (
    *("wandb", "tensorflow_datasets", "tensorflow", "sklearn", "skimage", "h5py"),
    *("jinja2", "matplotlib", "sacrebleu"),
)
# Arrays in, arrays out: no files, no clock, no flags.
PURE = {"nn", "models", "losses", "steps", "image_space", "attribution", "linear", "metrics"}
FRONT_DOOR = {"experiment", "config", "files"}
# Room -> the rooms and files of the front door that it may import, beside itself.
ARROWS = {
    "config": set(),
    "files": set(),
    "experiment": set(),
    "nn": set(),
    "losses": set(),
    "linear": set(),
    "models": {"nn"},
    "steps": {"losses", "nn"},
    "metrics": {"losses", "nn"},
    "image_space": {"losses", "metrics", "nn"},
    "attribution": {"metrics", "nn"},
    "data": {"config", "files"},
    "weights": {"config", "files", "data", "models", "steps"},
    "runs": FRONT_DOOR,
    "plots": FRONT_DOOR,
    "reports": {*FRONT_DOOR, "runs", "plots"},
    "tables": {*FRONT_DOOR, "runs", "plots", "reports", "training"},
    "training": {*FRONT_DOOR, "runs", "plots", "reports"},
    "lectures": {*FRONT_DOOR, "runs", "plots", "reports", "tables"},
    "sweeps": {*FRONT_DOOR, "runs", "plots", "reports", "training"},
    "evaluators": {*FRONT_DOOR, *PURE, "data", "weights", "plots"},
    "tasks": {*FRONT_DOOR, *PURE, "data", "weights", "plots", "evaluators"},
    "commands": {
        *(*FRONT_DOOR, "nn", "data", "weights", "runs", "plots"),
        *("reports", "tables", "training", "sweeps", "lectures"),
    },
}
# A page may name anything but what drives it.
ARROWS_OF_EXPERIMENTS = {*FRONT_DOOR, *PURE, "data", "weights", "plots", "evaluators", "tasks"}
ARROWS_OF_TABLES = {*ARROWS_OF_EXPERIMENTS, "tables", "runs"}


def imported(path: Path) -> set[str]:
    """Returns every module that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def roots(path: Path) -> set[str]:
    """Returns the top-level packages that a file imports."""
    return {name.partition(".")[0] for name in imported(path)}


def rooms(path: Path) -> set[str]:
    """Returns the rooms of lecture_models that a file imports from."""
    parts = [name.split(".") for name in imported(path)]
    return {part[1] for part in parts if part[0] == "lecture_models" and len(part) > 1}


def room_of(path: Path) -> str:
    """Returns a file's room, or its name where it lies at the front door."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def files_of(*names: str) -> list[Path]:
    return [path for name in sorted(names) for path in sorted((PACKAGE / name).rglob("*.py"))]


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__init__.py"]


def test_every_room_has_its_arrows():
    assert {room_of(path) for path in MODULES} == ARROWS.keys()


def test_the_arrows_form_no_circle():
    left = {room: set(targets) for room, targets in ARROWS.items()}
    while left:
        free = {room for room, targets in left.items() if not targets & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {room: targets for room, targets in left.items() if room not in free}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_follows_the_arrows(path):
    assert rooms(path) <= ARROWS[room_of(path)] | {room_of(path)}


@pytest.mark.parametrize("path", files_of(*PURE), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_pure_rooms_never_touch_the_world(path):
    assert not roots(path) & {"absl", "wandb", "orbax", "time", "datetime", "tensorflow_datasets"}


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.py")), ids=lambda path: path.stem)
def test_experiments_never_import_what_drives_them(path):
    assert rooms(path) <= ARROWS_OF_EXPERIMENTS


@pytest.mark.parametrize(
    "path", sorted((EXPERIMENTS / "tables").glob("*.py")), ids=lambda path: path.stem
)
def test_tables_never_import_what_drives_them(path):
    assert rooms(path) <= ARROWS_OF_TABLES


def test_no_file_of_the_experiments_begins_with_an_underscore():
    names = {path.name for path in EXPERIMENTS.rglob("*.py") if path.name.startswith("_")}
    assert names == {"__init__.py"}


def test_weights_are_never_unpickled():
    assert all(not roots(path) & {"pickle", "torch", "dill"} for path in files_of("weights"))
    loads = [path for path in files_of("weights") if "np.load" in path.read_text("utf-8")]
    assert not loads


def test_the_package_imports_neither_experiments_nor_launch():
    assert all(not roots(path) & {"experiments", "launch"} for path in PACKAGE.rglob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "homes"),
    [
        ("wandb", {"lecture_models/training/wandb_tracker.py"}),
        ("tensorflow_datasets", {"lecture_models/data/tfds.py"}),
        ("safetensors", {"lecture_models/weights/tensors.py"}),
    ],
)
def test_a_package_is_imported_in_one_file(package, homes):
    assert {str(path.relative_to(ROOT)) for path in SOURCES if package in roots(path)} == homes


def test_absl_is_imported_by_the_launcher_and_the_commands_alone():
    users = {path for path in SOURCES if "absl" in roots(path)}
    assert users
    assert all(path == ROOT / "launch.py" or room_of(path) == "commands" for path in users)


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
    assert statistics.median(lengths.values()) <= 150
    assert not [str(path) for path, length in lengths.items() if length > 400]
    functions = [
        lines_of_code(node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert sum(length <= 50 for length in functions) >= 0.95 * len(functions)


def lines_of_code(node: ast.FunctionDef) -> int:
    """Returns the number of lines of a function without its docstring."""
    docstring = node.body[0] if ast.get_docstring(node) else None
    documented = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
    return node.end_lineno - node.lineno + 1 - documented


@pytest.mark.slow
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
