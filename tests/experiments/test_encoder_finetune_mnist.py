"""Tests the phases, initial layers and checks of encoder_finetune_mnist."""

import contextlib
import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import encoder_finetune_mnist as experiment_file
from lecture_models.data import digits
from lecture_models.data.dataset import DataError, Split
from lecture_models.data.labeled_batches import balanced_order, labeled_batches, require_labels
from lecture_models.data.lookup import Library
from lecture_models.evaluators import finetuning
from lecture_models.experiment import Cadence
from lecture_models.tasks.encoder_pretraining import (
    EncoderArchitecture,
    pretrained_layers,
    pretraining_step,
)
from lecture_models.training.checkpoint import Checkpoints
from lecture_models.training.loop import train
from tests.training.toy import Silent

SMOKE = experiment_file.Config(**experiment_file.SMOKE)
SHORT = dataclasses.replace(SMOKE, pretrain_steps=40, num_steps=60, learning_rate=1e-2)
ARCHITECTURE = EncoderArchitecture(SMOKE.hidden, SMOKE.code_dim, (28, 28, 1), jax.nn.relu)
PRETRAINED = ("ae", "dae", "sae", "vae")
KINDS = ("scratch", *PRETRAINED)
LAYERS = ("Dense_0", "Dense_1")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("no_data"), print)


@pytest.fixture(scope="module")
def experiment(library):
    return experiment_file.build(SMOKE, library)


@pytest.fixture(scope="module")
def start(experiment):
    return jax.jit(experiment.init)(jax.random.key(0))


def run(config, library, folder, steps_per_dispatch):
    """Returns the last state, and the mean losses of every four steps."""
    experiment = experiment_file.build(config, library)._replace(evaluate=lambda state, key: {})
    records = Silent()
    with contextlib.closing(Checkpoints(folder, print)) as checkpoints:
        cadence = Cadence(config.num_steps, 4, config.num_steps, config.num_steps)
        outcome = train(
            experiment,
            cadence,
            config.seed,
            checkpoints,
            records,
            steps_per_dispatch=steps_per_dispatch,
        )
    return outcome.state, records.losses


def distance(one, other):
    return max(
        float(jnp.abs(a - b).max())
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )


@pytest.fixture(scope="module")
def trained(library, tmp_path_factory):
    return run(SHORT, library, tmp_path_factory.mktemp("trained"), steps_per_dispatch=1)


def initial_params(state, count, kind):
    return jax.tree.map(lambda array: array[KINDS.index(kind)], state.classifiers[count].params)


@pytest.fixture(scope="module")
def entered(experiment, start):
    return jax.jit(experiment.phases[-1].enter)(start)


@pytest.mark.slow
@pytest.mark.parametrize("count", ["20", "all"])
def test_every_kind_but_scratch_starts_with_the_layers_of_its_encoder(start, entered, count):
    for kind in PRETRAINED:
        layers = pretrained_layers(ARCHITECTURE, start.nets[kind])
        params = initial_params(entered, count, kind)
        assert set(layers) == set(LAYERS)
        assert distance({name: params[name] for name in LAYERS}, layers) == 0.0
        drawn = initial_params(start, count, kind)["Dense_2"]
        assert distance(params["Dense_2"], drawn) == 0.0


@pytest.mark.parametrize("count", ["20", "all"])
def test_scratch_does_not_start_with_pretrained_layers(start, entered, count):
    scratch = initial_params(entered, count, "scratch")
    assert distance(scratch, initial_params(start, count, "scratch")) == 0.0
    for kind in PRETRAINED:
        layers = pretrained_layers(ARCHITECTURE, start.nets[kind])
        assert distance(layers["Dense_0"], scratch["Dense_0"]) > 0.01


def test_classifiers_of_different_label_counts_start_with_different_weights(start):
    assert distance(start.classifiers["20"].params, start.classifiers["all"].params) > 0.01


