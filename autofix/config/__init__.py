"""Config files: YAML that is read safely, checked in full, and told about with file, line and column."""

from autofix.config.faults import Fault, FixYourConfig, Place
from autofix.config.kinds import KINDS, example, model, schema
from autofix.config.reading import read

__all__ = ["KINDS", "Fault", "FixYourConfig", "Place", "example", "model", "read", "schema"]
