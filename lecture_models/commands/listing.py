"""`--list`: every experiment and table, by discovery."""

from lecture_models.commands import discovery
from lecture_models.commands.invocation import Invocation
from lecture_models.training.printing import until_reader_leaves


def listing(invocation: Invocation, given: bool) -> int:
    """Prints names, titles, papers, data and costs."""
    house = invocation.house
    with until_reader_leaves():
        for name in discovery.names(house.experiments):
            entry = discovery.entry(house.experiments, name)
            print(f"{name}: {entry.title}")
            for label in ("paper", "data", "cost", "expected"):
                print(f"    {label:9}{getattr(entry, label)}")
        print("\ntables, with --table=NAME:")
        for name in discovery.names(house.tables):
            entry = discovery.table_entry(house.tables, name)
            print(f"{name}: {entry.title}\n    source   {entry.source}")
    return 0
