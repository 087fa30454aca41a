"""Defines convolutional networks in plain PyTorch, with which this project's are compared."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

VGG_19 = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))


def lenet5() -> nn.Module:
    """Builds the network of `models.lenet.LeNet5` with rectifiers: 61,706 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


class BasicBlock(nn.Module):
    """Computes two 3x3 convolutions and a shortcut that subsamples and pads with zero channels.

    The shortcut is option A of He et al., 2015.
    """

    def __init__(self, fan_in: int, features: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(fan_in, features, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(features, features, 3, 1, 1, bias=False)
        self.first_norm, self.second_norm = nn.BatchNorm2d(features), nn.BatchNorm2d(features)
        self.stride, self.added = stride, features - fan_in

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual = functional.relu(self.first_norm(self.first(x)))
        residual = self.second_norm(self.second(residual))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, self.added))
        return functional.relu(shortcut + residual)


def resnet20(width: int = 16) -> nn.Module:
    """Builds ResNet-20 as `models.cifar_resnet` does: 269,722 parameters at the paper's width."""
    layers = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    fan_in = width
    for stage in range(3):
        for block in range(3):
            features = width * 2**stage
            layers.append(BasicBlock(fan_in, features, 2 if stage and not block else 1))
            fan_in = features
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(fan_in, 10))


def vgg19_to_conv4_2() -> nn.Module:
    """Builds the convolutions of VGG-19 up to conv4_2, the content layer of style transfer."""
    layers, fan_in, remaining = [], 3, 10
    for features, count in VGG_19:
        for _ in range(min(count, remaining)):
            layers += [nn.Conv2d(fan_in, features, 3, padding=1), nn.ReLU()]
            fan_in, remaining = features, remaining - 1
        if remaining:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def training_step(net: nn.Module, optimizer: torch.optim.Optimizer) -> Callable[..., None]:
    """Returns a function of images and labels that takes one step of the optimizer."""
    net.train()

    def step(images: torch.Tensor, labels: torch.Tensor) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(net(images), labels).backward()
        optimizer.step()

    return step


def inference(net: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """Returns a function from images to the network's output, without gradients."""
    net.eval()

    @torch.inference_mode()
    def apply(images: torch.Tensor) -> torch.Tensor:
        return net(images)

    return apply


def input_gradient(net: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """Returns a function from images to the gradient of half the sum of squared features."""
    for parameter in net.parameters():
        parameter.requires_grad_(False)

    def gradient(images: torch.Tensor) -> torch.Tensor:
        images = images.clone().requires_grad_(True)
        return torch.autograd.grad(0.5 * net(images).square().sum(), images)[0]

    return gradient
