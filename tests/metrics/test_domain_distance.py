import numpy as np
import pytest

from lecture_models.metrics.domain_distance import proxy_a_distance


def test_equal_domains_have_no_distance_and_separate_ones_two():
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(2, 400, 5))
    assert abs(proxy_a_distance(first, second)) < 0.25
    assert proxy_a_distance(first, second + 20.0) == 2.0


def test_it_lies_between_for_domains_that_overlap():
    draw = np.random.default_rng(1)
    first, second = draw.normal(size=(2, 2_000, 1))
    # Errors of the best border: Phi(-1) = 15.9%.
    assert proxy_a_distance(first, second + 2.0) == pytest.approx(2.0 * (1 - 2 * 0.159), abs=0.08)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="3 and 9 rows; each domain needs at least 4"):
        proxy_a_distance(np.zeros((3, 2)), np.zeros((9, 2)))
