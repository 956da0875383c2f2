"""Trains recipes: compiled programs over data in memory, each compiled once and used as long as possible."""

from __future__ import annotations

from autofix.trainer.runner import Trainer

__all__ = ["Trainer"]
