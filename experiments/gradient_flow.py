"""Gradients through time: why a plain RNN forgets, and the lecture's three remedies.

    python launch.py --experiment=gradient_flow
    python launch.py --experiment=gradient_flow --max_updates=10000 --copying_lengths=50,200,400

Paper: Pascanu et al., 2013, On the difficulty of training recurrent neural networks; Le et al.,
  2015, A simple way to initialize recurrent networks of rectified linear units
Data: the characters of tinyshakespeare, or else of the Zen of Python; made sequences for training
Cost: 6 minutes on a busy machine
Expected: norms of gradients below their bounds; gates alone add over 150 steps; see
  results/gradient_flow.md
"""

import dataclasses
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Key

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.metrics.gradient_flow import slopes_by_step, spectral_norms, state_jacobians
from lecture_models.nn.recurrent import RecurrentLayer, length_mask
from lecture_models.nn.recurrent_cells import gru, lstm, project, rnn, zero_carry
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment
from lecture_models.tasks.memory_problems import (
    ADDING,
    COPYING,
    UPDATES,
    MemoryNetwork,
    Training,
)
from lecture_models.tasks.memory_trials import Remedy, trial_results, try_problems

FLOOR = 1e-12  # Smaller norms are drawn as nothing: float32 has no more digits for them.
TOLERANCE = 1.01  # By which rounding may exceed the bound.
EXPLODING = 1.5  # Singular value of the kernel whose gradients are clipped in a table.


def identity_init(key: Key[Array, ""], shape: tuple[int, int], dtype) -> Float[Array, "h h"]:
    """Returns the identity matrix: Le et al., 2015."""
    return jnp.eye(*shape, dtype=dtype)


RANDOM, ORTHOGONAL = nn.initializers.lecun_normal(), nn.initializers.orthogonal()
NETWORKS = (
    Remedy("RNN tanh", "none", rnn(name="RNN tanh"), RANDOM),
    Remedy("RNN relu", "activation", rnn(nn.relu, "RNN relu"), RANDOM),
    # Le et al. draw the input kernel with deviation 0.001; a larger one starts to learn sooner.
    Remedy(
        "RNN relu, identity",
        "initialization",
        rnn(nn.relu, "RNN relu, identity"),
        identity_init,
        nn.initializers.normal(0.03),
        0.1,
    ),
    Remedy("LSTM", "architecture", lstm(), ORTHOGONAL),
    Remedy("GRU", "architecture", gru(), ORTHOGONAL),
)


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    dataset: str = "tinyshakespeare,zen"  # The text whose characters drive the cells.
    features: int = 64  # Of each recurrent layer.
    steps: int = 200  # Over which the derivatives are followed.
    scales: tuple[float, ...] = (0.9, 1.0, 1.1)  # All singular values of further tanh kernels.
    input_scale: float = 0.1  # Small inputs keep tanh near its steepest, where the bound is tight.
    networks: tuple[int, ...] = (0, 1, 2, 3, 4)  # Rows of the table of remedies, from 0.
    adding_lengths: tuple[int, ...] = (50, 150, 400)
    copying_lengths: tuple[int, ...] = (50,)
    max_updates: int = 800  # After which an unsolved problem is given up.
    batch_size: int = 32
    learning_rate: float = 1e-2  # Adam's, constant; a tenth for the identity network.
    clip_norm: float = 1.0  # The gradient's norm is cut to it; 0 for no clipping.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "features", "steps", "adding_lengths", "copying_lengths")
        require_at_least(self, 1, "max_updates", "batch_size")
        require_at_least(self, 0, "learning_rate", "clip_norm", "networks", "scales")
        if not self.networks or max(self.networks) >= len(NETWORKS):
            raise ValueError(
                f"--networks is {self.networks}; it must be numbers from 0 to {len(NETWORKS) - 1}"
            )


SMOKE = {
    "dataset": "zen",
    "features": 4,
    "steps": 12,
    "scales": (0.9,),
    "networks": (3,),
    "adding_lengths": (4,),
    "copying_lengths": (),
    "max_updates": UPDATES,
    "batch_size": 4,
}


class Flow(NamedTuple):
    """Holds how far gradients reach in one network.

    Attributes:
        name: the network's name.
        norms: the spectral norm of dC_t/dC_0 for t = 1, 2, ...
        slopes: the norm of dL/dC_t for a loss at the last step.
        sigma: the largest singular value of W_hh of a plain cell; None for gates.
    """

    name: str
    norms: np.ndarray
    slopes: np.ndarray
    sigma: float | None


