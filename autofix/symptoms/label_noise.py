"""LABEL_NOISE: many labels contradict the inputs.

What it sees:
    How often the yardstick, on rows that it was not fitted to, contradicts the label in the quarter of the rows that it
    is surest of, and in the next quarter; and how often rows with the very same inputs have different targets. Where
    classes overlap, errors gather at the border, and the surest quarter is nearly right: that is a hard task. Wrong
    labels are spread evenly, so being surer does not help. Where there is no signal nothing is sure, and NO_SIGNAL says
    so.

Why it stalls a run:
    What is written wrong cannot be predicted: the score stops short of perfect, and a network that fits its training
    rows all the same learns the errors by heart.

Likely causes:
    Labels were given in haste, by a rule, or by people who disagree.
    Labels and inputs of some rows were paired wrongly: a join, a partial shuffle.
    The same inputs really do have several answers: something that decides is not among them.

What treats it:
    Looking at the disputed labels. More regularization or an early stop keeps a network from learning them.

References:
    Northcutt, Jiang and Chuang, JAIR 70 (2021), "Confident learning". Zhang et al. 2017 (arXiv:1611.03530). Measured on
    27 tasks, made and real, of 300 and 1,500 rows: with right labels the surest quarter holds at most 0.65 of the
    errors of the next one wherever the yardstick goes 0.3 of the way to perfect; with 15 and 30 % of the labels flipped
    on separable tasks 0.75 to 1.2.
"""

from __future__ import annotations

import math

import numpy as np

from autofix.facts import TaskKind
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import PERFECT, numbers, standing

# Share of the way to perfect that the yardstick goes, and of the next quarter's errors that the surest must then hold:
# weak models have flat errors on right labels too (0.82 of them at a gain of 0.2, 0.77 at 0.28), so they need more.
WEAK, STRONG = (0.22, 0.85), (0.35, 0.7)
# Errors of the surest quarter.
WRONG = 0.08
# Standard errors by which they must be more than a few.
ERRORS, FEW = 1.5, 0.03
# Rows that the yardstick looks at, at most.
ROWS = 2_000
# Share of rows at odds with their copies from which it is more than a slip; quantities are measured with errors anyway.
CONFLICTS, CONFLICTS_OF_QUANTITIES = 0.05, 0.2
# Up to a third of wrong labels a network still learns the rest (Rolnick et al. 2017), so it stays a note.
LOWEST, SLOPE, HIGHEST = 0.2, 0.6, 0.4


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports labels that are disputed where the yardstick is sure, or by copies of the row."""
    found = _conflicts(evidence) or _disputes(evidence)
    return (found,) if found is not None else ()


def _conflicts(evidence: Evidence) -> Diagnosis | None:
    facts = evidence.facts
    quantities = any(target.kind is TaskKind.REGRESSION for target in facts.targets)
    if facts.conflicts < (CONFLICTS_OF_QUANTITIES if quantities else CONFLICTS) or _hopeless(evidence):
        return None
    text = (
        f"The targets of {facts.conflicts:.0%} of the training rows are not those of other rows with the same inputs."
    )
    severity = min(HIGHEST, LOWEST + SLOPE * facts.conflicts)
    return Diagnosis(Symptom.LABEL_NOISE, severity, 0.8, text, numbers=numbers(conflicts=facts.conflicts))


def _disputes(evidence: Evidence) -> Diagnosis | None:
    facts = evidence.facts
    if len(facts.disputed) < 2 or facts.signal is None or _hopeless(evidence):
        return None
    gain = (facts.signal - facts.chance) / max(1e-9, PERFECT - facts.chance)
    sure, next_sure = facts.disputed[:2]
    rows = max(1, min(ROWS, facts.rows[0] + facts.rows[1]) // 4)
    error = math.sqrt(max(sure * (1 - sure), 0.01) / rows)
    even = float(np.interp(gain, (WEAK[0], STRONG[0]), (WEAK[1], STRONG[1])))
    if gain < WEAK[0] or sure < max(WRONG, FEW + ERRORS * error) or sure < even * next_sure:
        return None
    where = standing(evidence)
    if where is not None and where.score > facts.signal + 2 * facts.noise and where.score > facts.signal + 0.05:
        # The network sees what the simple models do not: their doubts say more about them than about the labels.
        return None
    text = (
        f"Simple models contradict {sure:.0%} of the labels where they are surest and {next_sure:.0%} in the next "
        f"quarter of the rows, none of which they were fitted to; about as many labels may be wrong."
    )
    trace = evidence.trace
    if trace is not None and trace.train_score is not None and where is not None and where.short:
        by_heart = trace.train_score > where.reach + 2 * where.noise
        text += " The network has learned its training rows by heart all the same." if by_heart else ""
    severity = min(HIGHEST, LOWEST + SLOPE * sure)
    values = numbers(disputed=sure, disputed_next=next_sure, signal=float(facts.signal))
    return Diagnosis(Symptom.LABEL_NOISE, severity, 0.7, text, numbers=values)


def _hopeless(evidence: Evidence) -> bool:
    """Whether nothing was found that could contradict a label."""
    facts = evidence.facts
    if facts.signal is None:
        return False
    return facts.signal - facts.chance <= max(2 * facts.noise, 0.02 * (PERFECT - facts.chance))
