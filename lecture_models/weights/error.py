"""What a user reads where pretrained weights cannot be had."""

from lecture_models.data.dataset import DataError


class WeightsError(DataError):
    """Weights that cannot be had as asked: the message is one line for the user."""