def flow_networks(config: Config) -> list[Remedy]:
    """Returns the networks of the table, then tanh networks with given singular values."""
    scaled = [
        Remedy(f"RNN tanh, sigma {scale:g}", "", rnn(), nn.initializers.orthogonal(scale))
        for scale in config.scales
    ]
    return [*(NETWORKS[number] for number in config.networks), *scaled]


def measure_flow(config: Config, network: Remedy, inputs: Array, key: Key[Array, ""]) -> Flow:
    """Follows the derivatives of one network's memory along characters."""
    layer = RecurrentLayer(
        config.features,
        network.cell,
        recurrent_init=network.recurrent_init,
        input_init=network.input_init,
    )
    init_key, readout_key = jax.random.split(key)
    weights = dict(jax.jit(layer.init)(init_key, inputs[None, :1])["params"])
    kernel = weights.pop("input_product")["kernel"]
    projected = project(network.cell, weights, config.input_scale * inputs @ kernel)[:, None]
    carry = zero_carry(network.cell, 1, config.features)
    readout = jax.random.normal(readout_key, (config.features,))
    readout = readout / jnp.linalg.norm(readout)

    @jax.jit
    def measured(weights):
        jacobians = state_jacobians(network.cell, weights, carry, projected)
        slopes = slopes_by_step(network.cell, weights, carry, projected, readout)
        return spectral_norms(jacobians), slopes

    norms, slopes = map(np.asarray, measured(weights))
    plain = network.cell.gates == 1
    sigma = float(np.linalg.norm(weights["recurrent_kernel"], 2)) if plain else None
    return Flow(network.name, norms, slopes, sigma)


def above_the_bound(flows: list[Flow]) -> str:
    """Lists the plain networks whose measured norm is above sigma^t anywhere; "" for none."""
    wrong = []
    for flow in flows:
        if flow.sigma is not None:
            bound = flow.sigma ** np.arange(1.0, len(flow.norms) + 1.0)
            if (flow.norms > TOLERANCE * bound + FLOOR).any():
                wrong.append(flow.name)
    return f"above the bound sigma^t: {', '.join(wrong)}" if wrong else ""


def flow_pictures(flows: list[Flow]) -> Evaluation:
    """Returns the curves of both derivatives."""
    steps = np.arange(1, len(flows[0].norms) + 1)
    forward, backward = [], []
    for color, flow in enumerate(flows):
        norms = np.where(flow.norms < FLOOR, np.nan, flow.norms)
        forward.append(Curve(flow.name, steps, norms, color))
        if flow.sigma is not None and "sigma" in flow.name:
            bound = flow.sigma ** steps.astype(np.float64)
            forward.append(Curve(f"{flow.sigma:.2g}^t", steps, bound, color, ":"))
        slopes = np.where(flow.slopes < FLOOR, np.nan, flow.slopes)
        backward.append(Curve(flow.name, steps, slopes, color))
    return {
        "state_derivatives": Images(
            line_plot(forward, ("step t", "norm of dC_t / dC_0"), logarithmic="y")[None],
            1,
            "how much of the first memory is left after t characters; C is h in an RNN and a GRU; "
            "dotted: the bound sigma^t",
        ),
        "loss_derivatives": Images(
            line_plot(backward, ("step t", "norm of dL / dC_t"), logarithmic="y")[None],
            1,
            f"how much a loss at step {steps[-1]} says about the memory at step t",
        ),
    }


def describe_flows(flows: list[Flow]) -> str:
    """Returns a line for each network."""
    last = len(flows[0].norms)
    lines = []
    for flow in flows:
        sigma = "gates" if flow.sigma is None else f"{flow.sigma:.3f}"
        lines.append(
            f"{flow.name:20} sigma {sigma:>6}  |dC_{last}/dC_0| {flow.norms[-1]:9.2e}  "
            f"|dL/dC_1| {flow.slopes[0]:9.2e}"
        )
    return "\n".join(lines)


