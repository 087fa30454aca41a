"""Defines this project's U-Net and its training step in plain PyTorch."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional


class UNet(nn.Module):
    """Computes what `lecture_models.models.unet.UNet` does from scratch, on NCHW images."""

    def __init__(self, outputs: int, widths: tuple[int, ...], fold: int, unfolded: bool = True):
        super().__init__()
        self.fold, self.unfolded = fold, unfolded
        before = (5 * fold**2, *widths)
        pairs = zip(before, widths, strict=False)
        self.encoder = nn.ModuleList(_twice(first, second) for first, second in pairs)
        levels = range(len(widths) - 1)
        self.up = nn.ModuleList(nn.Conv2d(widths[n + 1], widths[n], 1) for n in levels)
        self.decoder = nn.ModuleList(_twice(2 * widths[n], widths[n]) for n in levels)
        self.head = nn.Conv2d(widths[0], outputs * (fold**2 if unfolded else 1), 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the map of a batch."""
        count, _, height, width = images.shape
        down = torch.linspace(-1, 1, height)[None, None, :, None].expand(count, 1, height, width)
        across = torch.linspace(-1, 1, width)[None, None, None].expand(count, 1, height, width)
        x = functional.pixel_unshuffle(torch.cat([images, down, across], 1), self.fold)
        kept = []
        for level, block in enumerate(self.encoder):
            x = block(functional.max_pool2d(x, 2) if level else x)
            kept.append(x)
        for level in reversed(range(len(self.up))):
            x = functional.interpolate(self.up[level](x), scale_factor=2)
            x = self.decoder[level](torch.cat([x, kept[level]], 1))
        x = self.head(x)
        return functional.pixel_shuffle(x, self.fold) if self.unfolded else x


def _twice(before: int, after: int) -> nn.Sequential:
    layers = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(after), nn.ReLU(True)]
    return nn.Sequential(*layers)


def training_step(
    network: UNet, learning_rate: float, weight_decay: float
) -> Callable[[torch.Tensor, torch.Tensor], None]:
    """Returns the step of segmentation_horses: cross-entropy and Dice, clipped, by AdamW."""
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=weight_decay)

    def step(images: torch.Tensor, masks: torch.Tensor) -> None:
        logits = network(images)[:, 0]
        probabilities = torch.sigmoid(logits)
        shared = (probabilities * masks).sum((1, 2))
        both = probabilities.sum((1, 2)) + masks.sum((1, 2))
        dice = 1.0 - (2.0 * shared + 1.0) / (both + 1.0)
        loss = functional.binary_cross_entropy_with_logits(logits, masks) + dice.mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    return step
