import numpy as np
import pytest

from experiments import domain_adaptation as experiment
from lecture_models.data.digit_domains import Domain, LabeledPictures


def domain(levels):
    pictures = np.array(levels, np.uint8)[:, None, None, None] * np.ones((1, 28, 28, 3), np.uint8)
    part = LabeledPictures(pictures, np.arange(len(levels), dtype=np.int32))
    return Domain(part, part, part, ("a", "b"))


def test_pictures_lose_the_mean_of_the_sources_training_images():
    prepare = experiment.make_prepare(domain([0, 255]))  # Its mean is 0 in [-1, 1].
    found = np.asarray(prepare(domain([0, 51]).train.pictures))
    assert found[:, 0, 0, 0].tolist() == pytest.approx([-1.0, -0.6])
    brighter = experiment.make_prepare(domain([255, 255]))
    assert np.asarray(brighter(domain([255, 0]).train.pictures))[:, 0, 0, 0].tolist() == (
        pytest.approx([0.0, -2.0])
    )


def test_batches_hold_both_domains_and_do_not_depend_on_where_a_run_begins():
    config = experiment.Config(batch_size=2)
    batches = experiment.make_batches(config, domain([1, 2, 3, 4]), domain([5, 6, 7]))
    whole = [batch for _, batch in zip(range(5), batches(0), strict=False)]
    later = next(batches(4))
    assert set(whole[0]) == {"source", "target"}
    assert set(whole[0]["target"]["pictures"][:, 0, 0, 0]) <= {5, 6, 7}
    for name in ("source", "target"):
        np.testing.assert_array_equal(later[name]["pictures"], whole[4][name]["pictures"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": "mnits"}, "--source is 'mnits'; allowed: mnist, mnist_m, usps"),
        ({"target": "mnist"}, "--source and --target are both mnist; they must differ"),
        ({"adda_steps": 2_600}, "--adda_steps is 2600; it must be from 0 to 2599"),
        ({"filters": ()}, "--filters is empty"),
    ],
)
def test_wrong_settings_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        experiment.Config(**fields)
