import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_models.metrics import boxes as by_hand
from lecture_models.nn.boxes import area, decode, encode, generalized_iou, intersection_over_union

UNIT = jnp.array([0.0, 0.0, 1.0, 1.0])
edges = st.floats(0.0, 1.0, width=32)


@st.composite
def box(draw):
    top, left = draw(edges), draw(edges)
    height, width = draw(st.floats(0.0625, 1.0, width=32)), draw(st.floats(0.0625, 1.0, width=32))
    return [top, left, top + height, left + width]


@pytest.mark.parametrize(
    ("other", "overlap", "generalized"),
    [
        ([0.0, 0.0, 1.0, 1.0], 1.0, 1.0),
        ([0.0, 0.5, 1.0, 1.5], 1.0 / 3.0, 1.0 / 3.0),  # Half shifted.
        ([0.0, 0.0, 0.5, 0.5], 0.25, 0.25),  # Nested: the ratio of the areas.
        ([0.0, 1.0, 1.0, 2.0], 0.0, 0.0),  # Side by side.
        ([0.0, 3.0, 1.0, 4.0], 0.0, -0.5),  # Apart: half of the hull is empty.
    ],
)
def test_overlaps_of_known_boxes(other, overlap, generalized):
    other = jnp.array(other)
    assert float(intersection_over_union(UNIT, other)) == pytest.approx(overlap, abs=1e-6)
    assert float(intersection_over_union(other, UNIT)) == pytest.approx(overlap, abs=1e-6)
    assert float(generalized_iou(UNIT, other)) == pytest.approx(generalized, abs=1e-6)


@settings(deadline=None, max_examples=50)
@given(box(), box())
def test_the_overlap_is_that_of_single_boxes(first, second):
    expected = by_hand.intersection_over_union(by_hand.Box(*first), by_hand.Box(*second))
    found = intersection_over_union(jnp.array(first), jnp.array(second))
    assert float(found) == pytest.approx(expected, abs=1e-5)


@settings(deadline=None, max_examples=50)
@given(box())
def test_decoding_is_the_inverse_of_encoding(first):
    np.testing.assert_allclose(decode(encode(jnp.array(first))), first, atol=1e-5)


def test_overlaps_depend_neither_on_place_nor_on_scale():
    first, second = jnp.array([0.1, 0.2, 0.5, 0.9]), jnp.array([0.3, 0.1, 0.8, 0.6])
    for measure in (intersection_over_union, generalized_iou):
        moved = measure(3.0 * first + 2.0, 3.0 * second + 2.0)
        assert float(moved) == pytest.approx(float(measure(first, second)), abs=1e-5)


def test_boxes_apart_still_pull_at_each_other():
    apart = jnp.array([0.0, 3.0, 1.0, 4.0])
    slope = jax.grad(lambda other: generalized_iou(UNIT, other))(apart)
    assert float(slope[1]) < 0.0  # A smaller left edge is nearer.
    assert not jax.grad(lambda other: intersection_over_union(UNIT, other))(apart).any()


def test_a_reversed_box_has_no_area():
    assert float(area(jnp.array([0.5, 0.0, 0.2, 1.0]))) == 0.0
