"""Which heads, losses and labels fit together under Keras 3; what breaks it, and the cheapest way back."""

from __future__ import annotations

from autofix.contract.heads import CENTRED, POOLED, SIGMOIDS, SOFTMAXES, Step, Tail, tails
from autofix.contract.judging import Violation, judge, violations
from autofix.contract.links import link_of
from autofix.contract.losses import LossView, loss_value, losses, output_names, with_loss
from autofix.contract.outputs import Labels, Output, outputs_of
from autofix.contract.table import KEEP, TABLE, Row, Triple, best_triple

__all__ = [
    "CENTRED", "KEEP", "POOLED", "SIGMOIDS", "SOFTMAXES", "TABLE", "Labels", "LossView", "Output", "Row", "Step",
    "Tail", "Triple", "Violation", "best_triple", "judge", "link_of", "loss_value", "losses", "output_names",
    "outputs_of", "tails", "violations", "with_loss",
]  # fmt: skip
