"""Style transfer as tests run it: striped pictures, and a network that compiles in no time."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from PIL import Image

from experiments.style_transfer import Config, build
from lecture_models.data.dataset import Provenance
from lecture_models.data.lookup import Library
from lecture_models.nn.pooling import max_pool
from lecture_models.weights.preprocessing import Preprocessing
from lecture_models.weights.pretrained import Pretrained

RGB = Preprocessing((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 2.0, bgr=False, size=0)
TINY = {
    "size": 24,
    "coarse_sizes": (),
    "content_layers": ("relu2",),
    "style_layers": ("relu1", "relu2"),
    "history_size": 3,
    "num_steps": 6,
    "style_weight": 1e3,
    "balance_layers": False,
}


class TwoLayers(nn.Module):
    """Matrices in place of convolutions: they compile in no time."""

    num_classes: int = 0
    pool: object = max_pool

    @nn.compact
    def __call__(self, images, training=False):
        first = nn.relu(nn.Dense(6, name="one")(images))
        second = nn.relu(nn.Dense(6, name="two")(self.pool(first, 2, 2)))
        return jnp.zeros((len(images), 0)), {"relu1": first, "relu2": second}


class OneNetwork:
    """In place of the weights."""

    def __init__(self):
        random = np.random.default_rng(0)
        layers = {"one": 3, "two": 6}
        params = {
            name: {
                "kernel": random.normal(size=(fan_in, 6)).astype(np.float32) / 2.0,
                "bias": np.full(6, 0.1, np.float32),
            }
            for name, fan_in in layers.items()
        }
        provenance = Provenance("weights two", "by hand", ())
        self.network = Pretrained("two", TwoLayers(), {"params": params}, RGB, (), provenance)

    def load(self, names):
        return self.network


def stripes(size, first, second, turned=False):
    width, height = size
    bands = np.indices((height, width))[int(turned)] // 2 % 2
    colors = np.array([first, second], np.uint8)
    return Image.fromarray(colors[bands])


def draw_pictures(tmp_path):
    """Striped pictures and masks, by name."""
    stripes((24, 18), (200, 40, 40), (30, 60, 200)).save(tmp_path / "content.png")
    stripes((20, 20), (240, 220, 20), (20, 90, 40), turned=True).save(tmp_path / "style.png")
    stripes((20, 20), (10, 10, 10), (240, 240, 240)).save(tmp_path / "second.png")
    half = np.zeros((36, 48), np.uint8)
    half[:, :24] = 255
    Image.fromarray(half).save(tmp_path / "half.png")
    Image.fromarray(255 - half[:, 6:42]).save(tmp_path / "other_half.png")  # Of a square style.
    Image.fromarray(0 * half).save(tmp_path / "black.png")
    Image.fromarray(0 * half[:, :36]).save(tmp_path / "black_square.png")
    return tmp_path


def configured(pictures, **changes):
    given = {"content": "content.png", "style": ("style.png",)} | TINY | changes
    for name in ("content", "init"):
        if given.get(name):
            given[name] = str(pictures / given[name])
    for name in ("style", "content_mask", "style_mask"):
        given[name] = tuple(str(pictures / each) for each in given.get(name, ()))
    return Config(**given)


def built(config, weights=None):
    return build(config, Library(None, print), weights or OneNetwork())


def run(config, weights=None):
    """The last picture and the metrics of every step."""
    experiment = built(config, weights)
    state, found = experiment.init(jax.random.key(0)), []
    batches = experiment.batches(0)
    firsts = {phase.first_step: phase for phase in experiment.phases}
    for step in range(config.num_steps):
        if step in firsts:
            phase = firsts[step]
            state = phase.enter(state) if step else state
            advance = jax.jit(phase.step)
        state, metrics = advance(state, next(batches), jax.random.key(step))
        found.append(metrics)
    return experiment.evaluate(state, jax.random.key(0)), found
