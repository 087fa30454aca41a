"""Checks the classifiers that ship with the package and judge samples."""

import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.lookup import Library
from lecture_models.evaluators import shipped_extractors
from lecture_models.evaluators.samples import feature_extractor
from lecture_models.evaluators.shipped_extractors import (
    FOLDER,
    PARAMETER_HASHES,
    extractor_network,
    pack,
    shipped_params,
)
from lecture_models.models.lenet import LeNet5
from lecture_models.weights.error import WeightsError


@pytest.fixture(scope="module")
def digits():
    return Library(None, lambda line: None).load("digits")


@pytest.mark.parametrize("dataset", PARAMETER_HASHES)
def test_every_file_holds_the_parameters_that_the_code_and_its_page_name(dataset):
    params, note = shipped_params(dataset)
    assert params["C1"]["kernel"].shape == (5, 5, 1, 6)
    assert note.startswith(f"trained on {dataset}, 1200 steps of 64, Adam")
    assert PARAMETER_HASHES[dataset] in (FOLDER / "README.md").read_text("utf-8")


def test_other_data_have_no_shipped_classifier():
    assert shipped_params("folder") is None


def test_other_parameters_in_the_file_are_refused(tmp_path, monkeypatch):
    params, note = shipped_params("digits")
    params["C1"]["bias"] = params["C1"]["bias"] + np.float32(1e-3)
    (tmp_path / "lenet5_digits.safetensors").write_bytes(pack(params, note))
    monkeypatch.setattr(shipped_extractors, "FOLDER", tmp_path)
    with pytest.raises(WeightsError, match=r"this version ships 20c8e8e4d2eb"):
        shipped_params("digits")


def test_samples_are_judged_by_the_shipped_parameters_whatever_the_training_steps(digits):
    extractor = feature_extractor(digits, num_steps=5)
    features, logits = extractor.apply(digits.validation.images)
    assert features.shape == (len(digits.validation.labels), 84)
    assert (np.asarray(logits).argmax(-1) == digits.validation.labels).mean() > 0.9
    assert extractor.description.endswith("parameters 20c8e8e4d2eb")


def test_the_border_is_the_background(digits):
    """The border of -1 equals LeNet-5 without padding on an image that has such a border."""
    params, _ = shipped_params("digits")
    images = jnp.asarray(digits.test.images[:4])
    bordered = jnp.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=-1.0)
    network = extractor_network(10)
    plain = LeNet5(nonlinearity=network.nonlinearity, padding=0)
    np.testing.assert_allclose(
        network.apply({"params": params}, images)[0],
        plain.apply({"params": params}, bordered)[0],
        rtol=1e-5,
    )


@pytest.mark.real_data
@pytest.mark.parametrize(("dataset", "accuracy"), [("mnist", 0.989), ("fashion_mnist", 0.876)])
def test_the_classifiers_know_the_test_images_as_their_page_says(dataset, accuracy, real_data):
    data = Library(real_data, lambda line: None).load(dataset)
    _, logits = feature_extractor(data, 1).apply(data.test.images[:2_000])
    found = (np.asarray(logits).argmax(-1) == data.test.labels[:2_000]).mean()
    assert found == pytest.approx(accuracy, abs=0.02)
