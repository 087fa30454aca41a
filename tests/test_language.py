"""Guards the language: verbs open docstrings, public functions document their arguments."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lecture_models"
# Rooms whose public functions a reader meets on an API page.
DOCUMENTED = (
    *("nn", "models", "losses", "steps", "image_space", "attribution", "linear", "metrics"),
    "evaluators",
)
SOURCES = sorted(
    [
        *PACKAGE.rglob("*.py"),
        *(ROOT / "experiments").rglob("*.py"),
        *(ROOT / "benchmarks").rglob("*.py"),
        ROOT / "launch.py",
    ]
)
# Plurals that look like verbs in the third person.
NOUNS = set(
    """
    Always Arrays As Batches Bits Bytes Charts Classes Codes Columns Curves Experiments Features
    Fields Files Flags Functions Gradients Has Images Is Its Keys Labels Layers Less Lines
    Losses Means Metrics Models Moments Names Numbers Options Pages Parameters Pictures Pixels
    Plus Points Reports Rows Runs Samples Seeds Shapes Sizes Statistics Steps Sweeps Tables
    Tensors Terms Texts This Thus Tiles Trials Units Values Was Weights Words Yes
    """.split()  # noqa: SIM905 - one literal of words reads better than a list of strings.
)
BRITISH = re.compile(
    r"(?i)\b\w*(colour|neighbour|behaviour|favour|labell(?:ed|ing)|modell(?:ed|ing)|catalogue"
    r"|artefact|judgement|centred|centre|learnt|licence|grey"
    r"|(?:normal|optim|regular|initial|binar|standard|parameter|random|minim|maxim|visual|memor"
    r"|recogn|penal|general|serial|summar|organ)is(?:e|ed|es|er|ers|ing|ation|ations)\b)"
)
# Files that hold old British names, to translate them.
HOLD_OLD_NAMES = {
    Path(__file__),
    PACKAGE / "runs" / "renames.py",
    ROOT / "tests" / "runs" / "test_renames.py",
}
# Names of others: files, functions, and a file of ImageNet's class names.
FOREIGN = {"vgg19_normalised_conv3_1", "grey_dilation"}


def documented_nodes(path: Path):
    """Every module, class and function of a file, with its docstring where it has one."""
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and ast.get_docstring(node):
            yield node, ast.get_docstring(node)


def is_a_title(path: Path, node: ast.AST) -> bool:
    """An experiment's or a table's file opens with its title, which `--list` prints."""
    return isinstance(node, ast.Module) and "experiments" in path.relative_to(ROOT).parts[:1]


def opens_with_a_verb(docstring: str) -> bool:
    word = re.match(r"[A-Za-z]+", docstring)
    return bool(word) and bool(re.fullmatch(r"[A-Z][a-z]*s", word[0])) and word[0] not in NOUNS


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_open_with_a_verb(path):
    wrong = [
        f"line {getattr(node, 'lineno', 1)}: {docstring.partition(chr(10))[0]}"
        for node, docstring in documented_nodes(path)
        if not is_a_title(path, node) and not opens_with_a_verb(docstring)
    ]
    assert not wrong


@pytest.mark.parametrize(
    "path",
    [
        PACKAGE / "experiment.py",
        *(path for room in DOCUMENTED for path in sorted((PACKAGE / room).rglob("*.py"))),
    ],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_public_functions_state_arguments_and_results(path):
    wrong = []
    for node in ast.parse(path.read_text("utf-8")).body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        docstring = ast.get_docstring(node) or ""
        arguments = node.args
        takes = arguments.args or arguments.kwonlyargs or arguments.vararg or arguments.posonlyargs
        gives = not (isinstance(node.returns, ast.Constant) and node.returns.value is None)
        if takes and "Args:" not in docstring:
            wrong.append(f"{node.name}: no Args:")
        if gives and "Returns:" not in docstring and "Yields:" not in docstring:
            wrong.append(f"{node.name}: no Returns:")
    assert not wrong


@pytest.mark.slow
def test_spelling_is_american():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name] or SOURCES
    wrong = []
    for path in paths:
        if path.suffix not in (".py", ".md", ".yaml", ".toml", ".html", ".css", ".js"):
            continue
        if path in HOLD_OLD_NAMES or not path.is_file():
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            found = BRITISH.search(line)
            if found and not any(name in line for name in FOREIGN):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {found[0]}")
    assert not wrong