@pytest.mark.slow
def test_each_layer_of_the_stack_is_trained_only_in_its_own_phase(experiment, start):
    assert [phase.first_step for phase in experiment.phases] == [0, 3, 6]
    stack = {"sae": experiment_file.make_stages(SMOKE, ARCHITECTURE)["sae"]}
    images = jnp.zeros((4, 28, 28, 1))
    for layer in range(2):
        step = jax.jit(functools.partial(pretraining_step, stack, layer))
        nets = {"sae": start.nets["sae"]}
        for key in jax.random.split(jax.random.key(1), 2):  # The warmup's first rate is 0.
            nets, _ = step(nets, images, key)
        moved = [
            distance(one.params, other.params) > 0.0
            for one, other in zip(nets["sae"], start.nets["sae"], strict=True)
        ]
        assert moved == [layer == 0, layer == 1]


def test_subsets_are_nested_and_balanced():
    labels = np.random.default_rng(0).choice(10, 3_000, p=np.arange(1, 11) / 55).astype(np.int32)
    order = balanced_order(labels, seed=3)
    assert sorted(order) == list(range(3_000))
    rarest = np.bincount(labels).min()
    for count in (10, 15, 100, 10 * rarest):
        sizes = np.bincount(labels[order[:count]], minlength=10)
        assert sizes.max() - sizes.min() <= 1


def test_a_labeled_batch_is_of_its_subset_with_its_own_labels():
    split = digits.read().train
    batches = labeled_batches(split, (20, 300, 0), 8, 16, seed=0)
    assert batches.sizes == (8, 16, 16, 16)
    order = balanced_order(split.labels, 0)
    for step, batch in zip(range(40), batches(0), strict=False):
        chosen = np.split(batches.indices(step), np.cumsum(batches.sizes)[:-1])
        assert set(chosen[1]) <= set(order[:20])
        assert set(chosen[2]) <= set(order[:300])
        np.testing.assert_array_equal(batch["images"][8:24], split.images[chosen[1]])
        np.testing.assert_array_equal(batch["labels"][8:24], split.labels[chosen[1]])


def test_batches_depend_on_seed_and_step_alone():
    split = digits.read().train
    first, again, other = (labeled_batches(split, (20, 0), 8, 50, seed) for seed in (0, 0, 1))
    assert first.sizes == (8, 20, 50)
    seventh = next(itertools.islice(first(0), 6, None))
    np.testing.assert_array_equal(seventh["images"], next(again(6))["images"])
    subsets = [batches.parts[1].arrays["example"] for batches in (first, other)]
    assert set(subsets[0]) != set(subsets[1])


def test_another_seed_starts_with_different_weights(experiment, start):
    other = jax.jit(experiment.init)(jax.random.key(1))
    for kind in PRETRAINED:
        one, another = (
            pretrained_layers(ARCHITECTURE, state.nets[kind]) for state in (start, other)
        )
        assert distance(one["Dense_0"], another["Dense_0"]) > 0.01
    assert (
        distance(initial_params(start, "20", "scratch"), initial_params(other, "20", "scratch"))
        > 0.01
    )


@pytest.mark.slow
def test_every_phase_lowers_its_losses(trained):
    _, losses = trained
    for kind in PRETRAINED:
        of_kind = [record[f"loss_{kind}"] for record in losses]
        assert min(of_kind[:5]) < 0.98 * of_kind[0]
        assert of_kind[10:] == [0.0] * 5
    second_layer = [record["loss_sae"] for record in losses[5:10]]
    assert second_layer[-1] < 0.98 * second_layer[0]
    finetuning_losses = [record["loss_finetuning"] for record in losses]
    assert finetuning_losses[:10] == [0.0] * 10
    assert finetuning_losses[-1] < 0.9 * finetuning_losses[10]


