"""Lists every experiment and table: `--list`."""

import textwrap

from lecture_models.commands import discovery
from lecture_models.commands.invocation import Invocation
from lecture_models.training.printing import until_reader_leaves

_WIDTH = 100


def listing(invocation: Invocation, value: bool) -> int:
    """Prints the name and title of each experiment and table, with their papers, data and costs."""
    checkout = invocation.checkout
    with until_reader_leaves():
        print("experiments, with --experiment=NAME:\n")
        for name in discovery.names(checkout.experiments):
            experiment = discovery.entry(checkout.experiments, name)
            print(f"{name}: {experiment.title}")
            for label in ("paper", "data", "cost", "expected"):
                _show(label, getattr(experiment, label))
        print("\ntables, with --table=NAME:\n")
        for name in discovery.names(checkout.tables):
            table = discovery.table_entry(checkout.tables, name)
            print(f"{name}: {table.title}")
            _show("source", table.source)
    return 0


def _show(label: str, text: str) -> None:
    indent = " " * 13
    print(
        textwrap.fill(
            text,
            _WIDTH,
            initial_indent=f"    {label:9}",
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
    )
