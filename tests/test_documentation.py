"""Runs the code of the documentation: its Python, its worked example, its generated pages."""

import importlib.util
import json
import re
import runpy
import sys

import jax
import jax.numpy as jnp
import pytest

import launch
from docs.hooks import api_pages, experiment_pages, gallery, links, notebook_pages
from lecture_models.commands import discovery
from lecture_models.commands.config_flags import options
from lecture_models.commands.invocation import Checkout
from tests.conftest import ROOT

PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r'^```(python|yaml)(?: title="([^"]+)")?\n(.*?)^```', re.DOTALL | re.MULTILINE)
# What `runpy` puts into the names of any file.
NO_NAMES_OF_A_BLOCK = {
    *("__name__", "__file__", "__cached__", "__doc__", "__loader__", "__package__"),
    *("__spec__", "__builtins__"),
}
NAMES = frozenset(discovery.names(launch.CHECKOUT.experiments))


def blocks(path, language):
    """Returns the blocks of a page: the file that a block's title names, or "", and the code."""
    found = BLOCK.findall(path.read_text("utf-8"))
    return [(title, code) for kind, title, code in found if kind == language]


# Its blocks belong together; tests/weights/test_own_model.py and tests/launch/test_own_model.py run
# them.
TESTED_ELSEWHERE = {"own_model.md"}
SNIPPETS = [
    pytest.param(code, id=f"{path.stem}-{number}")
    for path in PAGES
    for number, (title, code) in enumerate(blocks(path, "python"))
    if not title and path.name not in TESTED_ELSEWHERE
]


@pytest.mark.slow
@pytest.mark.parametrize("code", SNIPPETS)
def test_a_python_block_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "block.py").write_text(code)
    defined = runpy.run_path(str(tmp_path / "block.py")).keys() - NO_NAMES_OF_A_BLOCK
    assert defined, "the block defines nothing, so nothing shows that it ran"


@pytest.fixture
def newcomer(tmp_path, monkeypatch):
    """Writes the files of the worked example into a house of their own; returns its folder."""
    house = tmp_path / f"house_of_{tmp_path.name}"  # A package's name, which Python keeps.
    page = ROOT / "docs" / "add_experiment.md"
    files = [*blocks(page, "python"), *blocks(page, "yaml")]
    for name, code in files:
        path = house / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    for folder in (house, house / "experiments"):
        (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(house)
    monkeypatch.setattr(launch, "CHECKOUT", Checkout(house))
    return house


@pytest.mark.slow
def test_the_worked_example_trains_resumes_compares_and_sweeps(newcomer, capsys):
    flags = ["launch.py", "--experiment=softmax_digits", "--preset=smoke", "--wandb=disabled"]
    assert launch.main([*flags, "--workdir=runs/softmax"]) == 0
    assert launch.main([*flags, "--workdir=runs/softmax", "--num_steps=30"]) == 0
    assert launch.main([*flags, "--workdir=runs/no_decay", "--weight_decay=0"]) == 0
    assert launch.main(["launch.py", "--compare=runs/softmax,runs/no_decay"]) == 0
    assert "weight_decay" in capsys.readouterr().out
    sweep = "--sweep=experiments/sweeps/softmax_digits.yaml"
    assert launch.main([*flags, sweep, "--num_trials=2", "--workdir=runs/sweep"]) == 0
    run = json.loads((newcomer / "runs" / "softmax" / "summary.json").read_text())
    assert run["step"] == 30
    assert 0.0 <= run["metrics"]["eval/validation_error_percent"] < 100.0
    assert list((newcomer / "runs" / "softmax" / "images").glob("templates*.png"))
    assert (newcomer / "runs" / "sweep" / "report.html").is_file()


@pytest.mark.slow
def test_the_worked_examples_model_takes_three_changed_lines(newcomer, monkeypatch):
    path = newcomer / "lecture_models" / "models" / "two_layers.py"
    name = "lecture_models.models.two_layers"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, name, module)
    experiment = newcomer / "experiments" / "softmax_digits.py"
    code = experiment.read_text()
    for before, after in (
        ("import flax.linen as nn", f"from {name} import TwoLayers"),
        ("    weight_decay: float", "    hidden: int = 64\n    weight_decay: float"),
        ("nn.Dense(len(dataset.classes))", "TwoLayers(config.hidden, len(dataset.classes))"),
    ):
        assert code.count(before) == 1
        code = code.replace(before, after)
    experiment.with_name("two_layers_digits.py").write_text(code)
    flags = ["--experiment=two_layers_digits", "--preset=smoke", "--wandb=disabled"]
    assert launch.main(["launch.py", *flags, "--workdir=runs/two"]) == 0
    shapes = jax.eval_shape(module.TwoLayers(64, 10).init, jax.random.key(0), jnp.zeros((1, 784)))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 50_890
    assert "50,890" in (ROOT / "docs" / "add_experiment.md").read_text("utf-8")


