"""Reads a YAML file strictly: it refuses a key that is there twice or that is not a text."""

from pathlib import Path
from typing import Any

import yaml

from lecture_models.config import UsageError

_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


def read_yaml(path: Path) -> Any:
    """Returns the content of a sweep's file.

    Raises UsageError in one line if the file cannot be read or is not valid YAML.
    """
    try:
        return yaml.load(path.read_text("utf-8"), _StrictLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"cannot read --sweep={path}: {reason}") from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        problem = ": ".join(part for part in (error.context, error.problem) if part)
        raise UsageError(f"{path} is not valid YAML: {line}{problem}") from error
    except RecursionError as error:
        raise UsageError(f"{path} is not valid YAML: it is nested too deeply") from error
    # A tag that does not fit its value, such as !!int x, raises errors of several types.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise UsageError(f"{path} is not valid YAML: {error}") from error


class _StrictLoader(yaml.SafeLoader):
    """Builds plain Python values. Dates stay texts, because no flag is a date."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        names = set()
        for key, _ in node.value:
            if key.tag not in (_TEXT, _MERGE):
                kind = key.tag.rpartition(":")[2]
                raise _error(f"YAML reads the key {_written(key)} as {kind}; quote it", key)
            if key.tag == _TEXT and key.value in names:
                raise _error(f"the key {_written(key)} is there twice", key)
            names.add(key.value)
        return node


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _written(key: yaml.Node) -> str:
    return repr(key.value) if isinstance(key, yaml.ScalarNode) else "of several values"


def _error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
