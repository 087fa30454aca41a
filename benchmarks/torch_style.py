"""Defines style transfer's loss and its gradient in plain PyTorch, with which ours are compared."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from benchmarks.torch_convolutions import VGG_19

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"


def vgg19_to_relu5_1() -> nn.ModuleDict:
    """Builds the convolutions conv1_1 to conv5_1 of VGG-19, by name."""
    layers, fan_in = {}, 3
    for stage, (features, count) in enumerate(VGG_19, start=1):
        for layer in range(1, (count if stage < 5 else 1) + 1):
            layers[f"conv{stage}_{layer}"] = nn.Conv2d(fan_in, features, 3, padding=1)
            fan_in = features
    net = nn.ModuleDict(layers)
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    return net


def activations(net: nn.ModuleDict, images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Computes the activations of the layers that the loss needs, by name."""
    wanted, selected, x = {*STYLE_LAYERS, CONTENT_LAYER}, {}, images
    for name, layer in net.items():
        if name.endswith("_1") and name != "conv1_1":
            x = functional.max_pool2d(x, 2)
        x = functional.relu(layer(x))
        if (rectified := name.replace("conv", "relu")) in wanted:
            selected[rectified] = x
    return selected


def gram(features: torch.Tensor) -> torch.Tensor:
    """Computes the Gram matrix of one image's features, divided by the number of positions."""
    flat = features.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def loss_and_gradient(
    net: nn.ModuleDict, content: torch.Tensor, style: torch.Tensor, style_weight: float
) -> Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Returns a function from images to the loss and its gradient.

    Args:
        net: the convolutions of `vgg19_to_relu5_1`.
        content: the content image.
        style: the style image.
        style_weight: the weight of the style loss; the content loss has weight 1.
    """
    with torch.no_grad():
        target = activations(net, content)[CONTENT_LAYER]
        grams = {name: gram(features) for name, features in activations(net, style).items()}

    def evaluate(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        images = images.clone().requires_grad_(True)
        features = activations(net, images)
        loss = 0.5 * (features[CONTENT_LAYER] - target).square().sum()
        for name in STYLE_LAYERS:
            scale = style_weight / len(STYLE_LAYERS) / (4 * features[name].shape[1] ** 2)
            loss = loss + scale * (gram(features[name]) - grams[name]).square().sum()
        (gradient,) = torch.autograd.grad(loss, images)
        return loss.detach(), gradient

    return evaluate
