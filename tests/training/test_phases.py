import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.batches import ArrayBatches
from lecture_models.experiment import Cadence, Experiment, Phase
from lecture_models.training.checkpoint import Checkpoints
from lecture_models.training.interrupt import Interrupted
from lecture_models.training.loop import Hooks, train
from tests.training.toy import Silent

CADENCE = Cadence(num_steps=12, log_every=3, eval_every=100, checkpoint_every=4)


def phased_experiment(second_metric="loss"):
    """Counts the steps of each of two phases; entering the second multiplies the first by 100."""

    def count(index, name):
        def step(state, batch, key):
            return state.at[index].add(1.0), {name: state.sum() + 0.0 * batch["numbers"].sum()}

        return step

    return Experiment(
        init=lambda key: jnp.zeros(2),
        step=(
            Phase(0, count(0, "loss")),
            Phase(8, count(1, second_metric), enter=lambda state: state.at[0].multiply(100.0)),
        ),
        evaluate=lambda state, key: {},
        batches=ArrayBatches({"numbers": np.arange(20, dtype=np.float32)}, batch_size=4, seed=0),
    )


def run(folder, hooks=None, steps_per_dispatch=None, experiment=None):
    checkpoints = Checkpoints(folder, lambda line: None)
    try:
        return train(
            experiment or phased_experiment(),
            CADENCE,
            0,
            checkpoints,
            Silent(),
            hooks or Hooks(),
            steps_per_dispatch,
        )
    finally:
        checkpoints.close()


@pytest.mark.parametrize("steps_per_dispatch", [1, 5, 100])
def test_each_phase_has_its_steps_and_is_entered_once(tmp_path, steps_per_dispatch):
    outcome = run(tmp_path, steps_per_dispatch=steps_per_dispatch)
    assert outcome.state.tolist() == [800.0, 4.0]


@pytest.mark.parametrize("stop", [7, 8, 9])
def test_a_run_stopped_about_the_boundary_enters_the_phase_once(tmp_path, stop):
    dispatches = iter(range(1, 100))
    hooks = Hooks(stop_signal=lambda: 15 if next(dispatches) == stop else 0)
    with pytest.raises(Interrupted):
        run(tmp_path, hooks)
    assert run(tmp_path).state.tolist() == [800.0, 4.0]


def test_phases_with_other_metrics_are_refused(tmp_path):
    with pytest.raises(ValueError, match="accuracy"):
        run(tmp_path, experiment=phased_experiment("accuracy"))


def test_a_plain_step_is_one_phase():
    experiment = phased_experiment()._replace(step=jax.numpy.add)
    assert [phase.first_step for phase in experiment.phases] == [0]
