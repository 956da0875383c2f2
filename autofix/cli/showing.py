"""Results on standard output: as a table for people, as JSON or YAML for programs."""

from __future__ import annotations

import json
from typing import Any

import click


def show(document: dict[str, Any], form: str) -> None:
    """Writes how a run ended."""
    if form == "yaml":
        from autofix import yaml_text

        click.echo(yaml_text.write(document), nl=False)
        return
    click.echo(json.dumps(document, indent=1))