def test_every_experiments_page_has_its_fields_presets_and_results():
    page = experiment_pages.page(launch.CHECKOUT.experiments, "gan_mnist", NAMES)
    module = discovery.load(launch.CHECKOUT.experiments, "gan_mnist")
    assert all(f"`--{option.name}`" in page for option in options(module.Config))
    assert "| preset paper | preset smoke |" in page
    assert "| `8` | `100` |  |" in page  # latent_dim
    assert "\n## Results\n" in page
    assert "](../results/gan_mnist.png)" in page
    assert len(re.findall(r"^# ", page, re.MULTILINE)) == 1


def test_the_experiments_page_lists_all_of_them_once():
    topics = experiment_pages.topics_of((ROOT / "README.md").read_text("utf-8"), sorted(NAMES))
    listed = [name for group in topics.values() for name in group]
    assert sorted(listed) == sorted(NAMES)


@pytest.mark.parametrize(
    ("source", "page", "link", "expected"),
    [
        ("docs/x.md", "x.md", "[a](../results/gan_mnist.md#b)", "[a](experiments/gan_mnist.md#b)"),
        ("docs/x.md", "x.md", "[a](../launch.py)", "a"),
        ("docs/x.md", "x.md", "![a](../results/gan_mnist.png)", "![a](results/gan_mnist.png)"),
        ("README.md", "index.md", "[a](docs/x.md)", "[a](x.md)"),
        (
            *("results/tables.md", "results/tables.md"),
            *("[a](gan_mnist.md)", "[a](../experiments/gan_mnist.md)"),
        ),
        ("docs/x.md", "x.md", "[a](https://a.b/c.md)", "[a](https://a.b/c.md)"),
        ("docs/x.md", "x.md", "```\n[a](../launch.py)\n```", "```\n[a](../launch.py)\n```"),
    ],
)
def test_a_link_leads_to_the_same_page_in_the_site(source, page, link, expected):
    assert links.translate(link, source, page, NAMES) == expected


def test_the_gallery_shows_pictures_and_sounds_that_exist():
    chosen = gallery.chosen()
    known = gallery.captions(ROOT / "results")
    pictures = [picture["file"] for picture in chosen["pictures"]]
    names = [*pictures, *(sound["file"] for sound in chosen["sounds"])]
    assert len(names) == len(set(names))
    assert not [name for name in names if not (ROOT / "results" / name).is_file()]
    assert set(pictures) <= set(known)
    front = gallery.fill((ROOT / "docs" / "index.md").read_text("utf-8"), NAMES)
    assert front.count("<figure") == len(names)


def test_every_module_with_public_names_is_on_a_page_of_the_api():
    pages = "\n".join(text for _, text in api_pages.pages())
    assert "::: lecture_models.losses.gan\n" in pages
    assert "::: lecture_models.nn.cpu.winograd\n" in pages


def test_notebooks_are_shown_as_pages():
    shown = dict(notebook_pages.pages())
    assert "gan_step" in shown["notebooks/gan.md"]
