"""Tests games of several players on a small CycleGAN: two generators and two discriminators."""

import contextlib
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from lecture_models.steps.players import Player, Turn, init_player, play, training_apply
from lecture_models.steps.players import update_player as update
from lecture_models.training.checkpoint import Checkpoints, digest

GENERATORS = ("a_to_b", "b_to_a")
DISCRIMINATORS = ("judge_a", "judge_b")


class Network(nn.Module):
    """Maps images of four pixels to images or scores of the same shape, through batch norm."""

    @nn.compact
    def __call__(self, images, training=False):
        x = nn.BatchNorm(use_running_average=not training)(nn.Dense(8, use_bias=False)(images))
        return nn.Dense(4)(nn.leaky_relu(x))


APPLY = training_apply(Network())
OPTIMIZERS = dict.fromkeys(GENERATORS, optax.adam(1e-2)) | dict.fromkeys(
    DISCRIMINATORS, optax.adam(2e-2)
)
IMAGES = tuple(
    center + 0.3 * jax.random.normal(jax.random.key(seed), (6, 4))
    for seed, center in ((1, -0.5), (2, 0.5))
)


def run(player, images):
    return APPLY(player.params, player.variables, images, training=True)


def translate(players):
    """Lowers the least-squares adversarial loss of both generators and the cycle loss."""
    first, second = IMAGES
    fake_b, forward = run(players["a_to_b"], first)
    fake_a, backward = run(players["b_to_a"], second)
    cycle = jnp.abs(run(players["b_to_a"], fake_b)[0] - first).mean()
    cycle += jnp.abs(run(players["a_to_b"], fake_a)[0] - second).mean()
    adversarial = ((run(players["judge_b"], fake_b)[0] - 1.0) ** 2).mean()
    adversarial += ((run(players["judge_a"], fake_a)[0] - 1.0) ** 2).mean()
    variables = {"a_to_b": forward, "b_to_a": backward}
    return adversarial + 10.0 * cycle, (variables, {"cycle": cycle})


def judge(players):
    """Lowers the least-squares loss of both discriminators."""
    first, second = IMAGES
    loss, variables = 0.0, {}
    for name, real, generator, source in (
        ("judge_a", first, "b_to_a", second),
        ("judge_b", second, "a_to_b", first),
    ):
        fake = run(players[generator], source)[0]
        real_scores, updated = run(players[name], real)
        fake_scores, updated = run(players[name]._replace(variables=updated), fake)
        loss += ((real_scores - 1.0) ** 2).mean() + (fake_scores**2).mean()
        variables[name] = updated
    return loss, (variables, {"judges": loss})


TRANSLATE, JUDGE = Turn(GENERATORS, translate), Turn(DISCRIMINATORS, judge)


@pytest.fixture(scope="module")
def players():
    return {
        name: init_player(OPTIMIZERS[name], Network().init(jax.random.key(seed), IMAGES[0]))
        for seed, name in enumerate(GENERATORS + DISCRIMINATORS)
    }


@functools.cache
def compiled(turns):
    return jax.jit(lambda players: play(OPTIMIZERS, players, turns))


def step(players, *turns):
    return compiled(turns)(players)


def equal(first, second):
    leaves = jax.tree.leaves(
        jax.tree.map(lambda one, other: bool((one == other).all()), first, second)
    )
    return all(leaves)


def assert_close(first, second):
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5),
        first,
        second,
    )


def test_a_player_holds_its_running_moments_apart_from_its_parameters(players):
    player = players["a_to_b"]
    assert set(player.variables) == {"batch_stats"}
    assert set(player.params) == {"Dense_0", "BatchNorm_0", "Dense_1"}


@pytest.mark.slow
@pytest.mark.parametrize(("turn", "movers"), [(TRANSLATE, GENERATORS), (JUDGE, DISCRIMINATORS)])
def test_only_the_players_of_a_turn_move_and_only_their_moments(players, turn, movers):
    after, _ = step(players, turn)
    for name, player in players.items():
        for before, now in zip(player, after[name], strict=True):
            assert equal(before, now) == (name not in movers)


@pytest.mark.slow
def test_turns_are_taken_in_their_order(players):
    after, _ = step(players, TRANSLATE, JUDGE)
    translated, _ = step(players, TRANSLATE)
    expected, _ = step(translated, JUDGE)
    assert_close(after, expected)
    other_order, _ = step(players, JUDGE, TRANSLATE)
    assert not equal(after["a_to_b"].params, other_order["a_to_b"].params)


@pytest.mark.slow
def test_players_of_one_turn_see_each_other_as_before_it(players):
    """Compares with the move of each alone, so that the second does not answer to the first."""
    together, _ = step(players, TRANSLATE)
    for name in GENERATORS:

        def only_own(players, name=name):
            loss, (variables, metrics) = translate(players)
            return loss, ({name: variables[name]}, metrics)

        alone, _ = step(players, Turn((name,), only_own))
        assert_close(together[name], alone[name])


