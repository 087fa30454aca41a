"""States what the file of a lecture holds, and reads it: `lectures/004.yaml`."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lecture_models.config import UsageError, did_you_mean

FOLDER = Path(__file__).parent
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # The one in C is ten times as fast.
Text = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Number(_Entry):
    """Holds a published number, and where ours is read.

    Attributes:
        what: what is measured, with its unit; "" takes the label of the table's row.
        published: the number as it was printed; "" if the source prints none.
        source: where it was printed.
        spread: standard deviation that was printed with it.
        half_width: the number stands for every number at most this far from it, if it was printed
            without a decimal point but is rounded.
        records: kept runs in `results/runs`, named LABEL_SEED; their mean is ours.
        metric: name of their metric, such as eval/test_error_percent.
        table: a table that has the number in one of its rows.
        page: a page of `results` whose runs are not kept; a cell of one of its tables is ours.
        row: label of the row in the table, or first cell of the row on the page.
        column: heading of the column on the page.
        better: "less" or "more", if ours was trained.
        gap: how ours differs from the published one in protocol or data; it is then not judged.
        decimals: number of decimals when ours is printed.
    """

    what: str = ""
    published: str = ""
    source: str = ""
    spread: float = 0.0
    half_width: float | None = None
    records: str = ""
    metric: str = ""
    table: str = ""
    page: str = ""
    row: str = ""
    column: str = ""
    better: Literal["", "less", "more"] = ""
    gap: str = ""
    decimals: int = 2

    @model_validator(mode="after")
    def _check(self) -> "Number":
        places = [name for name in ("records", "table", "page") if getattr(self, name)]
        if len(places) != 1:
            raise ValueError("ours must be read from one of: records, table, page")
        needed = {"records": ("what", "metric"), "table": ("row",), "page": ("what", "row")}
        missing = [name for name in needed[places[0]] if not getattr(self, name)]
        if missing:
            raise ValueError(f"a number of {places[0]} needs {', '.join(missing)}")
        if self.published and not self.source:
            raise ValueError(f"{self.published} has no source")
        if self.published and not self.gap and not self.better:
            raise ValueError(f"{self.published} is neither judged (better) nor a gap")
        return self


class KeptText(_Entry):
    """Says which text of a kept run is shown, such as a page in the style of Shakespeare.

    Attributes:
        what: what the text is.
        records: kept runs in `results/runs`, named LABEL_SEED, of which the first is read.
        name: the text's name in the run.
    """

    what: Text
    records: Text
    name: Text


class Item(_Entry):
    """Describes one thing that slides show, and what runs it.

    Attributes:
        shows: what the slide shows, in one sentence.
        formulas: its formulas, in TeX.
        run: the flags of `launch.py` that run it, such as "--table=vgg16_memory".
        smoke: other flags that run it in seconds; "" for those of `run` with --preset=smoke.
        why_not: why nothing runs, instead of `run`.
        waits_for: how the name of the experiment begins that the slide waits for; once there is
            one, a test asks for its command here.
        expected: what the slide or the paper prints: a number or a picture.
        numbers: published numbers beside ours.
        page: the page of `results` about it, without folder and suffix.
        pictures: kept pictures in `results`.
        slow: whether the table takes minutes to compute, so that a page does not show it.
        texts: texts of kept runs; the page also shows that of the lecture's own run.
        images: names of the run's pictures that the lecture's page shows; without names the first.
        errata: beginnings of points of `docs/errata.md`.
    """

    shows: Text
    formulas: tuple[Text, ...] = ()
    run: str = ""
    smoke: str = ""
    why_not: str = ""
    waits_for: str = ""
    expected: str = ""
    numbers: tuple[Number, ...] = ()
    page: str = ""
    pictures: tuple[Text, ...] = ()
    slow: bool = False
    texts: tuple[KeptText, ...] = ()
    images: tuple[Text, ...] = ()
    errata: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> "Item":
        if bool(self.run) == bool(self.why_not):
            raise ValueError(f"{self.shows!r} needs either run or why_not")
        if self.waits_for and not self.why_not:
            raise ValueError(f"{self.shows!r} runs, so it waits for nothing; remove waits_for")
        if self.run and not self.run.startswith(("--experiment=", "--table=")):
            raise ValueError(f"run is {self.run!r}; it must begin with --experiment= or --table=")
        return self

    @property
    def table(self) -> str:
        """Returns the name of the table that `run` prints; "" if it is an experiment or nothing."""
        name = self.run.partition(" ")[0].removeprefix("--table=")
        return name if self.run.startswith("--table=") else ""


class Slide(_Entry):
    """Holds what stands below one title.

    Attributes:
        heading: the title of the slide; where a slide has none, a title of ours.
        count: on how many slides in a row the title stands.
        titled: False if the title is ours.
        items: what the slides show.
    """

    heading: Text
    count: Annotated[int, Field(ge=1)] = 1
    titled: bool = True
    items: Annotated[tuple[Item, ...], Field(min_length=1)]


class Lecture(_Entry):
    """Holds a lecture.

    Attributes:
        number: its number, such as "004".
        title: its title.
        by: who gave it, and when.
        about: what it is about, in one sentence.
        slides: its slides, in order.
    """

    number: Text
    title: Text
    by: Text
    about: Text
    slides: Annotated[tuple[Slide, ...], Field(min_length=1)]

    @property
    def items(self) -> tuple[Item, ...]:
        """Returns the items of all slides, in order."""
        return tuple(item for slide in self.slides for item in slide.items)


def numbers(folder: Path = FOLDER) -> list[str]:
    """Returns the numbers of all lectures, in order."""
    return sorted(path.stem for path in folder.glob("[0-9]*.yaml"))


def read_lecture(number: str, folder: Path = FOLDER) -> Lecture:
    """Returns a lecture.

    Args:
        number: its number, such as "004".
        folder: the folder of the files.

    Raises:
        UsageError: there is no such lecture, with the nearest number.
        ValueError: the file does not hold a lecture.
    """
    known = numbers(folder)
    if number not in known:
        raise UsageError(
            f"there is no lecture {number!r}{did_you_mean(number, known)} Lectures: "
            f"{', '.join(known)}; --lecture=list describes them"
        )
    path = folder / f"{number}.yaml"
    try:
        return Lecture.model_validate(yaml.load(path.read_text("utf-8"), _LOADER))
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error
