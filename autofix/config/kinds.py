"""The kinds of config files that there are: what they hold, and an example of each."""

from __future__ import annotations

import importlib
import json
from importlib.resources import files

from autofix.config.fields import Section

# The module and class of what each kind holds. Read when it is asked for.
KINDS = {
    "sweep": ("autofix.sweeps.config", "Sweep"),
    "pipeline": ("autofix.retraining.config", "Pipeline"),
}


def model(kind: str) -> type[Section]:
    """Returns the pydantic model of a kind of config."""
    module, name = KINDS[kind]
    found: type[Section] = getattr(importlib.import_module(module), name)
    return found


def schema(kind: str) -> str:
    """Returns the JSON schema of a kind of config, for editors that check while one types."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model(kind).model_json_schema()}
    return json.dumps(document, indent=2)


def example(kind: str) -> str:
    """Returns a commented example of a kind of config."""
    return files("autofix.config").joinpath("examples", f"{kind}.yaml").read_text(encoding="utf-8")