@pytest.mark.slow
def test_the_scanned_loop_of_an_accelerator_gives_the_same_state(trained, library, tmp_path):
    many, _ = run(SHORT, library, tmp_path, steps_per_dispatch=4)
    for one, other in zip(jax.tree.leaves(trained[0]), jax.tree.leaves(many), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_the_papers_units_and_optimizer_keep_the_structure_of_the_state(library):
    config = dataclasses.replace(SMOKE, constant_rate_sgd=True, sigmoid=True, stack_sparsity=0.0)
    paper = experiment_file.build(config, library)
    state = jax.eval_shape(paper.init, jax.random.key(0))
    assert jax.eval_shape(paper.phases[-1].enter, state) == state
    batch = next(paper.batches(0))
    for phase in paper.phases:
        after, metrics = jax.eval_shape(phase.step, state, batch, jax.random.key(1))
        assert after == state
        assert sorted(metrics) == ["loss_ae", "loss_dae", "loss_finetuning", "loss_sae", "loss_vae"]


def test_the_cells_of_the_table_are_the_errors(experiment, start):
    evaluation = experiment.evaluate(start, jax.random.key(0))
    header, *rows = evaluation["errors"].splitlines()
    assert header.split()[-2:] == ["20", "all"]
    assert [row.split()[0] for row in rows] == list(KINDS)
    for row in rows:
        kind, *cells = row.split()
        for count, cell in zip(("20", "all"), cells, strict=True):
            assert float(cell) == pytest.approx(evaluation[f"error_{kind}_{count}"], abs=0.005)
    validation = [
        float(cell)
        for row in evaluation["validation_errors"].splitlines()[1:]
        for cell in row.split()[1:]
    ]
    assert np.mean(validation) == pytest.approx(evaluation["validation_error"], abs=0.005)


def test_the_error_is_the_percentage_of_wrong_predictions():
    split = Split.labeled_images(
        np.zeros((4, 4, 4, 1), np.float32), np.array([0, 1, 1, 0], np.int32)
    )
    cell = ("ae", "20")
    assert finetuning.percent_wrong({cell: np.array([0, 1, 0, 0])}, split) == {cell: 25.0}


def test_mistakes_are_the_images_that_are_classified_wrong():
    images = np.linspace(-1.0, 1.0, 4, dtype=np.float32)[:, None, None, None] * np.ones(
        (1, 4, 4, 1), np.float32
    )
    split = Split.labeled_images(images, np.array([0, 1, 1, 0], np.int32))
    row = finetuning.mistakes(np.array([0, 0, 1, 1]), split)
    np.testing.assert_array_equal(row[:2], images[[1, 3]])
    assert not row[2:].any()


@pytest.mark.parametrize(("vae", "alarmed"), [(21.0, True), (20.0, False)])
def test_an_alarm_is_raised_if_every_encoder_does_worse_than_scratch(vae, alarmed):
    errors = {("scratch", "20"): 20.0, ("ae", "20"): 22.0, ("vae", "20"): vae}
    line = finetuning.alarm(errors, ("scratch", "ae", "vae"), "20")
    assert bool(line) == alarmed
    assert not alarmed or line == (
        "with 20 labels all do worse than scratch (20.00%): ae 22.00%, vae 21.00%"
    )


def test_data_of_one_class_are_refused():
    dataset = digits.read()._replace(classes=("cats",))
    with pytest.raises(DataError, match="needs at least two classes; digits has 1: .* sub-folder"):
        require_labels(dataset, (0,))


@pytest.mark.parametrize("count", [9, 1_198])
def test_more_labels_than_there_are_or_fewer_than_classes_are_refused(count):
    with pytest.raises(
        DataError, match=f"--label_counts has {count}; .* it must be from 10 to 1197"
    ):
        require_labels(digits.read(), (20, count))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label_counts": ()}, "--label_counts is ''; it must be one or more different numbers"),
        ({"label_counts": (20, 20)}, "--label_counts is '20,20'; it must be"),
        ({"label_counts": (-1,)}, "--label_counts is -1; it must be at least 0"),
        ({"pretrain_steps": 1}, "--pretrain_steps is 1; it must be at least 2, the number"),
        ({"pretrain_steps": 12}, "less than --num_steps, which is 12"),
        ({"masking": 1.5}, "--masking is 1.5; it must be from 0.0 to 1.0"),
        ({"hidden": ()}, "--hidden is empty"),
    ],
)
def test_invalid_configs_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMOKE, **changes)
