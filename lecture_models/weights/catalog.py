"""Lists the pretrained networks: architecture, layout and origin of the file, and preprocessing.

A file has a SHA-256 that it must have, and is downloaded if its address is known. The others were
converted from other formats, and are not known to be published as safetensors.
"""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from flax import linen as nn

from lecture_models.models.googlenet import GoogLeNet
from lecture_models.models.mobilenet import MobileNetV2
from lecture_models.models.resnet import RESNET_18, RESNET_34, RESNET_50_STRIDED_3X3
from lecture_models.models.squeezenet import SqueezeNet
from lecture_models.models.vgg import VGG, VGG_D, VGG_E
from lecture_models.weights import layouts
from lecture_models.weights.color_layer import fold_color_layer
from lecture_models.weights.conversion import Layout
from lecture_models.weights.preprocessing import Preprocessing

# ImageNet's means of blue, green and red, rounded as for Caffe's models, or not.
_CAFFE = Preprocessing((104.0, 117.0, 123.0), (1.0, 1.0, 1.0), 255.0, bgr=True, size=224)
_OXFORD = Preprocessing((103.939, 116.779, 123.68), (1.0, 1.0, 1.0), 255.0, bgr=True, size=0)
_TORCH = Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1.0, bgr=False, size=224)
_UNIT = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.0, bgr=False, size=0)
_TENSORFLOW = Preprocessing((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 2.0, bgr=False, size=224)

Tensors = Mapping[str, np.ndarray]


class PinnedFile(NamedTuple):
    """Describes a file by its name and the SHA-256 that it must have."""

    file: str
    sha256: str


class CatalogEntry(NamedTuple):
    """Describes a pretrained network.

    Attributes:
        architecture: one phrase for users.
        build: returns the module.
        layout: names of the layers in the file.
        preprocessing: makes the network's input.
        file: name of the file in the folder of weights.
        sha256: SHA-256 of the file; None accepts any file of this name, and announces its SHA-256.
        url: address of the file; None if there is no public download.
        source: where the parameters come from.
        license: license of the parameters.
        note: what a reader of results must know; "" for nothing.
        prepare: changes the public tensors before they are converted.
        means: file of mean activations by which the network is normalized; None for no
            normalization.
    """

    architecture: str
    build: Callable[[], nn.Module]
    layout: Layout
    preprocessing: Preprocessing
    file: str
    sha256: str | None
    url: str | None
    source: str
    license: str
    note: str = ""
    prepare: Callable[[Tensors], Tensors] = lambda tensors: tensors
    means: PinnedFile | None = None


def _timm(
    title: str,
    build: Callable[[], nn.Module],
    layout: Layout,
    repository: str,
    revision: str,
    sha256: str,
) -> CatalogEntry:
    """Describes timm's copy of torchvision's first weights (IMAGENET1K_V1) at one revision."""
    return CatalogEntry(
        architecture=title,
        build=build,
        layout=layout,
        preprocessing=_TORCH,
        file=f"{repository}.safetensors",
        sha256=sha256,
        url=f"https://huggingface.co/timm/{repository}/resolve/{revision}/model.safetensors",
        source=f"huggingface.co/timm/{repository}, torchvision's weights",
        license="BSD 3-clause",
    )


def _own(entry: CatalogEntry, file: str) -> CatalogEntry:
    """Describes the same network in a file that a user made from torchvision's state_dict."""
    return entry._replace(
        file=file,
        sha256=None,
        url=None,
        source="torchvision's state_dict saved with safetensors.torch.save_file",
    )


_DISTILLED = ((16, (3, 3)), (32, (3, 3)), (64, (3,) * 4), (128, (3,) * 4), (128, (3,)))
_SQUEEZENET = layouts.torchvision_squeezenet()
_VGG_16 = layouts.torchvision_vgg((2, 2, 3, 3, 3))
_VGG_19 = layouts.torchvision_vgg((2, 2, 4, 4, 4))

CATALOG: dict[str, CatalogEntry] = {
    "googlenet_bvlc": CatalogEntry(
        "GoogLeNet without the auxiliary classifiers",
        functools.partial(GoogLeNet, auxiliary=False),
        layouts.caffe(),
        _CAFFE,
        "googlenet_bvlc.safetensors",
        "41a4c29c82576e40fd77133ec87820b675a7638f9af5d93fc35715351d8555eb",
        None,
        "BVLC model zoo (S. Guadarrama), by way of github.com/chaosmail/caffejs",
        "unrestricted; source repository MIT",
        "kernels stored as float16",
    ),
    "squeezenet1_1_caffe": CatalogEntry(
        "SqueezeNet 1.1",
        SqueezeNet,
        _SQUEEZENET,
        _CAFFE._replace(size=227),
        "squeezenet1_1_caffe.safetensors",
        "2ea0620a7505a6bef330f65d2943800e472c2211741dcc58d02e2c37658dfa15",
        None,
        "F. Iandola et al., by way of github.com/chaosmail/caffejs",
        "BSD 2-clause; source repository MIT",
    ),
    "squeezenet1_1_rgb": CatalogEntry(
        "SqueezeNet 1.1",
        SqueezeNet,
        _SQUEEZENET,
        _TORCH,
        "squeezenet1_1_rgb.safetensors",
        "d263e58fba5b8a33fcb7f2c717a847019ed7edbd8a00de4f43868d129b0f36f7",
        None,
        "MXNet Gluon model zoo, by way of github.com/webmachinelearning/webnn-polyfill",
        "Apache-2.0",
    ),
    "mobilenet_v2_folded": CatalogEntry(
        "MobileNetV2, width 1.0, batch normalization folded in",
        functools.partial(MobileNetV2, folded=True),
        layouts.torchvision_mobilenet_v2(),
        _TENSORFLOW,
        "mobilenet_v2_folded.safetensors",
        "422f1d71eea3e622a46185509ced17fc4dd5c7b0cea2f8c7661732a7f713fcb1",
        None,
        "TensorFlow model garden, by way of github.com/google-coral/test_data",
        "Apache-2.0",
        "restored from 8-bit values, kernels stored as float16",
    ),
    "vgg19_caffe_conv": CatalogEntry(
        "VGG-19 without its fully connected layers: no class scores",
        functools.partial(VGG_E, num_classes=0),
        layouts.torchvision_vgg((2, 2, 4, 4, 4), classifier=False),
        _OXFORD,
        "vgg19_caffe_conv.safetensors",
        "8bc25087345ce507dfe7dba7bc3103ddc308e6b9adfa6618b1a46f302b563fc7",
        None,
        "K. Simonyan and A. Zisserman, by way of github.com/DavidCai1993/vgg19-tensorflowjs-model "
        "and github.com/neuralpixels/neuralpixels",
        "CC BY 4.0; source repositories MIT",
        "kernels stored as float16, those of conv4_1 to conv5_4 restored from 8-bit values",
    ),
    "vgg19_distilled16x": CatalogEntry(
        "VGG-19 in 16 times fewer parameters, up to conv5_1: no class scores",
        functools.partial(VGG, stages=_DISTILLED, num_classes=0, padding="REFLECT"),
        layouts.distilled_vgg(),
        _UNIT,
        "vgg19_distilled16x.safetensors",
        "d0295996e62434364969cf1d4ddb367a8a5005c3aa79e9de2331e01ff074d8bd",
        None,
        "Wang et al., 2020, Collaborative distillation, github.com/MingSun-Tse/"
        "Collaborative-Distillation",
        "MIT",
        prepare=functools.partial(fold_color_layer, color="conv0", first="conv11"),
    ),
    "vgg16_timm": _timm(
        "VGG-16",
        VGG_D,
        _VGG_16,
        "vgg16.tv_in1k",
        "3394518cba29aee1ea82a49d971be90d2dd1dab7",
        "57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8",
    ),
    "vgg19_timm": _timm(
        "VGG-19",
        VGG_E,
        _VGG_19,
        "vgg19.tv_in1k",
        "128d4708565b3a414bcbb9bbad440b2fe37b9f18",
        "11aea017b543ff59233749d8f1cf544cda749378f5790d2fedab841fb86b7669",
    ),
    "resnet18_timm": _timm(
        "ResNet-18",
        RESNET_18,
        layouts.torchvision_resnet((2, 2, 2, 2)),
        "resnet18.tv_in1k",
        "a987fd6b60f845221bfff84b6f0191273ba56ead",
        "694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81",
    ),
    "resnet34_timm": _timm(
        "ResNet-34",
        RESNET_34,
        layouts.torchvision_resnet((3, 4, 6, 3)),
        "resnet34.tv_in1k",
        "1b7b21cca82ff974d341713f777bf740c2db38c4",
        "0bb82595a564991a9d424708b33f5d843f5aaed7f6c0886ff10849ff97022235",
    ),
    "resnet50_timm": _timm(
        "ResNet-50 with the stride in the 3x3 convolutions",
        RESNET_50_STRIDED_3X3,
        layouts.torchvision_resnet((3, 4, 6, 3)),
        "resnet50.tv_in1k",
        "aa6c2d36d56bc0209040c02b5a7b7d7bf11d57b8",
        "5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888",
    ),
}
# Gatys, Ecker and Bethge, 2016, section 2, use this network.
CATALOG["vgg19_normalized"] = CATALOG["vgg19_caffe_conv"]._replace(
    architecture="VGG-19 normalized to mean activations of 1, without its fully connected layers: "
    "no class scores",
    means=PinnedFile(
        "vgg19_mean_activations.safetensors",
        "3ba69a06819654594b3397444218ac5d62ebf15e11bdc876587038f6155c0df3",
    ),
)
CATALOG |= {
    f"{name}_torchvision": _own(CATALOG[f"{name}_timm"], f"{name}_torchvision.safetensors")
    for name in ("vgg16", "vgg19", "resnet18", "resnet34", "resnet50")
}
