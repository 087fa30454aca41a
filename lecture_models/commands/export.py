"""Writes the parameters of a past run into a file for other programs: `--export`."""

import json
from pathlib import Path

from lecture_models import files
from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.commands.table_output import check_output
from lecture_models.config import UsageError
from lecture_models.runs import provenance
from lecture_models.runs.json_values import as_object
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import RunFolderError
from lecture_models.training.checkpoint import CheckpointError
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.trained_state import named_parameters, read_saved_arrays
from lecture_models.weights import tensors

SUFFIX = ".safetensors"
_HELP = """\
python launch.py --export=RUN --output=FILE.safetensors [--checkpoint=STEP|latest|best]

Writes the parameters of the run in the folder RUN, by names such as generator/Dense_0/kernel: all
numbers of its state but those of the optimizers. The file's metadata hold the experiment, the
config, the step and the commit. Prints the lines of Python that load it. Neither the data nor the
code of the experiment are needed."""
_LOADER = """\
import json
from flax.traverse_util import unflatten_dict
from safetensors import safe_open

with safe_open({path!r}, framework="flax") as file:
    metadata = file.metadata()
    parameters = {{name: file.get_tensor(name) for name in file.keys()}}
config = json.loads(metadata["config"])
parameters = unflatten_dict(parameters, sep="/")  # Nested, as `module.apply` takes them.
print(metadata["experiment"], "at step", metadata["step"], "has", ", ".join(parameters))
"""


def export(invocation: Invocation, run_folder: Path) -> int:
    """Writes the file, and prints the Python that loads it; returns 0.

    Raises UsageError for a wrong command line, and RunFolderError if the run has no parameters.
    """
    values = read_alone("export", invocation.argv)
    if values.help:
        with until_reader_leaves():
            print(_HELP)
        return 0
    if values.output is None:
        raise UsageError(f"--export needs --output=FILE{SUFFIX}")
    check_output(values.output, (SUFFIX,))
    past = read_past_run(run_folder)
    try:
        step, state = read_saved_arrays(past.checkpoints, announce, values.checkpoint)
    except CheckpointError as error:
        raise RunFolderError(str(error)) from error
    parameters = named_parameters(state)
    if not parameters:
        raise RunFolderError(f"{run_folder} has no parameters; only those of optimizers are saved")
    note = f"parameters of {past.experiment} at step {step:,}"
    files.write_bytes(values.output, tensors.packed(parameters, note, **_metadata(past, step)))
    count = sum(tensor.size for tensor in parameters.values())
    announce(f"written: {values.output} ({count:,} numbers in {len(parameters)} tensors)")
    with until_reader_leaves():
        print(_LOADER.format(path=str(values.output)), end="")
    return 0


def _metadata(past: PastRun, step: int) -> dict[str, str]:
    return {
        "format": "flax",
        "experiment": past.experiment,
        "config": json.dumps(past.config),
        "step": str(step),
        "commit": provenance.shown_commit(as_object(past.record.get("git"))),
        "command": past.record["command"],
    }
