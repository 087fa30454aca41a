"""Checks each preset `paper`: its values, where the paper states them, and its page."""

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.tables import paper_preset
from lecture_models.tables.trained_cells import CADENCE_FIELDS

NAMES = [
    name
    for name in discovery.names(launch.CHECKOUT.experiments)
    if hasattr(discovery.load(launch.CHECKOUT.experiments, name), "PAPER")
]
every_paper = pytest.mark.parametrize("name", NAMES)

# The values of each preset, again by hand: a change of a preset must be made here as well. The page
# of each experiment tells where the paper states them; those that it does not state are choices.
STATED = {
    "all_convolutional_cifar10": {
        "batch_size": 128,
        "num_steps": 136500,
        "train_on_validation": True,
        "decay_at": (0.571, 0.714, 0.857),
        "warmup_steps": 0,
        "weight_decay": 0.001,
        "width": 96,
        "input_dropout": 0.2,
        "dropout": 0.5,
        "rectified_scores": True,
        "augment": False,
    },
    "attribution": {
        "occlusion_size": 0.143,
        "occlusion_stride": 0.036,
        "smooth_samples": 50,
        "integrated_steps": 200,
        "score_cam_features": 0,
        "replacement_steps": 224,
    },
    "char_rnn": {
        "batch_size": 50,
        "chunk": 50,
        "num_steps": 20000,
        "features": (128, 128),
        "dropout": 0.0,
        "learning_rate": 0.002,
        "clip_norm": 5.0,
        "char_rnn_schedule": True,
    },
    "class_image": {
        "log_probability": False,
        "fourier": False,
        "l2_decay": 0.001,
        "variation": 0.0,
        "jitter": 0,
        "scale": 0.0,
        "rotation": 0.0,
    },
    "conv_vae_mnist": {
        "batch_size": 16,
        "num_steps": 31250,
        "latent_dim": 2,
        "chollet": True,
        "gray": True,
        "likelihood_images": 10000,
        "likelihood_samples": 5000,
        "num_samples": 10000,
    },
    "deep_ae_mnist": {
        "batch_size": 100,
        "num_steps": 240000,
        "hidden": (1000, 500, 250),
        "code_dim": 30,
        "sigmoid": True,
        "cross_entropy": True,
        "learning_rate": 0.001,
        "train_on_validation": True,
        "pretrain_steps": 30000,
        "gibbs_steps": 1,
    },
    "deep_dream": {
        "size": 1024,
        "layer": "",
        "octaves": 4,
        "octave_scale": 1.4,
        "step_size": 1.5,
        "jitter": 32,
        "num_steps": 40,
    },
    "denoising_ae_mnist": {
        "batch_size": 20,
        "num_steps": 37500,
        "hidden": 500,
        "init_gain": 4.0,
        "masking": 0.3,
        "salt_and_pepper": 0.0,
        "learning_rate": 0.1,
        "constant_rate_sgd": True,
    },
    "encoder_finetune_mnist": {
        "hidden": (1000, 1000, 1000),
        "masking": 0.2,
        "stack_masking": 0.2,
        "stack_sparsity": 0.0,
        "sigmoid": True,
        "pretrain_steps": 2250000,
        "num_steps": 4250000,
        "pretrain_batch_size": 1,
        "batch_size": 1,
        "pretrain_rate": 0.001,
        "learning_rate": 0.1,
        "constant_rate_sgd": True,
    },
    "feature_inversion": {
        "size": 224,
        "all_layers": True,
        "beta": 2.0,
        "alpha": 6.0,
        "num_steps": 11100,
    },
    "feature_visualization": {
        "num_channels": 12,
        "size": 224,
        "fourier": True,
        "learning_rate": 0.05,
        "num_steps": 512,
    },
    "fractalnet_cifar10": {
        "batch_size": 100,
        "num_steps": 200000,
        "train_images": 0,
        "train_on_validation": True,
        "learning_rate": 0.02,
        "decay_at": (0.5, 0.75, 0.875, 0.9375),
        "warmup_steps": 0,
        "channels": (64, 128, 256, 512, 512),
        "columns": 3,
        "local_drop": 0.15,
        "global_ratio": 0.5,
        "dropout": (0.0, 0.1, 0.2, 0.3, 0.4),
        "augment": False,
    },
    "gan_mnist": {
        "batch_size": 100,
        "num_steps": 250000,
        "latent_dim": 100,
        "uniform_noise": True,
        "generator_hidden": (1200, 1200),
        "discriminator_hidden": (240, 240),
        "maxout_pieces": 5,
        "input_dropout": 0.2,
        "hidden_dropout": 0.5,
        "gradient_penalty": 0.0,
        "saturating": False,
        "learning_rate": 0.1,
        "discriminator_rate_ratio": 0.5,
        "momentum_sgd": True,
        "uniform_init": (0.05, 0.005),
        "average_decay": 0.0,
        "num_samples": 10000,
    },
    "lenet_mnist": {
        "batch_size": 1,
        "num_steps": 1200000,
        "train_on_validation": True,
        "learning_rate": 0.001,
        "decay_at": (0.25, 0.6),
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "original_architecture": True,
        "shift": 0,
        "plain_sgd": True,
    },
    "network_in_network_cifar10": {
        "batch_size": 128,
        "num_steps": 117000,
        "train_on_validation": True,
        "decay_at": (0.5, 0.75),
        "warmup_steps": 400,
        "width": 192,
        "dropout": 0.5,
        "rectified_scores": True,
        "augment": False,
    },
    "pixelcnn_mnist": {
        "batch_size": 256,
        "num_steps": 107000,
        "levels": 2,
        "features": 16,
        "num_layers": 15,
        "head_features": 32,
        "first_size": 7,
        "filter_size": 3,
        "dynamic_binarization": True,
        "train_on_validation": True,
        "learning_rate": 0.001,
        "decay": 0.999977,
        "num_samples": 10000,
    },
    "resnet_cifar10": {
        "batch_size": 128,
        "num_steps": 64000,
        "train_on_validation": False,
        "learning_rate": 0.1,
        "decay_at": (0.5, 0.75),
        "warmup_steps": 0,
        "weight_decay": 0.0001,
        "depth": 20,
        "width": 16,
        "residual": True,
        "projection": False,
        "augment": True,
        "nesterov": False,
    },
    "sentiment": {
        "dataset": "rt_polarity",
        "folds": 10,
        "batch_size": 62,
        "num_steps": 4300,
        "checks": 25,
        "least_count": 1,
        "embedding": 300,
        "cnn": True,
        "widths": (3, 4, 5),
        "filters": 100,
        "dropout": 0.5,
        "embedding_dropout": 0.0,
        "word_dropout": 0.0,
        "balanced": False,
        "learning_rate": 1.0,
        "adadelta": True,
        "max_norm": 3.0,
        "clip_norm": 0.0,
    },
    "translation": {
        "batch_size": 128,
        "num_steps": 2280,
        "least_count": 2,
        "embedding": 256,
        "encoder_features": 512,
        "features": 512,
        "attention_features": 512,
        "readout": 0,
        "dropout": 0.5,
        "label_smoothing": 0.0,
        "teacher_forcing": 0.5,
        "learning_rate": 0.001,
        "constant_rate": True,
        "clip_norm": 1.0,
    },
    "style_transfer": {
        "size": 512,
        "coarse_sizes": (),
        "white_noise": True,
        "average_pooling": True,
        "content_layers": ("relu4_2",),
        "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
        "style_layer_weights": (),
        "per_pixel": False,
        "balance_layers": False,
        "variation_weight": 0.0,
        "num_steps": 1000,
    },
    "texture_synthesis": {
        "size": (256,),
        "scales": 1,
        "layers": ("relu1_1", "pool1", "pool2", "pool3", "pool4"),
        "equal_weights": True,
        "average_pooling": True,
        "noise": 1.0,
        "num_steps": 2000,
    },
    "tsne_codes": {
        "dataset": "mnist,digits",
        "num_pictures": 6000,
        "perplexity": 40.0,
        "iterations": 1000,
        "principal_components": 30,
        "thumbnail": 16,
    },
    "vae_mnist": {
        "batch_size": 20,
        "num_steps": 9840000,
        "latent_dim": 50,
        "hidden": (200, 200),
        "tanh": True,
        "static_binarization": False,
        "train_on_validation": True,
        "learning_rate": 0.001,
        "burda_schedule": True,
        "adam_epsilon": 0.0001,
        "likelihood_images": 10000,
        "likelihood_samples": 5000,
    },
}


@every_paper
def test_the_preset_has_the_values_that_the_paper_states(name):
    module = discovery.load(launch.CHECKOUT.experiments, name)
    config = module.Config(**module.PAPER)
    assert {field: getattr(config, field) for field in STATED[name]} == STATED[name]
    pinned = {*module.PAPER, *module.PAPER_SOURCES} - CADENCE_FIELDS
    assert set(STATED[name]) == pinned


@every_paper
def test_the_sources_name_fields_of_the_config(name):
    module = discovery.load(launch.CHECKOUT.experiments, name)
    assert not paper_preset.unknown_fields(module)


@every_paper
def test_the_page_holds_the_table_that_the_code_makes(name, root):
    page = (root / "results" / f"{name}.md").read_text("utf-8")
    table = paper_preset.markdown(discovery.load(launch.CHECKOUT.experiments, name))
    assert table in page, f"results/{name}.md must hold:\n{table}"
