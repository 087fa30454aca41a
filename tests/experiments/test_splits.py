"""Checks that no experiment trains on, fits to, chooses by, or reports the wrong split."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import launch
from experiments import conv_vae_mnist, linear_ae_mnist, vae_mnist
from lecture_models.commands import discovery
from lecture_models.data.dataset import Dataset, Split
from lecture_models.data.lookup import Library
from lecture_models.evaluators.autoencoder import fit_reference
from lecture_models.evaluators.vae import binarized
from lecture_models.nn.augmentation import channel_moments

COUNTS = {"train": 200, "validation": 60, "test": 60}
# The corner pixel of every image, which is background in all of them, tells its split.
MARKS = {"train": -1.0, "validation": 1.0, "test": 0.5}  # Those of training stay as bits, too.


def learns_from_data(module):
    """Tells the experiments that train on a data set, without a network that has learned before."""
    is_trained = list(inspect.signature(module.build).parameters) == ["config", "library"]
    config = module.Config()
    return is_trained and hasattr(config, "dataset") and config.num_steps > 0


MODULES = {
    name: discovery.load(launch.CHECKOUT.experiments, name)
    for name in discovery.names(launch.CHECKOUT.experiments)
}
NAMES = [name for name, module in MODULES.items() if learns_from_data(module)]


class MarkedImages(Library):
    """Gives an experiment few images of its data, marked by their split.

    Of the splits that are `replaced`, it gives the images after those.
    """

    def __init__(self, *replaced: str):
        super().__init__(None, lambda line: None)
        self._replaced = replaced

    def load(self, names: str) -> Dataset:
        """Returns the data set with the splits described above."""
        whole = super().load(names)
        return whole._replace(**{name: self._marked(name, getattr(whole, name)) for name in COUNTS})

    def _marked(self, name: str, split: Split) -> Split:
        if "images" not in split.arrays:
            return split
        first = COUNTS[name] if name in self._replaced else 0
        chosen = split.select(slice(first, first + COUNTS[name]))
        images = np.array(chosen.images)
        images[:, 0, 0] = MARKS[name]
        return Split.labeled_images(images, chosen.labels)


def smoke(name, *replaced):
    module = MODULES[name]
    return module.build(module.Config(**module.SMOKE), MarkedImages(*replaced))


def random_state(experiment):
    """Returns a state as `init` makes it, but for its numbers, which take no compilation."""
    generator = np.random.default_rng(0)

    def fill(leaf):
        values = 0.1 * generator.standard_normal(leaf.shape)
        return jnp.asarray(np.abs(values) if leaf.ndim == 0 else values, leaf.dtype)

    return jax.tree.map(fill, jax.eval_shape(experiment.init, jax.random.key(0)))


def test_the_experiments_that_learn_from_data_are_found():
    assert {"gan_mnist", "vae_mnist", "linear_ae_mnist", "lenet_mnist"} <= set(NAMES)
    assert len(NAMES) >= 14


def corner_pixels(batch):
    """Returns the upper left pixel of each image of a batch, which may hold vectors in [0, 1]."""
    if "vectors" in batch:
        return set((2.0 * np.asarray(batch["vectors"])[:, 0] - 1.0).tolist())
    return set(np.asarray(batch["images"])[:, 0, 0].ravel().tolist())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "linear_ae_mnist"])
def test_batches_are_of_training_images_alone(name):
    """linear_ae_mnist's batches hold no images but a covariance; it has a test of its own."""
    marked = MarkedImages().load(MODULES[name].SMOKE["dataset"]).train
    if "images" not in marked.arrays:
        pytest.skip("its data are no images")
    experiment = smoke(name)
    for _, batch in zip(range(30), experiment.batches(0), strict=False):
        assert corner_pixels(batch) == {MARKS["train"]}
    if experiment.classifier is not None:
        moments = channel_moments(marked.images[: MODULES[name].SMOKE["train_images"]])
        assert experiment.classifier.mean == tuple(moments.mean.tolist())
        assert experiment.classifier.deviation == tuple(moments.deviation.tolist())


