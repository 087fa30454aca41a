"""FractalNet: depth, convolutions and paths for B blocks of C columns.

Source: Larsson et al., 2016, figure 1, as Li, Deep Learning 2, Fractal Net prints it
"""

import jax
import jax.numpy as jnp

from lecture_models.metrics.convolution_graph import ConvolutionGraph, convolution_graph
from lecture_models.metrics.traced_network import COUNTED, TRACED, trace
from lecture_models.models.fractalnet import FractalNet, column_of
from lecture_models.tables.table import Table, TableContext, TableRow, published

CAPTION = "Li, Deep Learning 2, Fractal Net, figure 1: this example has depth 40 (B = 5, C = 4)"
FORMULA = "the same caption: the depth is B 2^(C-1)"
SIZES = ((1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (5, 3), (5, 4))


def build(context: TableContext) -> Table:
    rows = []
    for blocks, columns in SIZES:
        graph = _graph(_fractal(blocks, columns))
        name = f"B = {blocks}, C = {columns}"
        depth = str(blocks * 2 ** (columns - 1))
        source = CAPTION if (blocks, columns) == (5, 4) else FORMULA
        rows += [
            TableRow(f"{name}: depth", published(depth, source), graph.depth, TRACED),
            TableRow(f"{name}: convolutions", None, graph.convolutions, TRACED),
            TableRow(f"{name}: paths from input to output", None, graph.paths, TRACED),
        ]
    deepest = column_of(_fractal(5, 4), 4)
    paper = FractalNet()
    alone = column_of(paper, 3)
    rows += [
        TableRow(
            "B = 5, C = 4: the deepest column alone, depth",
            published("40", CAPTION),
            _graph(deepest).depth,
            TRACED,
        ),
        TableRow("FractalNet-20: parameters", None, trace(paper, 32, 32, 3).num_params, COUNTED),
        TableRow(
            "FractalNet-20, deepest column: parameters",
            None,
            trace(alone, 32, 32, 3).num_params,
            COUNTED,
        ),
    ]
    notes = (
        "The depth is the number of convolutions on the longest path. Paths are counted in the "
        "program's graph, not by the formula p -> p^2 + 1 for one block.",
        "FractalNet-20 has B = 5 blocks of C = 3 columns, with 64, 128, 256, 512, 512 channels.",
    )
    return Table(tuple(rows), notes)


def _fractal(blocks: int, columns: int) -> FractalNet:
    return FractalNet(channels=(4,) * blocks, num_columns=columns, dropout=(0.0,) * blocks)


def _graph(model) -> ConvolutionGraph:
    images = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    variables = jax.eval_shape(model.init, jax.random.key(0), images)
    return convolution_graph(lambda *given: model.apply(*given)[0], variables, images)
