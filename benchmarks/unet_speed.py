"""Compares the U-Net's training step, and the detector's inference, with plain PyTorch.

    pip install -e '.[torch]' && python -m benchmarks.unet_speed

Both run in one process in interleaved rounds on random pixels in memory, as in `convolution_speed`,
which says when the results are valid. The step is that of segmentation_horses from scratch; the
inference is that of detection_cells, before boxes are suppressed.
"""

import jax
import numpy as np
import torch

from benchmarks import torch_unet
from benchmarks.convolution_speed import compare, for_torch
from experiments import detection_cells, segmentation_horses
from lecture_models.nn.cpu.convolutions import faster_convolutions
from lecture_models.tasks.dense_config import adamw
from lecture_models.tasks.dense_prediction import FOLD, make_network, make_step
from lecture_models.training.process_setup import tune_for_cpu

REPETITIONS = 10
DETECTED = 32  # Pictures at once.
CLASSES = 3


def random_inputs(count: int, side: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "images": generator.integers(0, 256, (count, side, side, 3)).astype(np.uint8),
        "features": np.zeros((count, 0), np.float16),
        "masks": generator.integers(0, 2, (count, side, side)).astype(np.uint8),
    }


def compare_step() -> None:
    config = segmentation_horses.Config()
    network, optimizer = make_network(config, 1), adamw(config)
    batch = random_inputs(config.batch_size, config.side)
    step = make_step(network, optimizer, segmentation_horses.losses)
    step = jax.jit(faster_convolutions()(step), donate_argnums=0)
    current = [network.init(jax.random.key(0), optimizer)]
    key = jax.random.key(1)

    def ours():
        current[0], metrics = step(current[0], batch, key)
        return metrics

    other = torch_unet.UNet(1, config.widths, FOLD)
    theirs = torch_unet.training_step(other, config.learning_rate, config.weight_decay)
    images = for_torch(batch["images"].astype(np.float32) / 127.5 - 1.0)
    masks = torch.from_numpy(batch["masks"].astype(np.float32))
    compare(
        f"training, {config.batch_size} images", ours, lambda: theirs(images, masks), REPETITIONS
    )


def compare_detector() -> None:
    config, fold = detection_cells.Config(), detection_cells.FOLD
    outputs = config.anchors * (CLASSES + 4)
    network = make_network(config, outputs, fold, unfolded=False)
    batch = random_inputs(DETECTED, config.side)
    state = network.init(jax.random.key(0), adamw(config))
    forward = jax.jit(faster_convolutions()(network.maps))
    other = torch_unet.UNet(outputs, config.widths, fold, unfolded=False).eval()
    images = for_torch(batch["images"].astype(np.float32) / 127.5 - 1.0)

    def theirs():
        with torch.inference_mode():
            return other(images).numpy()

    compare(
        f"detection, {DETECTED} images",
        lambda: forward(state.variables, batch),
        theirs,
        REPETITIONS,
    )


def main() -> None:
    tune_for_cpu()
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; jax {jax.__version__}")
    compare_step()
    compare_detector()


if __name__ == "__main__":
    main()
