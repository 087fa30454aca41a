"""Least squares: normal equations, QR, SVD, ridge and gradient descent, with their proofs.

    python launch.py --experiment=least_squares
    python launch.py --experiment=least_squares --csv=FILE.csv --target=COLUMN

Paper: Penrose, 1955, A generalized inverse for matrices; Eckart and Young, 1936, The approximation
  of one matrix by another of lower rank; the lecture's slides on least squares and the SVD
Data: a made curve, or the numbers of a CSV file; a picture for compression
Cost: 20 seconds
Expected: every statement of the lecture holds to rounding, but for its V S U^T, which lacks the
  inverse of S; the normal equations lose twice as many digits as QR; see results/least_squares.md
"""

import dataclasses
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from lecture_models.config import require_at_least, require_between, require_single
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.evaluators.least_squares import (
    PRECISIONS,
    Problem,
    deficient,
    solvers,
    table_of_ill_conditioned,
    table_of_methods,
    table_of_statements,
)
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.linear import least_squares as ls
from lecture_models.linear.conditioning import course_of_descent, draw_problems, median_error
from lecture_models.linear.projection import low_rank, projector
from lecture_models.metrics.reconstruction import psnr
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.plots.projection import projection_plot
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment

CONDITIONS = (3.0, 10.0, 30.0)  # Of the matrices of gradient descent.
CHECKED = {"float32": 1e3, "float64": 1e6}  # The condition numbers whose errors are metrics.
RANKS = (1, 5, 20, 50, 100)  # Of the compressed pictures.


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    csv: str = ""  # CSV file of numbers; empty for points near a sine.
    target: str = ""  # Column of --csv that the others explain; empty for the last.
    images: tuple[str, ...] = ("sample:camera",)  # The picture that is compressed by its SVD.
    size: int = 256  # Larger side of the picture in pixels.
    num_points: int = 10  # On the sine.
    noise: float = 0.2  # Standard deviation of the points' distances to the sine.
    # Of the polynomials; their table of methods is of the 2nd.
    degrees: tuple[int, ...] = (1, 3, 9)
    ridge: float = 1e-6  # Weight of |x|^2, as a share of the squared largest singular value.
    num_rows: int = 40  # Of the matrices of known condition number.
    num_columns: int = 8
    trials: int = 20  # Matrices for each condition number.
    descent_steps: int = 5_000  # Of gradient descent.

    def __post_init__(self):
        super().__post_init__()
        require_single(self, "images")
        require_at_least(self, 16, "size")
        require_at_least(self, 1, "degrees", "trials", "descent_steps")
        require_at_least(self, 2, "num_columns", "num_points")
        require_at_least(self, self.num_columns, "num_rows")
        require_at_least(self, 0.0, "noise")
        require_between(self, 1e-12, 1.0, "ridge")
        if len(self.degrees) < 2:
            raise ValueError(f"--degrees has {len(self.degrees)} values; it must have 2 or more")
        if self.target and not self.csv:
            raise ValueError(f"--target is {self.target}; it names a column of --csv")


SMOKE = {
    "size": 32,
    "num_rows": 8,
    "num_columns": 3,
    "trials": 2,
    "descent_steps": 50,
    "degrees": (1, 2),
    "num_points": 6,
}


