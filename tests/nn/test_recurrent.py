"""Tests recurrent cells against the slide's equations, by hand, and against PyTorch."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.recurrent import RecurrentLayer, length_mask, run_cell
from lecture_models.nn.recurrent_cells import gru, lstm, project, rnn, zero_carry
from lecture_models.nn.recurrent_stack import RecurrentStack

FEATURES, INPUTS, TIME, BATCH = 5, 3, 7, 4
CELLS = {
    "rnn": rnn(),
    "lstm": lstm(),
    "peephole": lstm(peephole=True),
    "layer_norm": lstm(layer_norm=True),
    "gru": gru(),
}
every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def sequences(key=0, time=TIME):
    return jax.random.normal(jax.random.key(key), (BATCH, time, INPUTS))


def initialized(module, inputs, key=1):
    """Returns variables in which no weight is 0, so that every term counts."""
    variables = jax.jit(module.init)(jax.random.key(key), inputs)
    leaves, tree = jax.tree.flatten(variables)
    keys = jax.random.split(jax.random.key(key + 1), len(leaves))
    return tree.unflatten(
        [
            leaf + 0.3 * jax.random.normal(k, leaf.shape)
            for leaf, k in zip(leaves, keys, strict=True)
        ]
    )


def sigmoid(values):
    return 1.0 / (1.0 + np.exp(-values))


def numpy_weights(variables):
    weights = {
        name: np.asarray(value)
        for name, value in variables["params"].items()
        if name != "input_product"
    }
    return weights, np.asarray(variables["params"]["input_product"]["kernel"])


def test_the_rnn_follows_the_slide():
    layer, inputs = RecurrentLayer(FEATURES, rnn()), sequences()
    variables = initialized(layer, inputs)
    weights, kernel = numpy_weights(variables)
    hidden = np.zeros((BATCH, FEATURES))
    for x in np.asarray(inputs).swapaxes(0, 1):
        hidden = np.tanh(hidden @ weights["recurrent_kernel"] + x @ kernel + weights["bias"])
    (last,), outputs = layer.apply(variables, inputs)
    np.testing.assert_allclose(last, hidden, atol=1e-6)
    np.testing.assert_array_equal(outputs[:, -1], last)


@pytest.mark.parametrize("peephole", [False, True])
def test_the_lstm_follows_the_slide_with_its_own_kernel_for_f(peephole):
    layer, inputs = RecurrentLayer(FEATURES, lstm(peephole=peephole)), sequences()
    variables = initialized(layer, inputs)
    weights, kernel = numpy_weights(variables)
    by_gate = [
        np.split(array, 4, axis=-1)
        for array in (weights["recurrent_kernel"], kernel, weights["bias"])
    ]
    (h_i, h_f, h_c, h_o), (x_i, x_f, x_c, x_o), (b_i, b_f, b_c, b_o) = by_gate
    seen = weights.get("peephole", np.zeros((3, FEATURES)))
    h, c = np.zeros((BATCH, FEATURES)), np.zeros((BATCH, FEATURES))
    for x in np.asarray(inputs).swapaxes(0, 1):
        f = sigmoid(h @ h_f + x @ x_f + b_f + seen[1] * c)
        i = sigmoid(h @ h_i + x @ x_i + b_i + seen[0] * c)
        c = f * c + i * np.tanh(h @ h_c + x @ x_c + b_c)
        o = sigmoid(h @ h_o + x @ x_o + b_o + seen[2] * c)
        h = o * np.tanh(c)
    carry, _ = layer.apply(variables, inputs)
    np.testing.assert_allclose(carry[0], h, atol=1e-6)
    np.testing.assert_allclose(carry[1], c, atol=1e-6)


@every_cell
def test_the_scan_equals_a_loop_of_single_steps(cell):
    layer, inputs = RecurrentLayer(FEATURES, cell), sequences()
    variables = initialized(layer, inputs)
    carry, outputs = layer.apply(variables, inputs)
    stepped = zero_carry(cell, BATCH, FEATURES)
    for time in range(TIME):
        stepped, output = layer.apply(variables, stepped, inputs[:, time], method="step")
        np.testing.assert_allclose(output, outputs[:, time], atol=1e-6)
    for one, other in zip(carry, stepped, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
@every_cell
def test_padding_changes_nothing(cell, reverse):
    layer, inputs = RecurrentLayer(FEATURES, cell, reverse), sequences()
    variables = initialized(layer, inputs)
    lengths = jnp.array([TIME, 3, 1, 5])
    carry, outputs = layer.apply(variables, inputs, mask=length_mask(lengths, TIME))
    for row, length in enumerate(lengths.tolist()):
        alone, expected = layer.apply(variables, inputs[row : row + 1, :length])
        np.testing.assert_allclose(outputs[row, :length], expected[0], atol=1e-6)
        np.testing.assert_allclose(carry[-1][row], alone[-1][0], atol=1e-6)
        assert not np.asarray(outputs[row, length:]).any()


@every_cell
def test_order_matters_and_a_bag_of_elements_does_not_see_it(cell):
    layer, inputs = RecurrentLayer(FEATURES, cell), sequences()
    variables = initialized(layer, inputs)
    (last, *_), _ = layer.apply(variables, inputs)
    (turned, *_), _ = layer.apply(variables, inputs[:, ::-1])
    assert float(jnp.abs(last - turned).max()) > 0.05
    np.testing.assert_allclose(inputs.sum(1), inputs[:, ::-1].sum(1), atol=1e-5)


@pytest.mark.parametrize("time", [5, 500])
def test_the_number_of_parameters_does_not_depend_on_the_length(time):
    shapes = jax.eval_shape(
        RecurrentLayer(FEATURES, lstm()).init, jax.random.key(0), jnp.zeros((1, time, INPUTS))
    )
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert count == 4 * (FEATURES * (FEATURES + INPUTS) + FEATURES)


@every_cell
def test_the_stated_number_of_parameters_is_that_of_the_layer(cell):
    shapes = jax.eval_shape(RecurrentLayer(FEATURES, cell).init, jax.random.key(0), sequences())
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert count == cell.num_parameters(FEATURES, INPUTS)


def held_gates(forget, admit, features=FEATURES):
    """Returns weights of an LSTM without recurrence, and what the inputs add to its gates."""
    weights = {"recurrent_kernel": jnp.zeros((features, 4 * features))}
    return weights, jnp.repeat(jnp.array([admit, forget, 0.7, 0.0]), features)


def test_an_open_forget_gate_keeps_the_memory_for_a_thousand_steps():
    weights, gates = held_gates(forget=1e3, admit=-1e3)
    memory = jax.random.normal(jax.random.key(3), (BATCH, FEATURES))
    projected = jnp.broadcast_to(gates, (1_000, BATCH, 4 * FEATURES))
    (_, kept), _ = run_cell(lstm(), weights, (jnp.zeros_like(memory), memory), projected)
    np.testing.assert_array_equal(kept, memory)


def test_the_memorys_derivative_by_its_past_is_the_forget_gate():
    weights, gates = held_gates(forget=0.4, admit=0.2, features=1)
    value = lambda memory: lstm().advance(  # noqa: E731
        weights, (jnp.zeros((1, 1)), memory[None, None]), gates[None]
    )[1][0, 0]
    assert jax.grad(value)(jnp.float32(1.7)) == jax.nn.sigmoid(jnp.float32(0.4))


@every_cell
def test_gradients_equal_finite_differences(cell):
    layer, inputs = RecurrentLayer(2, cell), sequences(time=4)
    variables = initialized(layer, inputs)
    loss = jax.jit(lambda v: jnp.sin(3.0 * layer.apply(v, inputs)[1]).sum())
    leaves, tree = jax.tree.flatten(variables)
    slopes = jax.tree.leaves(jax.grad(loss)(variables))
    direction = [jax.random.normal(jax.random.key(n), leaf.shape) for n, leaf in enumerate(leaves)]
    at = lambda t: loss(tree.unflatten([a + t * d for a, d in zip(leaves, direction, strict=True)]))  # noqa: E731
    expected = sum(float((s * d).sum()) for s, d in zip(slopes, direction, strict=True))
    assert float(at(5e-3) - at(-5e-3)) / 1e-2 == pytest.approx(expected, rel=5e-3, abs=5e-3)


def test_back_propagation_through_time_by_hand_is_jaxs_gradient():
    layer, inputs = RecurrentLayer(FEATURES, rnn()), sequences()
    variables = initialized(layer, inputs)
    weights, kernel = numpy_weights(variables)
    x, w = np.asarray(inputs, np.float64), weights["recurrent_kernel"].astype(np.float64)
    hidden = [np.zeros((BATCH, FEATURES))]
    for time in range(TIME):
        hidden.append(np.tanh(hidden[-1] @ w + x[:, time] @ kernel + weights["bias"]))
    slope, by_kernel = np.zeros((BATCH, FEATURES)), np.zeros_like(w)
    for time in reversed(range(TIME)):
        slope = (slope + 1.0) * (1.0 - hidden[time + 1] ** 2)  # The loss is the sum of outputs.
        by_kernel += hidden[time].T @ slope
        slope = slope @ w.T
    gradient = jax.grad(lambda v: layer.apply(v, inputs)[1].sum())(variables)
    np.testing.assert_allclose(
        gradient["params"]["recurrent_kernel"], by_kernel, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_flax_gives_the_same_outputs(kind):
    inputs = sequences()
    theirs = nn.RNN({"lstm": nn.OptimizedLSTMCell, "gru": nn.GRUCell}[kind](FEATURES))
    variables = initialized(theirs, inputs)
    cell, names = {"lstm": (lstm(), "ifgo"), "gru": (gru(), "rzn")}[kind]
    (gates,) = variables["params"].values()
    weights = {
        "recurrent_kernel": jnp.concatenate([gates[f"h{g}"]["kernel"] for g in names], axis=1)
    }
    if kind == "lstm":
        weights["bias"] = jnp.concatenate([gates[f"h{g}"]["bias"] for g in names])
    else:
        weights["bias"] = jnp.concatenate([gates[f"i{g}"]["bias"] for g in names])
        weights["candidate_bias"] = gates["hn"]["bias"]
    kernel = jnp.concatenate([gates[f"i{g}"]["kernel"] for g in names], axis=1)
    projected = project(cell, weights, inputs.swapaxes(0, 1) @ kernel)
    _, outputs = run_cell(cell, weights, zero_carry(cell, BATCH, FEATURES), projected)
    expected = theirs.apply(variables, inputs).swapaxes(0, 1)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_torch_gives_the_same_outputs(kind):
    torch = pytest.importorskip("torch")
    network = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind]
    theirs = network(INPUTS, FEATURES, batch_first=True)
    inputs = np.asarray(sequences())
    with torch.no_grad():
        expected, _ = theirs(torch.from_numpy(inputs.copy()))
        from_torch = {name: jnp.asarray(p.numpy()) for name, p in theirs.named_parameters()}
    by_input, by_state = from_torch["bias_ih_l0"], from_torch["bias_hh_l0"]
    weights = {"recurrent_kernel": from_torch["weight_hh_l0"].T, "bias": by_input + by_state}
    if kind == "gru":
        shared = 2 * FEATURES
        weights["bias"] = by_input.at[:shared].add(by_state[:shared])
        weights["candidate_bias"] = by_state[shared:]
    cell = CELLS[kind]
    projected = project(cell, weights, inputs.swapaxes(0, 1) @ from_torch["weight_ih_l0"].T)
    _, outputs = run_cell(cell, weights, zero_carry(cell, BATCH, FEATURES), projected)
    np.testing.assert_allclose(outputs, expected.numpy().swapaxes(0, 1), atol=1e-5)


def test_layer_norm_makes_the_lstm_blind_to_the_scale_of_its_kernels():
    layer, inputs = RecurrentLayer(FEATURES, lstm(layer_norm=True)), 10.0 * sequences()
    variables = initialized(layer, inputs)
    params = variables["params"]
    scaled = params | {
        "recurrent_kernel": 3.0 * params["recurrent_kernel"],
        "input_product": {"kernel": 3.0 * params["input_product"]["kernel"]},
    }
    _, outputs = layer.apply(variables, inputs)
    _, expected = layer.apply({"params": scaled}, inputs)
    np.testing.assert_allclose(outputs, expected, atol=2e-3)


def test_carrying_the_state_over_chunks_equals_the_whole_sequence():
    stack, inputs = RecurrentStack((FEATURES, 4), gru()), sequences()
    variables = initialized(stack, inputs)
    _, whole = stack.apply(variables, inputs)
    carries, first = stack.apply(variables, inputs[:, :3])
    _, second = stack.apply(variables, inputs[:, 3:], carries)
    np.testing.assert_allclose(jnp.concatenate([first, second], axis=1), whole, atol=1e-6)


def test_a_bidirectional_stack_of_turned_sequences_exchanges_its_directions():
    stack, inputs = RecurrentStack((FEATURES,), lstm(), bidirectional=True), sequences()
    variables = initialized(stack, inputs)
    params = variables["params"]
    exchanged = {"layers_0": params["layers_1"], "layers_1": params["layers_0"]}
    _, outputs = stack.apply(variables, inputs)
    _, turned = stack.apply({"params": exchanged}, inputs[:, ::-1])
    np.testing.assert_allclose(outputs[..., :FEATURES], turned[:, ::-1, FEATURES:], atol=1e-6)
    with pytest.raises(ValueError, match="bidirectional stack takes no single steps"):
        stack.apply(variables, stack.zero_carries(BATCH), inputs[:, 0], method="step")


def top_layer_inputs(variational):
    """Returns what reaches the second layer, which is made to add up without end."""
    stack = RecurrentStack((64, 64), rnn(lambda x: x), dropout=0.5, variational=variational)
    inputs = jnp.ones((1, 6, 1))
    variables = stack.init(jax.random.key(0), inputs)
    params = variables["params"]
    lower = {**params["layers_0"], "recurrent_kernel": jnp.zeros((64, 64))}
    lower |= {"input_product": {"kernel": jnp.ones((1, 64))}}
    upper = {**params["layers_1"], "recurrent_kernel": jnp.zeros((64, 64))}
    upper |= {"input_product": {"kernel": jnp.eye(64)}}
    variables = {"params": {"layers_0": lower, "layers_1": upper}}
    keys = {"dropout": jax.random.key(5)}
    return stack.apply(variables, inputs, training=True, rngs=keys)[1][0]


def test_variational_dropout_drops_the_same_inputs_at_all_steps():
    same, fresh = np.asarray(top_layer_inputs(True)), np.asarray(top_layer_inputs(False))
    np.testing.assert_array_equal(same, np.broadcast_to(same[0], same.shape))
    assert (fresh != fresh[0]).any()
    assert set(np.unique(fresh)) == {0.0, 2.0}


def test_zoneout_keeps_values_and_its_mean_is_used_without_training():
    layer = RecurrentLayer(400, lstm(), zoneout=(0.3, 0.6))
    inputs = sequences(time=1)
    variables = layer.init(jax.random.key(0), inputs)
    start = (jnp.full((BATCH, 400), 9.0), jnp.full((BATCH, 400), 7.0))
    keys = {"dropout": jax.random.key(1)}
    (hidden, memory), _ = layer.apply(variables, inputs, start, training=True, rngs=keys)
    assert float((hidden == 9.0).mean()) == pytest.approx(0.3, abs=0.05)
    assert float((memory == 7.0).mean()) == pytest.approx(0.6, abs=0.05)
    plain = RecurrentLayer(400, lstm())
    (bare_hidden, bare_memory), _ = plain.apply(variables, inputs, start)
    (hidden, memory), _ = layer.apply(variables, inputs, start)
    np.testing.assert_allclose(hidden, 0.3 * 9.0 + 0.7 * bare_hidden, rtol=1e-5)
    np.testing.assert_allclose(memory, 0.6 * 7.0 + 0.4 * bare_memory, rtol=1e-5)
    stepped, _ = layer.apply(variables, start, inputs[:, 0], method="step")
    np.testing.assert_allclose(stepped[1], memory, rtol=1e-5)


def test_zoneout_needs_a_rate_for_each_carried_array():
    with pytest.raises(ValueError, match="zoneout has 1 values; LSTM needs one for each of its 2"):
        RecurrentLayer(3, lstm(), zoneout=(0.1,)).init(jax.random.key(0), sequences())


def test_the_forget_gate_starts_open():
    variables = RecurrentLayer(FEATURES, lstm()).init(jax.random.key(0), sequences())
    bias = np.asarray(variables["params"]["bias"]).reshape(4, FEATURES)
    np.testing.assert_array_equal(bias.sum(1), [0.0, FEATURES, 0.0, 0.0])
    kernel = variables["params"]["recurrent_kernel"][:, :FEATURES]
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(FEATURES), atol=1e-5)