@pytest.mark.slow
def test_exchanging_the_domains_exchanges_the_players(players):
    def swapped(names):
        return {name: players[other] for name, other in zip(names, reversed(names), strict=True)}

    def exchanged_game(turn):
        """Returns a turn whose loss is that of the exchanged game."""
        exchange = {
            "a_to_b": "b_to_a",
            "b_to_a": "a_to_b",
            "judge_a": "judge_b",
            "judge_b": "judge_a",
        }

        def loss(players):
            value, (variables, metrics) = turn.loss({exchange[n]: p for n, p in players.items()})
            return value, ({exchange[n]: v for n, v in variables.items()}, metrics)

        return Turn(turn.movers, loss)

    after, _ = step(players, TRANSLATE, JUDGE)
    exchanged, _ = step(
        swapped(GENERATORS) | swapped(DISCRIMINATORS),
        *(exchanged_game(turn) for turn in (TRANSLATE, JUDGE)),
    )
    assert_close(after["a_to_b"], exchanged["b_to_a"])
    assert_close(after["judge_a"], exchanged["judge_b"])


@pytest.mark.slow
def test_a_player_may_move_several_times_in_a_step(players):
    after, metrics = step(players, JUDGE, JUDGE, TRANSLATE)
    count = {name: int(after[name].optimizer_state[0].count) for name in after}
    assert count == dict.fromkeys(GENERATORS, 1) | dict.fromkeys(DISCRIMINATORS, 2)
    once, first_metrics = step(players, JUDGE)
    _, second_metrics = step(once, JUDGE)
    assert float(metrics["judges"]) == pytest.approx(float(second_metrics["judges"]), rel=1e-4)
    assert float(metrics["judges"]) != pytest.approx(float(first_metrics["judges"]), rel=1e-4)


def test_metrics_of_all_turns_are_those_from_before_each(players):
    _, metrics = step(players, TRANSLATE, JUDGE)
    assert set(metrics) == {"cycle", "judges"}
    assert float(metrics["cycle"]) == pytest.approx(
        float(translate(players)[1][1]["cycle"]), rel=1e-4
    )


def test_the_game_is_learned(players):
    losses = []
    for _ in range(60):
        players, metrics = step(players, TRANSLATE, JUDGE)
        losses.append(float(metrics["cycle"]))
    assert losses[-1] < 0.5 * losses[0]


def test_the_game_resumes_bit_for_bit_from_a_checkpoint(players, tmp_path):
    players, _ = step(players, TRANSLATE, JUDGE)
    with contextlib.closing(Checkpoints(tmp_path / "checkpoints", print)) as checkpoints:
        checkpoints.save(1, players)
        checkpoints.wait()
        _, restored = checkpoints.restore_latest(jax.eval_shape(lambda: players))
    assert digest(restored) == digest(players)
    assert digest(step(restored, TRANSLATE, JUDGE)) == digest(step(players, TRANSLATE, JUDGE))


@pytest.mark.slow
def test_one_players_update_is_its_turn_alone(players):
    player = players["judge_a"]

    def loss(params):
        scores, variables = APPLY(params, player.variables, IMAGES[0], training=True)
        value = (scores**2).mean()
        return value, (variables, {"loss": value})

    def of_turn(players):
        value, (variables, metrics) = loss(players["judge_a"].params)
        return value, ({"judge_a": variables}, metrics)

    alone, _ = update(OPTIMIZERS["judge_a"], player, loss)
    in_turn, _ = step(players, Turn(("judge_a",), of_turn))
    assert_close(alone, in_turn["judge_a"])


def test_collections_that_a_loss_does_not_return_stay():
    player = Player({"w": jnp.ones(2)}, {"batch_stats": jnp.ones(3)}, optax.sgd(0.1).init({}))
    moved, _ = update(optax.sgd(0.1), player, lambda params: (params["w"].sum(), ({}, {})))
    np.testing.assert_array_equal(moved.variables["batch_stats"], np.ones(3))
    np.testing.assert_allclose(moved.params["w"], 0.9)


def test_evaluation_mode_leaves_the_moments_alone(players):
    player = players["a_to_b"]
    _, variables = APPLY(player.params, player.variables, IMAGES[0], training=False)
    assert equal(variables, player.variables)


@pytest.mark.parametrize(
    ("movers", "returned", "message"),
    [
        (("judge_c",), (), "a turn moves judge_c; allowed: a_to_b, b_to_a, judge_a, judge_b"),
        ((), (), "a turn moves no player; it must move at least one"),
        (("judge_a",), ("judge_b",), "returns variables of judge_b; allowed: judge_a"),
    ],
)
def test_a_turn_of_unknown_or_of_resting_players_is_refused(players, movers, returned, message):
    turn = Turn(movers, lambda players: (jnp.zeros(()), ({name: {} for name in returned}, {})))
    with pytest.raises(ValueError, match=message):
        play(OPTIMIZERS, players, (turn,))