def sine_points(config: Config, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns places in [0, 1] and noisy values of sin 2 pi t: Bishop, 2006, section 1.1."""
    random = np.random.default_rng(config.seed)
    places = np.linspace(0.0, 1.0, count)
    return places, np.sin(2.0 * np.pi * places) + config.noise * random.normal(size=count)


def powers(places: np.ndarray, degree: int) -> Float64[np.ndarray, "row column"]:
    return np.vander(places, degree + 1, increasing=True)


def problem_of(config: Config, library: Library) -> Problem:
    """Returns the problem of the user's table, or the polynomial of the second degree given."""
    if not config.csv:
        places, values = sine_points(config, config.num_points)
        degree = config.degrees[1]
        names = tuple(f"t^{power}" for power in range(degree + 1))
        described = f"{len(places)} points near a sine, a polynomial of degree {degree}"
        return Problem(powers(places, degree), values, names, described)
    table = library.numbers("--csv", config.csv)
    chosen = table.column(config.target, "--target")
    if len(table.columns) < 2:
        raise DataError("--csv has 1 column of numbers; there must be a target and another")
    others = np.delete(table.values, chosen, axis=1)
    names = (*(name for name in table.columns if name != table.columns[chosen]), "constant")
    matrix = np.concatenate([others, np.ones((len(others), 1))], axis=1)
    described = f"{table.provenance.source}, explaining {table.columns[chosen]}"
    return Problem(matrix, table.values[:, chosen], names, described)


def conditioning_plots(config: Config) -> tuple[Images, dict[str, float]]:
    """Returns the error of each way over the condition number, in both precisions."""
    plots, scalars = [], {}
    for precision, dtype in PRECISIONS:
        epsilon = float(jnp.finfo(dtype).eps)
        decades = round(-np.log10(epsilon)) + 1
        numbers = np.logspace(0, decades, 2 * decades + 1)
        random = np.random.default_rng(config.seed)
        shape = (config.num_rows, config.num_columns)
        drawn = [draw_problems(random, config.trials, shape, number) for number in numbers]
        curves = []
        for color, (name, solve) in enumerate(solvers(10.0 * epsilon, True).items()):
            solve_all = jax.jit(jax.vmap(solve))
            errors = [median_error(solve_all, problems, dtype) for problems in drawn]
            curves.append(Curve(name, numbers, np.clip(errors, 1e-17, 1e3), color, marker="o"))
            if name in ("normal equations", "QR"):
                place = 2 * round(np.log10(CHECKED[precision]))
                label = name.replace(" ", "_").lower()
                scalars[f"{label}_error_{precision}"] = errors[place]
        for power, style in ((1, ":"), (2, "--")):
            bound = np.clip(epsilon * numbers**power, 1e-17, 1e3)
            words = f"{epsilon:.1g} times condition{' squared' * (power == 2)}"
            curves.append(Curve(words, numbers, bound, 7, style))
        plots.append(
            line_plot(
                curves,
                ("condition number of A", "relative error of x, median"),
                precision,
                "xy",
                (epsilon / 10.0, 1e3),
            )
        )
    caption = (
        "the normal equations lose the digits of the squared condition number, QR and SVD those of "
        "the condition number; ridge, with a share of 10 roundings, has an error of its own that "
        "stays bounded; 1e3 stands for no result"
    )
    return Images(np.stack(plots), 2, caption), scalars


def descent_plot(config: Config) -> tuple[Images, DataTable]:
    random = np.random.default_rng(config.seed)
    curves, rows = [], []
    steps = np.arange(1, config.descent_steps + 1)
    for color, condition in enumerate(CONDITIONS):
        shape = (config.num_rows, config.num_columns)
        problems = draw_problems(random, 1, shape, condition)
        for share in (0.9, 1.01) if condition == CONDITIONS[0] else (0.9,):
            course = course_of_descent(
                problems.matrices[0], problems.solutions[0], share, config.descent_steps
            )
            name = f"condition {condition:g}, step {share:g} / s_1^2"
            shown = np.where(course.errors < 1e4, course.errors, np.nan)
            style = "-" if share < 1.0 else "--"
            curves.append(Curve(name, steps, shown, color, style))
            needed = course.needed or "not reached"
            rows.append((condition, share, needed, course.predicted, float(course.errors[-1])))
    picture = line_plot(
        curves,
        ("step", "|x - solution| / |solution|"),
        "gradient descent on |Ax - b|^2",
        "xy",
        (1e-7, 1e4),
    )
    columns = ("condition", "step times s_1^2", "steps to 1e-3", "slowest direction", "last error")
    caption = (
        "the number of steps grows with the squared condition number; a step above 1 / s_1^2 "
        "diverges"
    )
    return Images(picture[None], 1, caption), DataTable(columns, tuple(rows), caption)


def polynomial_plots(config: Config) -> tuple[Images, str]:
    """Returns polynomials through noisy points, and the errors on new points as text."""
    places, values = sine_points(config, config.num_points)
    fine = np.linspace(0.0, 1.0, 200)
    truth = np.sin(2.0 * np.pi * fine)
    plots, lines = [], []
    fits = [(degree, 0.0) for degree in config.degrees] + [(config.degrees[-1], config.ridge)]
    for degree, share in fits:
        matrix = jnp.asarray(powers(places, degree))
        penalty = share * float(jnp.linalg.norm(matrix, 2)) ** 2
        solve = partial(ls.solve_ridge, strength=penalty) if share else ls.solve_svd
        found = np.asarray(solve(matrix, jnp.asarray(values)))
        curve = powers(fine, degree) @ found
        words = f"degree {degree}" + f", ridge {share:.0e}" * bool(share)
        error = float(np.sqrt(np.mean((curve - truth) ** 2)))
        inside = float(np.sqrt(np.mean((powers(places, degree) @ found - values) ** 2)))
        lines.append(
            f"{words}: RMS error {inside:.3f} at the points, {error:.3f} from the sine, largest "
            f"coefficient {np.abs(found).max():,.1f}"
        )
        curves = [
            Curve("sin 2 pi t", fine, truth, 2, ":"),
            Curve(words, fine, curve, 3),
            Curve("points", places, values, 0, "", "o"),
        ]
        plots.append(line_plot(curves, ("t", ""), words, limits=(-2.0, 2.0)))
    caption = "polynomials by least squares; a penalty on the coefficients calms the last one"
    return Images(np.stack(plots), 2, caption), "\n".join(lines)


def compression(config: Config, library: Library) -> Callable[[], tuple[Images, DataTable]]:
    """Returns what compresses the picture, which is read at once, by fewer singular values."""
    pixels = library.picture(config.images[0], config.size).pixels
    gray = np.asarray(pixels, np.float64).mean(axis=2) / 127.5 - 1.0

    def compress() -> tuple[Images, DataTable]:
        matrix = jnp.asarray(gray)
        squares = np.asarray(ls.svd(matrix).values) ** 2
        ranks = [rank for rank in RANKS if rank < len(squares)]
        pictures, rows = [gray], []
        for rank in ranks:
            nearest = np.asarray(low_rank(matrix, rank))
            error, dropped = float(((nearest - gray) ** 2).sum()), float(squares[rank:].sum())
            quality = float(psnr(nearest[None, ..., None], gray[None, ..., None])[0])
            size = rank * (sum(gray.shape) + 1) / gray.size
            rows.append((rank, size, quality, error, dropped))
            pictures.append(nearest)
        columns = ("rank", "share of the numbers", "PSNR in dB", "squared error", "dropped s^2")
        caption = f"the picture, then its nearest matrices of rank {', '.join(map(str, ranks))}"
        images = Images(np.stack(pictures)[..., None].astype(np.float32), 3, caption)
        return images, DataTable(columns, tuple(rows), "Eckart and Young: the last two are equal")

    return compress


def geometry() -> Images:
    """Returns the picture of a vector of space and its projection onto a plane."""
    matrix = jnp.array([[1.0, 0.2], [0.1, 1.0], [0.3, 0.1]])
    target = jnp.array([0.7, 0.9, 1.4])
    picture = projection_plot(
        matrix, target, projector(matrix) @ target, matrix @ jnp.array([1.2, 0.1])
    )
    return Images(picture[None], 1, "Pb is the point of col(A) that is nearest to b: Pythagoras")


def make_evaluate(config: Config, problem: Problem, compress: Callable):
    def evaluate(state, key) -> Evaluation:
        rows, columns = problem.matrix.shape
        ways = solvers(config.ridge, rows >= columns)
        more = deficient(problem)
        more_ways = solvers(config.ridge, rows > columns)
        proofs, scalars = table_of_statements(more)
        conditioning, errors = conditioning_plots(config)
        ill_conditioned, ill_errors = table_of_ill_conditioned(solvers(config.ridge, True))
        descent, descent_table = descent_plot(config)
        polynomials, polynomial_lines = polynomial_plots(config)
        compressed, compression_table = compress()
        rank = int(ls.svd(jnp.asarray(problem.matrix)).kept.sum())
        exact = np.asarray(ls.solve_svd(jnp.asarray(problem.matrix), jnp.asarray(problem.target)))
        coefficients = tuple(zip(problem.names, map(float, exact), strict=True))
        alarm = ""
        if rank < columns:
            alarm = (
                f"the {columns} columns have rank {rank}: the normal equations and QR do not "
                "apply; SVD gives the shortest of many solutions"
            )
        return {
            **scalars,
            **errors,
            **ill_errors,
            "rank": float(rank),
            "condition": float(np.linalg.cond(problem.matrix)),
            "methods": table_of_methods(problem, ways, problem.described),
            "methods_without_full_rank": table_of_methods(more, more_ways, more.described),
            "coefficients": DataTable(("column", "x"), coefficients, problem.described),
            "statements": proofs,
            "conditioning": conditioning,
            "ill_conditioned": ill_conditioned,
            "descent": descent,
            "descent_steps": descent_table,
            "polynomials": polynomials,
            "polynomial_errors": polynomial_lines,
            "compressed": compressed,
            "compression": compression_table,
            "geometry": geometry(),
            "alarm_rank": alarm,
        }

    def in_double_precision(state, key) -> Evaluation:
        with jax.enable_x64(True):
            return evaluate(state, key)

    return in_double_precision


def build(config: Config, library: Library) -> Experiment:
    problem = problem_of(config, library)
    return analysis_experiment(make_evaluate(config, problem, compression(config, library)))
