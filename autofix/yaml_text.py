"""YAML that anybody may have written: read without running code from it or being drowned by it."""

from __future__ import annotations

from typing import Any

from autofix.errors import FixYourCall

# Line breaks to YAML, but to nobody else.
UNICODE_BREAKS = ("\x85", "\u2028", "\u2029")
DEEPEST = 100  # levels of nesting; a serialized Keras model has about 20


def write(document: Any) -> str:
    """Returns plain data as YAML that `read` gives back equal."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes what PyYAML would write bare and read back as a space."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if any(character in value for character in UNICODE_BREAKS) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return str(yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120))


def read(text: str) -> Any:
    """Returns the data in a YAML text.

    Raises:
        FixYourCall: If the text is not plain YAML, refers to itself (`*name`: a few lines of references to references
            stand for gigabytes) or is nested deeper than 100 levels.
    """
    import yaml

    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise FixYourCall("the YAML must not hold aliases (`*name`). Write the values out.")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise FixYourCall(f"the YAML must not be nested deeper than {DEEPEST} levels.")
        return yaml.safe_load(text)
    except FixYourCall:
        raise
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise FixYourCall(f"this is not plain YAML: {error}") from error
