"""Gives experiments the classifier that a past run trained: `--model=RUN`."""

import inspect
from collections.abc import Callable
from pathlib import Path

from lecture_models.commands.past_experiment import past_config, past_module
from lecture_models.data.dataset import DataFile, Provenance
from lecture_models.data.lookup import Library
from lecture_models.data.recorded_library import RecordedLibrary
from lecture_models.experiment import Classifier, Experiment
from lecture_models.runs import provenance
from lecture_models.runs.json_values import as_object
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import RunFolderError
from lecture_models.training.checkpoint import CheckpointError, digest
from lecture_models.training.trained_state import read_state
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import standardized


def read_run_network(
    experiments: Path, library: Library, announce: Callable[[str], None], folder: Path
) -> Pretrained:
    """Returns the network that a run trained, from its newest checkpoint.

    The names of its classes and its preprocessing come from the run's record, so the data are not
    read. A run that is older than such records is built from its data once more.

    Args:
        experiments: the folder of the experiments.
        library: reads the data of an old run.
        announce: is called with one line for the user.
        folder: the run's folder.

    Raises:
        RunFolderError: the folder does not hold a run of an experiment of today.
        WeightsError: the run does not train a classifier that others can use, or has no checkpoint.
        DataError: the data of an old run cannot be read.
    """
    past = read_past_run(folder)
    experiment = _rebuilt(past, experiments, library, announce)
    classifier = experiment.classifier
    if classifier is None:
        raise _not_a_classifier(past)
    height, width, channels = classifier.image_shape
    if height != width or channels not in (1, 3):
        raise WeightsError(
            f"the classifier of {folder} takes images of {height}x{width}x{channels}; --model "
            "needs a square side, and 1 or 3 channels"
        )
    try:
        step, state = read_state(experiment, past.checkpoints, announce)
    except CheckpointError as error:
        raise WeightsError(f"--model is {folder}, but {error}") from error
    variables = classifier.variables(state)
    return Pretrained(
        str(folder),
        classifier.model,
        variables,
        standardized(height, classifier.mean, classifier.deviation),
        classifier.classes,
        _provenance(past, step, digest(variables)),
    )


def _rebuilt(
    past: PastRun, experiments: Path, library: Library, announce: Callable[[str], None]
) -> Experiment:
    """Builds the experiment of a run again, with what its record says of the classifier."""
    module = past_module(experiments, past)
    if len(inspect.signature(module.build).parameters) != 2:  # It uses pretrained networks itself.
        raise _not_a_classifier(past)
    config = past_config(module, past, announce)
    if "classifier" not in past.record:
        return module.build(config, library)
    if past.record["classifier"] is None:
        raise _not_a_classifier(past)
    recorded = _recorded(past)
    num_images = max(config.batch_size, config.train_images)
    blank = RecordedLibrary(recorded["classes"], recorded["image_shape"], num_images)
    experiment = module.build(config, blank)
    classifier = experiment.classifier._replace(**recorded)
    return experiment._replace(classifier=classifier)


def _recorded(past: PastRun) -> dict[str, tuple]:
    """Returns what the record says of the classifier, as fields of a `Classifier`."""
    recorded = as_object(past.record["classifier"])
    names = [name for name in Classifier._fields if name not in ("model", "variables")]
    missing = [name for name in names if not isinstance(recorded.get(name), list)]
    if missing:
        raise RunFolderError(
            f"{past.folder}/config.json is damaged: its classifier has no list {missing[0]}"
        )
    return {name: tuple(recorded[name]) for name in names}


def _not_a_classifier(past: PastRun) -> WeightsError:
    return WeightsError(
        f"--model is {past.folder}, a run of {past.experiment}, which does not train a classifier "
        "of images that other experiments can use"
    )


def _provenance(past: PastRun, step: int, sha256: str) -> Provenance:
    title = f"run of {past.experiment} at step {step:,}"
    commit = provenance.shown_commit(as_object(past.record.get("git")))
    return Provenance(
        f"weights {past.folder}",
        f"{title}, commit {commit}",
        (DataFile(past.checkpoints / str(step), sha256),),
        "" if past.status == "finished" else f"{title} is not finished: {past.status}",
    )
