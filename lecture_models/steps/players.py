"""Trains the players of a game, such as generators and discriminators, in a stated order.

A game is a dict of players by name, and one step of it is a sequence of turns. A turn moves one
player, or several together, down the gradient of one loss. A page of a GAN family adds only its
losses: DCGAN has two turns of one player each, CycleGAN one turn of both generators and one of
both discriminators, and a critic that moves five times as often has five turns in a step.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import optax
from flax import linen as nn
from jaxtyping import Array, Float

from lecture_models.steps.descent import Metrics, Params

Variables = dict[str, Any]  # A linen module's mutable collections by name, such as batch_stats.
Optimizers = Mapping[str, optax.GradientTransformation]


class Player(NamedTuple):
    """Holds all that training changes of one network in a game: arrays only.

    Attributes:
        params: the parameters that the optimizer moves, a pytree of float arrays.
        variables: the mutable collections by name, such as `batch_stats`; {} for none.
        optimizer_state: the state of the player's optimizer.
    """

    params: Params
    variables: Variables
    optimizer_state: optax.OptState


Players = dict[str, Player]


class Turn(NamedTuple):
    """Describes one update in a game.

    Attributes:
        movers: the names of the players that move, all by the gradient of the same loss.
        loss: maps the players to the scalar to lower, and to a pair: the movers' new variables by
            the player's name, and metrics. The gradient is taken by the movers' parameters; all
            other arrays are constants. Collections that the loss does not return stay as they are.
    """

    movers: tuple[str, ...]
    loss: Callable[[Players], tuple[Float[Array, ""], tuple[dict[str, Variables], Metrics]]]


def init_player(optimizer: optax.GradientTransformation, variables: Mapping[str, Any]) -> Player:
    """Returns a player's state before the first step.

    Args:
        optimizer: the optimizer of the player's parameters.
        variables: the result of a linen module's `init`: `params` and any mutable collections.

    Returns:
        The player, its mutable collections held apart from its parameters.
    """
    mutable = {name: value for name, value in variables.items() if name != "params"}
    return Player(variables["params"], mutable, optimizer.init(variables["params"]))


def training_apply(module: nn.Module) -> Callable[..., tuple[Any, Variables]]:
    """Returns a linen module's `apply` that also updates the mutable collections.

    Args:
        module: a linen module; its arguments are passed through, such as `training=True`.

    Returns:
        A function of (params, variables, *arguments) that returns the module's result and the new
        variables. The variables' names say which collections are mutable.
    """

    def apply(params: Params, variables: Variables, *args: Any, **kwargs: Any):
        collections = {"params": params, **variables}
        result, updated = module.apply(collections, *args, mutable=list(variables), **kwargs)
        return result, dict(updated)

    return apply


def update_player(
    optimizer: optax.GradientTransformation,
    player: Player,
    loss: Callable[[Params], tuple[Float[Array, ""], tuple[Variables, Metrics]]],
) -> tuple[Player, Metrics]:
    """Moves one player down the gradient of a loss.

    Args:
        optimizer: the optimizer whose state the player holds.
        player: the player before the update.
        loss: maps parameters to the scalar to lower, and to a pair: the player's new variables,
            and metrics. Collections that it does not return stay as they are.

    Returns:
        The player after the update, and the metrics from before it.
    """
    gradient, (variables, metrics) = jax.grad(loss, has_aux=True)(player.params)
    updates, optimizer_state = optimizer.update(gradient, player.optimizer_state, player.params)
    params = optax.apply_updates(player.params, updates)
    return Player(params, player.variables | variables, optimizer_state), metrics


def play(
    optimizers: Optimizers, players: Players, turns: Sequence[Turn]
) -> tuple[Players, Metrics]:
    """Takes turns one after another; each turn sees the players as the earlier ones left them.

    Players that move in one turn move together: all their gradients are computed before any of
    them moves. A player that does not move keeps all its arrays, its variables included.

    Args:
        optimizers: the optimizer of each player by name.
        players: the players by name, before the step.
        turns: the updates in their order; a player may move in several of them.

    Returns:
        The players after the step, and the metrics of all turns. Where two turns return a metric
        of the same name, the later one counts.

    Raises:
        ValueError: a turn moves no player or one that does not exist, or its loss returns
            variables of a player that does not move in it.
    """
    metrics: Metrics = {}
    for turn in turns:
        players, of_turn = _take_turn(optimizers, players, turn)
        metrics |= of_turn
    return players, metrics


def _take_turn(optimizers: Optimizers, players: Players, turn: Turn) -> tuple[Players, Metrics]:
    _require_known("a turn moves", turn.movers, players)
    if not turn.movers:
        raise ValueError("a turn moves no player; it must move at least one")
    moving = {name: players[name] for name in turn.movers}

    def loss(params: dict[str, Params]):
        differentiated = {name: moving[name]._replace(params=params[name]) for name in moving}
        value, (variables, metrics) = turn.loss(players | differentiated)
        _require_known("a turn's loss returns variables of", variables, moving)
        kept = {name: player.variables for name, player in moving.items()}
        merged = {name: kept[name] | updated for name, updated in variables.items()}
        return value, (merged, metrics)

    # One player made of all that move, whose arrays are keyed by the player's name.
    joint = Player(*({name: player[i] for name, player in moving.items()} for i in range(3)))
    joint, metrics = update_player(_by_name(optimizers), joint, loss)
    moved = {name: Player(*(arrays[name] for arrays in joint)) for name in moving}
    return players | moved, metrics


def _by_name(optimizers: Optimizers) -> optax.GradientTransformation:
    """Returns an optimizer of dicts that applies each player's own optimizer to it."""

    def init(params: dict[str, Params]):
        return {name: optimizers[name].init(params[name]) for name in params}

    def update(gradients: dict[str, Params], states: dict[str, Any], params: dict[str, Params]):
        pairs = {
            name: optimizers[name].update(gradients[name], states[name], params[name])
            for name in gradients
        }
        updates = {name: pair[0] for name, pair in pairs.items()}
        return updates, {name: pair[1] for name, pair in pairs.items()}

    return optax.GradientTransformation(init, update)


def _require_known(action: str, names: Iterable[str], known: Iterable[str]) -> None:
    allowed = sorted(known)
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise ValueError(f"{action} {', '.join(unknown)}; allowed: {', '.join(allowed)}")
