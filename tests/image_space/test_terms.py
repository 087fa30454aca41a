import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.terms import Term, View, evaluate_terms, negated, targets

VIEW = View(jnp.zeros((2, 1, 1, 3)), jnp.array([[1.0], [3.0]]), {})


def score(view, target):
    return view.logits[:, 0]


def distance(view, target):
    return jnp.abs(view.logits[:, 0] - target)


def test_terms_add_with_their_weights_and_are_logged_without():
    terms = (Term("score", score, 2.0), Term("distance", distance, 10.0, jnp.asarray(1.0)))
    total, named = evaluate_terms(terms, VIEW, targets(terms))
    np.testing.assert_allclose(total, [2.0, 26.0])
    assert {name: float(value) for name, value in named.items()} == {"score": 2.0, "distance": 1.0}


def test_targets_travel_apart_from_the_terms():
    terms = (Term("distance", distance, 1.0, jnp.asarray(1.0)),)
    total, _ = evaluate_terms(terms, VIEW, (jnp.asarray(3.0),))
    np.testing.assert_allclose(total, [2.0, 0.0])


def test_negated_twice_is_the_same():
    np.testing.assert_array_equal(negated(negated(score))(VIEW, ()), score(VIEW, ()))


def test_a_missing_target_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        evaluate_terms((Term("score", score),), VIEW, ())
