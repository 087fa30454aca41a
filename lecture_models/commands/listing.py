"""`--list`: every experiment and table, by discovery."""

from lecture_models.commands.invocation import Invocation
from lecture_models.runtime import catalogue
from lecture_models.runtime.printing import until_reader_leaves


def listing(invocation: Invocation, given: bool) -> int:
    """Prints names, titles, papers, data and costs."""
    house = invocation.house
    with until_reader_leaves():
        for name in catalogue.names(house.experiments):
            entry = catalogue.entry(house.experiments, name)
            print(f"{name}: {entry.title}")
            for label in ("paper", "data", "cost", "expected"):
                print(f"    {label:9}{getattr(entry, label)}")
        print("\ntables, with --table=NAME:")
        for name in catalogue.names(house.tables):
            entry = catalogue.table_entry(house.tables, name)
            print(f"{name}: {entry.title}\n    source   {entry.source}")
    return 0
