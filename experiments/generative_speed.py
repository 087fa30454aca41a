"""How long generative models of 28x28 images take: a step of training, and 1,000 samples.

    python launch.py --experiment=generative_speed

Paper: none; the lecture says that PixelCNN trains faster than PixelRNN, and that both draw pixel by
  pixel
Data: the 1,797 digits that scikit-learn ships; the times do not depend on the images
Cost: 2 minutes on two quiet cores
Expected: PixelCNN and PixelRNN draw the same pixels from caches as without, many times faster
"""

import dataclasses
import functools
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments import (
    dcgan_mnist,
    density_baselines_mnist,
    gan_mnist,
    pixelcnn_mnist,
    pixelrnn_mnist,
    vae_mnist,
)
from lecture_models.config import did_you_mean, require_at_least
from lecture_models.data.lookup import Library
from lecture_models.evaluators.pixel_sampling import draw, draw_from_caches, pixel_model
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.linear import bernoulli_mixture
from lecture_models.metrics.cost import count_parameters
from lecture_models.models.pixelrnn import PixelRNN
from lecture_models.plots.bars import log_bars
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment


class Candidate(NamedTuple):
    """Describes an experiment, the fields that make its model, and where its parameters are.

    `generator` selects the parameters from the state.
    """

    module: ModuleType
    fields: dict[str, Any]
    params: Callable[[Any], Any] = lambda state: state.params


MODELS = {
    "made": Candidate(density_baselines_mnist, {}),
    "pixelcnn": Candidate(pixelcnn_mnist, {}),
    "gated": Candidate(pixelcnn_mnist, {"gated": True}),
    "row_lstm": Candidate(pixelrnn_mnist, {"layer": "row_lstm"}),
    "diagonal_bilstm": Candidate(pixelrnn_mnist, {"layer": "diagonal_bilstm"}),
    "vae": Candidate(vae_mnist, {}),
    "gan": Candidate(gan_mnist, {}, lambda state: (state.generator, state.discriminator)),
    "dcgan": Candidate(
        dcgan_mnist, {}, lambda state: (state.generator.params, state.discriminator.params)
    ),
}


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    dataset: str = "digits"  # Any images of 28x28 take as long.
    models: tuple[str, ...] = tuple(MODELS)
    small: bool = False  # Builds the models of the smoke presets, to try this program.
    timed_steps: int = 20  # Timed steps of training, after one that compiles.
    timed_samples: int = 200  # Samples of each model, after a first call that compiles.
    naive_samples: int = 10  # Of PixelCNN and PixelRNN, once from caches and once without.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "timed_steps", "timed_samples", "naive_samples")
        if not self.models:
            raise ValueError("--models is empty; it must have one name or more")
        for name in self.models:
            if name not in MODELS:
                raise ValueError(f"--models has {name!r}{did_you_mean(name, MODELS)}")


SMOKE = {
    "models": ("made", "gan"),
    "small": True,
    "timed_steps": 1,
    "timed_samples": 4,
    "naive_samples": 1,
}


class Seconds(NamedTuple):
    """Holds the time of a call: on the clock, and of all cores together."""

    wall: float
    processor: float


def timed(call: Callable[[], Any], repetitions: int = 1) -> Seconds:
    """Returns the time of each of some calls, after a first one that compiles."""
    jax.block_until_ready(call())
    return timed_now(call, repetitions)[0]