@pytest.mark.parametrize(
    ("name", "validated"),
    [
        ("deep_ae_mnist", {"validation_squared_error"}),
        ("denoising_ae_mnist", set()),
        ("encoder_finetune_mnist", {"validation_error"}),
        ("stacked_ae_mnist", {"validation_squared_error"}),
    ],
)
@pytest.mark.slow
def test_other_validation_images_change_what_is_computed_from_them_and_nothing_else(
    name, validated
):
    """The error of PCA changes too: it is fitted to training and validation images.

    The scores of samples and of variational autoencoders: tests/metrics/test_samples.py and
    tests/evaluators/.
    """
    experiments = [smoke(name, *replaced) for replaced in ((), ("validation",))]
    state = random_state(experiments[0])
    before, after = (
        {
            metric: float(value)
            for metric, value in experiment.evaluate(state, jax.random.key(1)).items()
            if isinstance(value, float | jax.Array | np.generic)
        }
        for experiment in experiments
    )
    assert np.isfinite(list(before.values())).all()
    expected = validated | ({"pca_squared_error"} & before.keys())
    assert {metric for metric in before if before[metric] != after[metric]} == expected


def test_pca_is_fitted_to_training_and_validation_images():
    """So are the linear autoencoders, of which PCA is the optimum."""
    config = linear_ae_mnist.Config(**linear_ae_mnist.SMOKE)

    def fits(*replaced):
        dataset = MarkedImages(*replaced).load("digits")
        return *fit_reference(dataset, 5), *linear_ae_mnist.analyze(config, dataset).moments

    before = fits()
    for split in COUNTS:
        same = [np.array_equal(*arrays) for arrays in zip(before, fits(split), strict=True)]
        assert same == [split == "test"] * len(same)


@pytest.mark.parametrize("module", [vae_mnist, conv_vae_mnist])
def test_a_vae_is_tested_on_bits_of_test_images_and_validated_on_bits_of_validation_images(
    module, monkeypatch
):
    given = []
    monkeypatch.setattr(module, "make_evaluate", lambda *arguments: given.append(arguments))
    module.build(module.Config(**module.SMOKE), MarkedImages())
    dataset = MarkedImages().load("digits")
    [(_, _, test, validation, _)] = given
    np.testing.assert_array_equal(test, binarized(dataset.test.images))
    np.testing.assert_array_equal(validation, binarized(dataset.validation.images))


@pytest.mark.parametrize(
    ("module", "options", "values"),
    [
        (vae_mnist, {}, {-1.0, 1.0}),
        (conv_vae_mnist, {}, {-1.0, 1.0}),
        (conv_vae_mnist, {"gray": True}, {-0.5}),
    ],
)
def test_a_vae_trains_on_bits_unless_gray_values_are_asked_for(
    module, options, values, monkeypatch
):
    """Gray values of -0.5 are bits that are on with probability 1/4, other ones at each step."""
    trained = []

    def step(vae, optimizer, state, images, key, *num_samples):
        trained.append((np.asarray(images), num_samples))
        return state, {}

    monkeypatch.setattr(module, "vae_step", step)
    monkeypatch.setattr(conv_vae_mnist, "descend", lambda optimizer, state, loss: (state, {}))
    config = module.Config(**module.SMOKE, **options)
    experiment = module.build(config, MarkedImages())
    state, batch = random_state(experiment), {"images": jnp.full((16, 28, 28, 1), -0.5)}
    for seed in (1, 2):
        experiment.step(state, batch, jax.random.key(seed))
    first, second = (images for images, _ in trained)
    assert set(np.unique(first).tolist()) == values
    assert first.mean() == pytest.approx(-0.5, abs=0.05)
    assert (first != second).any() == (len(values) == 2)


def test_the_number_of_importance_samples_is_that_of_the_bound_that_is_trained(monkeypatch):
    trained = []
    monkeypatch.setattr(vae_mnist, "vae_step", lambda *arguments: trained.append(arguments))
    config = vae_mnist.Config(**vae_mnist.SMOKE, importance_samples=7)
    batch = {"images": jnp.zeros((16, 28, 28, 1))}
    vae_mnist.build(config, MarkedImages()).step(None, batch, jax.random.key(0))
    assert trained[0][5] == 7