def clipping_table(config: Config, key: Key[Array, ""]) -> DataTable:
    """Returns what clipping by norm and by value do to an exploding gradient."""
    init = nn.initializers.orthogonal(EXPLODING)
    network = MemoryNetwork(config.features, 1, rnn(nn.relu), init, RANDOM)
    init_key, data_key = jax.random.split(key)

    @jax.jit
    def exploding_gradient(init_key, data_key):
        inputs, targets = ADDING.draw(data_key, config.batch_size, min(config.steps, 50))
        params = network.init(init_key, inputs)["params"]
        return jax.grad(lambda p: ADDING.loss(network.apply({"params": p}, inputs), targets))(
            params
        )

    gradient = exploding_gradient(init_key, data_key)
    raw = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(gradient)])
    limit = config.clip_norm or 1.0
    ways = {
        "not clipped": optax.identity(),
        f"by norm, to {limit:g}": optax.clip_by_global_norm(limit),
        f"by value, to {limit:g}": optax.clip(limit),
    }
    rows = []
    for name, way in ways.items():
        clipped, _ = way.update(gradient, way.init(gradient))
        vector = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(clipped)])
        norm = float(np.linalg.norm(vector))
        cosine = float(vector @ raw / max(norm * float(np.linalg.norm(raw)), FLOOR))
        rows.append((name, norm, cosine, float(np.abs(vector).max())))
    return DataTable(
        ("clipping", "norm", "cosine with the gradient", "largest element"),
        tuple(rows),
        f"the gradient of an RNN relu whose kernel has the singular values {EXPLODING:g}",
    )


def requirements(config: Config, key: Key[Array, ""]) -> str:
    """Checks an LSTM on the lecture's four requirements of a model of sequences."""
    layer = RecurrentLayer(config.features, lstm())
    init_key, data_key = jax.random.split(key)
    inputs = jax.random.normal(data_key, (1, 12, 3))

    @jax.jit
    def differences(inputs):
        variables = layer.init(init_key, inputs)
        _, alone = layer.apply(variables, inputs[:, :7])
        _, padded = layer.apply(variables, inputs, mask=length_mask(jnp.array([7]), 12))
        (last, _), _ = layer.apply(variables, inputs)
        (turned, _), _ = layer.apply(variables, inputs[:, ::-1])
        return jnp.abs(alone - padded[:, :7]).max(), jnp.abs(last - turned).max()

    padding, order = map(float, differences(inputs))
    counts = [
        sum(
            leaf.size
            for leaf in jax.tree.leaves(
                jax.eval_shape(
                    layer.init, init_key, jax.ShapeDtypeStruct((1, time, 3), jnp.float32)
                )
            )
        )
        for time in (5, 500)
    ]
    return (
        f"variable length: padding changes the outputs by {padding:.1e}\n"
        f"order: the reversed sequence changes the last output by {order:.2f}\n"
        f"shared parameters: {counts[0]:,} for 5 steps and {counts[1]:,} for 500\n"
        "long-term dependencies: the table of remedies"
    )


def make_evaluate(config: Config, dataset: Dataset):
    def evaluate(state, key) -> Evaluation:
        flow_key, clip_key, check_key, trial_key = jax.random.split(key, 4)
        tokens = dataset.train["tokens"].values[: config.steps]
        inputs = jax.nn.one_hot(tokens, len(dataset.vocabularies["tokens"]))
        flows = [
            measure_flow(config, network, inputs, jax.random.fold_in(flow_key, number))
            for number, network in enumerate(flow_networks(config))
        ]
        results: Evaluation = {"derivatives": describe_flows(flows)}
        results |= flow_pictures(flows)
        results["clipping"] = clipping_table(config, clip_key)
        results["requirements"] = requirements(config, check_key)
        trials = try_problems(
            tuple(NETWORKS[number] for number in config.networks),
            ((ADDING, config.adding_lengths), (COPYING, config.copying_lengths)),
            config.features,
            Training(config.batch_size, config.learning_rate, config.clip_norm, config.max_updates),
            trial_key,
        )
        results["solved_problems"] = float(
            sum(trial.attempt.solved_after is not None for trial in trials)
        )
        return results | trial_results(trials) | {"alarm_bound": above_the_bound(flows)}

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    if "tokens" not in dataset.vocabularies:
        raise DataError(f"--dataset={config.dataset} is not a text")
    count = dataset.train["tokens"].lengths[0]
    if count < config.steps:
        raise DataError(f"--steps is {config.steps}; the text has {count} characters")
    return analysis_experiment(make_evaluate(config, dataset))