def timed_now(call: Callable[[], Any], repetitions: int = 1) -> tuple[Seconds, Any]:
    """Returns the time of each of some calls, and the last result."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(repetitions):
        result = call()
    jax.block_until_ready(result)
    ended = time.perf_counter(), time.process_time()
    return Seconds((ended[0] - wall) / repetitions, (ended[1] - processor) / repetitions), result


def build_model(config: Config, name: str, library: Library) -> tuple[Any, Experiment]:
    """Returns the Config and the Experiment of a model."""
    module = MODELS[name].module
    base = module.SMOKE if config.small else {}
    own = module.Config(**base | {"dataset": config.dataset} | MODELS[name].fields)
    return own, module.build(own, library)


def measure(config: Config, name: str, library: Library, key) -> dict[str, float]:
    """Returns the parameters of a model, and its times by name."""
    own, experiment = build_model(config, name, library)
    state = experiment.init(key)
    batch = next(experiment.batches(0))
    step = jax.jit(experiment.step)
    training = timed(lambda: step(state, batch, jax.random.key(1)), config.timed_steps)
    sampling = timed(lambda: experiment.sample(state, jax.random.key(2), config.timed_samples))
    scale = 1_000.0 / config.timed_samples
    return {
        "parameters": float(count_parameters(MODELS[name].params(state))),
        "batch": float(own.batch_size),
        "milliseconds_per_image": 1_000.0 * training.wall / own.batch_size,
        "processor_milliseconds_per_image": 1_000.0 * training.processor / own.batch_size,
        "seconds_per_1000_samples": scale * sampling.wall,
        "processor_seconds_per_1000_samples": scale * sampling.processor,
    }


def measure_bits(config: Config, name: str) -> dict[str, float]:
    """Returns the parameters of a mixture of Bernoullis, and its times by name.

    It is fitted to noise of as many bits as MNIST has, for one iteration of many.
    """
    own = density_baselines_mnist.Config(**density_baselines_mnist.SMOKE if config.small else {})
    generator = np.random.default_rng(config.seed)
    count = 200 if config.small else 50_000
    bits = generator.integers(0, 2, (count, 784)).astype(np.float32)
    components = 1 if name == "independent" else max(own.mixture_components)
    iterations = 1 if name == "independent" else own.em_iterations
    fit = bernoulli_mixture.fit_mixture(generator, bits, components, 1)
    fitting = timed(lambda: bernoulli_mixture.fit_mixture(generator, bits, components, 1))
    sampling = timed(lambda: bernoulli_mixture.sample(fit.mixture, generator, 1_000))
    return {
        "parameters": float(components * 785 - 1),
        "seconds_to_fit": iterations * fitting.wall,
        "processor_seconds_to_fit": iterations * fitting.processor,
        "seconds_per_1000_samples": sampling.wall,
        "processor_seconds_per_1000_samples": sampling.processor,
    }


def network_of(own: Any) -> Any:
    """Returns the network of pixels that a Config describes; None if it has none."""
    if isinstance(own, pixelcnn_mnist.Config):
        return pixelcnn_mnist.make_network(own, 0)
    if isinstance(own, pixelrnn_mnist.Config):
        return PixelRNN(own.features, own.num_layers, own.layer, own.head_features)
    return None


def compare_sampling(config: Config, name: str, library: Library, key) -> dict[str, float]:
    """Draws images from caches and without; {} for a model without caches."""
    own, experiment = build_model(config, name, library)
    network = network_of(own)
    if network is None:
        return {}
    model = pixel_model(network, 2)
    variables = {"params": experiment.init(key).params}
    blank = np.zeros((config.naive_samples, 28, 28, 1), np.float32)
    drawn, seconds = {}, {}
    for kind, draws in (("cached", draw_from_caches), ("naive", draw)):
        function = jax.jit(functools.partial(draws, model, variables, jax.random.key(3)))
        program = function.lower(blank).compile()  # A first call would take as long as the second.
        seconds[kind], drawn[kind] = timed_now(functools.partial(program, blank))
    return {
        "naive_over_cached": seconds["naive"].wall / seconds["cached"].wall,
        "processor_naive_over_cached": seconds["naive"].processor / seconds["cached"].processor,
        "equal_pixels": float(np.mean(np.asarray(drawn["naive"]) == np.asarray(drawn["cached"]))),
    }


def tell_ratios(results: dict[str, dict[str, float]]) -> dict[str, float]:
    """Returns how many times longer an image takes PixelRNN than PixelCNN in training."""
    if "pixelcnn" not in results:
        return {}
    return {
        f"{name}_over_pixelcnn{ending}": results[name][f"{kind}milliseconds_per_image"]
        / results["pixelcnn"][f"{kind}milliseconds_per_image"]
        for name in ("row_lstm", "diagonal_bilstm")
        if name in results
        for ending, kind in (("", ""), ("_processor", "processor_"))
    }


def make_evaluate(config: Config, library: Library):
    def evaluate(state, key) -> Evaluation:
        results = {name: measure_bits(config, name) for name in ("independent", "mixture")}
        for name in config.models:
            model_key, draw_key = jax.random.split(jax.random.fold_in(key, len(results)))
            results[name] = measure(config, name, library, model_key)
            results[name] |= compare_sampling(config, name, library, draw_key)
        columns = tuple(dict.fromkeys(column for row in results.values() for column in row))
        rows = tuple(
            (name, *(row.get(column, "") for column in columns)) for name, row in results.items()
        )
        bars = {
            words: {name: row[column] for name, row in results.items() if column in row}
            for words, column in (
                ("one image in training, ms", "milliseconds_per_image"),
                ("one sample, ms", "seconds_per_1000_samples"),
            )
        }
        return {
            **{f"{name}_{key}": v for name, row in results.items() for key, v in row.items()},
            **tell_ratios(results),
            "speed": DataTable(("model", *columns), rows, "times on the clock and of all cores"),
            "speeds": "\n".join(describe(name, row) for name, row in results.items()),
            "bars": Images(
                log_bars(bars, "milliseconds, on the clock")[None],
                1,
                "time of one image in a step of training, and of one sample",
            ),
        }

    return evaluate


def describe(name: str, row: dict[str, float]) -> str:
    """Returns one line about a model."""
    trained = (
        f"fitted in {row['seconds_to_fit']:.1f} s"
        if "seconds_to_fit" in row
        else f"training {row['milliseconds_per_image']:8.3f} ms per image"
    )
    words = (
        f"{name:16} {row['parameters']:>9,.0f} parameters, {trained}, "
        f"{row['seconds_per_1000_samples']:8.2f} s per 1,000 samples"
    )
    if "naive_over_cached" in row:
        words += (
            f"; from caches {row['naive_over_cached']:.1f} times faster, "
            f"{row['equal_pixels']:.2%} of the pixels equal"
        )
    return words


def build(config: Config, library: Library) -> Experiment:
    library.load(config.dataset)  # A missing data set is told before anything is computed.
    return analysis_experiment(make_evaluate(config, library))
