"""Builds and checks every file of experiments/tables, and compares known values of some."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import launch
from lecture_models.commands import discovery, table_output
from lecture_models.config import as_json_values
from lecture_models.lectures.lecture import numbers, read_lecture
from lecture_models.metrics.cost import multiply_adds
from lecture_models.metrics.traced_network import trace
from lecture_models.models.alexnet import AlexNet
from lecture_models.models.cifar_resnet import cifar_resnet
from lecture_models.models.lenet import OriginalLeNet5
from lecture_models.models.vgg import VGG_A_LRN
from lecture_models.runs.results import Measurement
from lecture_models.tables.formats import FORMATS
from lecture_models.tables.table import LEGEND, TableContext, difference, verdict
from lecture_models.tables.trained_cells import cell_config

TABLES = launch.CHECKOUT.tables
NAMES = discovery.names(TABLES)
NOTHING = Path("no-such-folder")  # What this machine has run or downloaded must not matter.
SLOW = {"resnet_costs": pytest.mark.slow}  # It traces 500 layers.
every_table = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=SLOW.get(name, ())) for name in NAMES]
)


@functools.cache
def table(name):
    context = TableContext(NOTHING, NOTHING, NOTHING, announce=print)
    return table_output.build(TABLES, name, context)


def cells(name):
    """Returns the cells of a table that runs can fill."""
    return getattr(discovery.load(TABLES, name, "table"), "CELLS", ())


def ours(name):
    return {row.label: row.ours for row in table(name).rows}


def errata(name):
    return {row.label: row.erratum for row in table(name).rows if verdict(row) == "erratum"}


def test_every_file_of_the_folder_is_a_table():
    assert len(NAMES) > 15
    assert [path.name for path in TABLES.glob("_*.py")] == ["__init__.py"]


@pytest.mark.slow
@every_table
def test_a_table_has_a_title_and_a_source(name):
    assert table(name).title.endswith(".")
    assert table(name).source


@every_table
def test_a_table_has_rows_with_known_verdicts_and_different_labels(name):
    rows = table(name).rows
    assert rows
    assert {verdict(row) for row in rows} <= LEGEND.keys() - {"short"}
    assert len({row.label for row in rows}) == len(rows)
    assert all(row.how for row in rows)


@every_table
def test_rows_that_a_lecture_names_are_there_and_computed(name):
    items = [item for number in numbers() for item in read_lecture(number).items]
    named = {number.row for item in items for number in item.numbers if number.table == name}
    assert all(ours(name).get(row) is not None for row in named)


@every_table
def test_a_table_is_written_in_every_format(name):
    first = table(name).rows[0].label
    assert all(first in render(table(name)) for render in FORMATS.values())


@pytest.mark.parametrize("name", [name for name in NAMES if cells(name)])
def test_without_runs_a_trained_table_has_no_measurement(name):
    rows = table(name).rows
    assert not [row.label for row in rows if isinstance(row.ours, Measurement)]
    assert "not run" in {verdict(row) for row in rows}


@pytest.mark.parametrize("name", [name for name in NAMES if cells(name)])
def test_every_cell_of_a_trained_table_accepts_its_own_recipe(name):
    for cell in cells(name):
        module = discovery.load(launch.CHECKOUT.experiments, cell.experiment)
        config = cell_config(cell, module, cell.preset)
        # An unknown recipe does not say, for example, how many layers survive.
        assert cell.recipe is None or cell.accepts(as_json_values(config))


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        (AlexNet(), (227, 227, 3)),
        (cifar_resnet(20), (32, 32, 3)),
        (OriginalLeNet5(), (28, 28, 1)),
        (VGG_A_LRN(), (224, 224, 3)),
    ],
)
def test_drawing_the_parameters_takes_no_products(model, sizes):
    images = jax.ShapeDtypeStruct((1, *sizes), jnp.float32)
    variables = jax.eval_shape(model.init, jax.random.key(0), images)
    assert trace(model, *sizes).multiply_adds == multiply_adds(model.apply, variables, images)


def test_vgg_parameters():
    found = ours("vgg_configurations")
    assert [found[f"{column}: weights and biases"] for column in ("A", "A-LRN", "B", "C")] == [
        132_863_336,
        132_863_336,
        133_047_848,
        133_638_952,
    ]
    assert found["D: weights and biases"] == 138_357_544
    assert found["E: weights and biases"] == 143_667_240
    assert "E7" in errata("vgg_configurations")["D: convolutions of the first two stages"]


def test_vgg16_has_22_rows_and_another_total_than_the_slide():
    rows = table("vgg16_memory").rows
    assert len(rows) == 3 * 22 + 3
    assert ours("vgg16_memory")["total: values"] == 15_237_608
    assert ours("vgg16_memory")["total: weights"] == 138_344_128
    found = errata("vgg16_memory")
    assert set(found) == {"total: values", "total: bytes, float32"}
    assert all("E1: the rows above sum to 15,237,608 values, 61 MB" in e for e in found.values())


def test_vgg16_weights_are_exact():
    weights = [row for row in table("vgg16_memory").rows if row.label.endswith(": weights")]
    assert all(difference(row) == 0 for row in weights if not row.label.startswith("total"))


def test_alexnet_units_and_parameters():
    found = ours("alexnet_shapes")
    assert found["units"] == 659_272
    assert found["parameters, two groups as in 2012"] == 60_965_224
    assert found["parameters, one tower"] == 62_378_344
    assert found["positions of CONV1 along 224 pixels"] == "refused: 54.25"


@pytest.mark.slow
def test_resnet_costs_are_multiply_adds():
    found = ours("resnet_costs")
    assert found["plain-34: parameters"] == 21_623_848
    assert found["ResNet-34, option B: parameters"] == 21_797_672
    assert found["option B, 34 layers: added parameters"] == 173_824
    assert found["ResNet-18, option B: parameters"] == 11_689_512
    assert found["ResNet-152: parameters"] == 60_192_808
    rounded = {name: round(value / 1e9, 3) for name, value in found.items()}
    assert rounded["plain-34: multiply-adds"] == rounded["ResNet-34, option A: multiply-adds"]
    assert rounded["plain-34: multiply-adds"] == pytest.approx(3.644, abs=1e-3)
    assert rounded["ResNet-34, option B: multiply-adds"] == pytest.approx(3.664, abs=1e-3)
    assert rounded["ResNet-152: multiply-adds"] == pytest.approx(11.28, abs=5e-3)
    (erratum,) = errata("resnet_costs").values()
    assert "E9" in erratum


@pytest.mark.slow
def test_cifar_resnets_have_the_papers_parameters():
    found = ours("resnet_costs")
    sizes = [found[f"CIFAR ResNet-{depth}: parameters"] for depth in (20, 32, 44, 56, 110, 1202)]
    assert sizes == [269_722, 464_154, 658_586, 853_018, 1_727_962, 19_421_274]
    whole = trace(cifar_resnet(20), 32, 32, 3)
    assert found["CIFAR ResNet-20: multiply-adds"] == whole.multiply_adds


def test_fractal_paths_and_depths():
    found = ours("fractalnet_structure")
    columns = range(1, 6)
    assert [found[f"B = 1, C = {c}: convolutions"] for c in columns] == [1, 3, 7, 15, 31]
    assert [found[f"B = 1, C = {c}: paths from input to output"] for c in columns] == [
        1,
        2,
        5,
        26,
        677,
    ]
    assert found["B = 5, C = 4: depth"] == 40


def test_stochastic_depth_schedule():
    found = ours("stochastic_depth_schedule")
    assert found["number of blocks L of the network of 110 layers"] == 54
    assert found["p_1"] == pytest.approx(1 - 0.5 / 54)
    assert found["p_54"] == pytest.approx(0.5)
    assert found["expected depth, blocks"] == pytest.approx(40.25)
    assert found["blocks dropped on average, %"] == pytest.approx(25.5, abs=0.05)
    saved = [found[f"training time saved on {d}, %"] for d in ("CIFAR10+", "CIFAR100+", "SVHN")]
    assert saved == pytest.approx([26.97, 26.46, 24.22], abs=5e-3)
    (label,) = errata("stochastic_depth_schedule")
    assert label == "change of the error on ImageNet, percentage points"


def test_relative_gains_of_the_speech_table_follow_from_its_error_rates():
    found = ours("speech_dnn_hmm")
    gains = [value for label, value in found.items() if label.endswith("fewer errors, %")]
    assert gains == pytest.approx([32.48, 31.78, 6.91, 16.02, 8.99], abs=5e-3)
    lecture = {label: value for label, value in found.items() if "spoken digits" not in label}
    assert sum(value is None for value in lecture.values()) == 11  # Six systems, five partners.
    assert len(found) - len(lecture) == 7  # Systems on spoken digits, which no run fills here.


def test_the_lead_of_the_deep_network_in_2012():
    found = ours("ilsvrc2012_ranking")
    assert found["lead of rank 1 over rank 2"] == pytest.approx(0.10857)
    assert found["rank 1: fewer errors than rank 2, %"] == pytest.approx(41.48, abs=5e-3)
    assert found["distance from rank 2 to rank 4"] == pytest.approx(0.00886)


def test_convolution_arithmetic_names_two_errata():
    found = errata("convolution_arithmetic")
    assert "E6" in found["pooling preserves spatial ..."]
    assert "E8" in found["what a layer computes"]
    ours_ = ours("convolution_arithmetic")
    assert ours_["N = 7, F = 3, stride 3"] == 2.33
    assert [ours_[f"{n} stacked 3x3 filters: weights, C^2"] for n in (2, 3)] == [18, 27]


def test_lenet5_has_both_variants_and_no_error_without_runs():
    found = ours("lenet5")
    assert found["C3 sees all of S2: parameters"] == 61_706
    assert found["1998: parameters"] == 60_000
    assert found["1998: parameters of C3"] == 1_516
    verdicts = {row.label: verdict(row) for row in table("lenet5").rows if row.published}
    assert [verdicts[f"1998: parameters of {layer}"] for layer in ("C1", "S2", "C3", "S4")] == [
        "equal"
    ] * 4
    assert verdicts["1998: parameters"] == "equal"
    assert found["test error, MNIST, %"] is None


def test_texture_parameters_are_those_of_the_figure():
    found = ours("texture_parameters")
    assert [
        found[f"row A: five layers, {kept}"]
        for kept in ("20 components each", "64 components each", "all channels")
    ] == [1_050, 10_400, 176_640]
    assert found["row A: all convolutions and pooling layers up to pool4"] == 852_128
    assert found["row B: CaffeNet, conv1 to conv5"] == 218_288
    cumulative = [row.ours for row in table("texture_parameters").rows if row.published is None]
    assert cumulative[:-1] == [2_080, 4_160, 12_416, 45_312, 176_640]
