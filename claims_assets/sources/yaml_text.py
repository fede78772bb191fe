"""YAML in which every value is text: `NO` stays "NO", `01` stays "01", and a key may stand only once."""

from pathlib import Path
from typing import Any

import yaml

from claims_assets.sources.feeds import LandingError


class _TextLoader(yaml.BaseLoader):
    """BaseLoader resolves no types; this one also refuses a key that is written twice, of which YAML keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key that is not a single word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_text(path: Path) -> Any:
    """The document of a YAML file with all scalars as text; None for an empty file.

    Raises:
        LandingError: the file is no YAML, or holds a key twice; the message names file and line.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_TextLoader)  # makes text only, no objects
    except UnicodeDecodeError:
        raise LandingError(f"{path.name}: not UTF-8 text: save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise LandingError(f"{path.name}{line}: not usable YAML ({error.problem}): correct it.") from None
    except yaml.YAMLError as error:
        raise LandingError(f"{path.name}: not usable YAML ({str(error).splitlines()[0]}): correct it.") from None
