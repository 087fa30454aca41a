"""Evaluates a past run, or draws samples from it, without training: `--evaluate`."""

from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.commands import run
from lecture_models.commands.config_flags import define_config_flags, make_config, parse
from lecture_models.commands.flags import command_flags
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.commands.past_experiment import past_config, past_flags, past_module
from lecture_models.commands.table_output import check_output
from lecture_models.config import UsageError, as_json_values
from lecture_models.reports.evaluation import shown
from lecture_models.runs import difference, provenance
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import RunFolderError
from lecture_models.training import past_evaluation
from lecture_models.training.checkpoint import CheckpointError
from lecture_models.training.past_evaluation import PastState
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.run_spec import RunSpec

MAX_SAMPLES = 100_000  # They are in memory together.
_HELP = """\
python launch.py --evaluate=RUN [--checkpoint=STEP|latest|best] [--output=FOLDER] [--FIELD=VALUE]
python launch.py --evaluate=RUN --samples=N [--output=FOLDER|FILE.png] [--FIELD=VALUE]

Evaluates the run in the folder RUN at one of its checkpoints, without training. Writes the pictures
and evaluation.json into a new folder, RUN/evaluations/STEP unless --output names another one, and
prints each metric beside the one that the run recorded at this step.

With --samples, draws N new pictures instead, for experiments that draw pictures: into a folder with
one file for each, or into one grid if --output ends in .png.

Every field of the experiment's Config is a flag, and has the recorded value unless it is given:
--seed draws other samples, --num_samples=50000 scores more of them, --images names other pictures
where the experiment has this field. A field that changes the network's shapes does not fit the
checkpoint. More flags: --data_dir, --weights_dir, --image_size, --skip_bad_images,
--nofast_convolutions."""


class _Request(NamedTuple):
    """Holds what the command line asks for.

    Attributes:
        past: the run.
        values: the parsed flags.
        changed: the fields of the Config that the command line changes.
        spec: the run as it would be trained, with the changed fields.
    """

    past: PastRun
    values: Any
    changed: list[str]
    spec: RunSpec


def evaluate(invocation: Invocation, run_folder: Path) -> int:
    """Writes and prints the evaluation, or writes the samples; returns 0.

    Raises UsageError for a wrong command line, RunFolderError if the run cannot be evaluated, and
    the errors of the data and the weights.
    """
    values = command_flags("evaluate")
    # The fields of the experiment are flags too; the run's record says which experiment it is.
    values(invocation.argv, known_only=True)
    if values.help:
        with until_reader_leaves():
            print(_HELP)
        return 0
    if values.experiment is not None:
        raise UsageError("--evaluate and --experiment are two commands; give one of them")
    past = read_past_run(run_folder)
    request = _request(invocation, past, past_module(invocation.checkout.experiments, past))
    if request.values.samples is not None:
        return _write_samples(request, _restored(request))
    return _write_evaluation(request, _restored(request))


def _request(invocation: Invocation, past: PastRun, module: ModuleType) -> _Request:
    values = command_flags("evaluate")
    define_config_flags(module.Config, values)
    # The user's own flags come last, because the last one of a flag counts.
    own = invocation._replace(arguments=[*past_flags(past), *invocation.arguments])
    leftover = parse(values, own.argv, module.Config)
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    if values.samples is not None and not 1 <= values.samples <= MAX_SAMPLES:
        raise UsageError(f"--samples is {values.samples}; it must be from 1 to {MAX_SAMPLES}")
    _check_output(values.output, draws_samples=values.samples is not None)
    config = past_config(module, past, announce)
    changed = [name for name in vars(config) if values[name].present]
    if changed:
        config = make_config(module.Config, vars(config), values)
    chosen = run.Chosen(past.experiment, module, past.record["preset"], config)
    spec = run.make_run_spec(invocation, chosen, values, run.open_sources(module, values))
    for line in difference.changed_data(past.record["data"], spec.data):
        announce(f"warning: {line}")
    return _Request(past, values, changed, spec)


def _check_output(output: Path | None, draws_samples: bool) -> None:
    """Raises UsageError if --output is not what an evaluation can write to."""
    if output is None:
        return
    if output.suffix.lower() == past_evaluation.GRID:
        if not draws_samples:
            raise UsageError(f"--output is {output}; without --samples it must be a folder")
        check_output(output, (past_evaluation.GRID,))
    elif output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"--output is {output}; it must be a new or empty folder")


def _restored(request: _Request) -> PastState:
    try:
        checkpoint = request.values.checkpoint
        return past_evaluation.restore(request.spec, request.past, checkpoint, announce)
    except CheckpointError as error:
        fields = ", ".join(f"--{name}" for name in request.changed)
        hint = f"; perhaps the network has other shapes with {fields}" if fields else ""
        raise RunFolderError(f"{error}{hint}") from error


def _write_evaluation(request: _Request, state: PastState) -> int:
    past, spec = request.past, request.spec
    folder = past_evaluation.new_folder(request.values.output, past.folder, state.step)
    results = past_evaluation.evaluate(spec.experiment, state)
    compared = past_evaluation.beside_recorded(past.folder, state.step, results)
    record = {
        "run": str(past.folder.absolute()),
        "experiment": spec.name,
        "step": state.step,
        "config": as_json_values(spec.config),
        "changed_fields": request.changed,
        "data": spec.data,
        **provenance.describe_process(spec.root, spec.command, spec.fast_convolutions),
    }
    past_evaluation.write(folder, results, state.step, record, _metadata(request))
    for alarm in results.alarms:
        announce(f"ALARM: {alarm}")
    with until_reader_leaves():
        print(shown(compared, results.texts), end="")
    announce(f"written: {folder}")
    return 0


def _write_samples(request: _Request, state: PastState) -> int:
    count, output = request.values.samples, request.values.output
    pixels = past_evaluation.draw(request.spec.experiment, state, count)
    if pixels is None:
        raise UsageError(f"{request.spec.name} draws no pictures; --samples is for those that do")
    if output is None or output.suffix.lower() != past_evaluation.GRID:
        output = past_evaluation.new_folder(output, request.past.folder, state.step, "samples")
    past_evaluation.write_samples(output, pixels, _metadata(request) | {"Step": str(state.step)})
    announce(f"written: {output} ({count} picture{'s' * (count > 1)}, step {state.step})")
    return 0


def _metadata(request: _Request) -> dict[str, str]:
    """Returns the texts of a PNG file."""
    spec = request.spec
    git = provenance.git_commit(spec.root)
    return provenance.picture_texts(spec.command, git, spec.config.seed, spec.name)
