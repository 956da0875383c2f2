"""OVERFITTING: training rows are learned by heart.

What it sees:
    The score on training rows against that on validation rows, the fall of the validation score from its best, and
    whether reference learners do better.

Why it stalls a run:
    More steps make the training loss fall and the validation score with it.

Likely causes:
    There are few rows for so many weights.
    The run goes on after the validation score was best.
    Nothing holds the weights: no weight decay, no dropout, no augmentation.
    Rows of training and validation come from different sources.

What treats it:
    Weight decay or dropout, fewer units, stopping at the best epoch, more data.

References:
    SageMaker: (validation - training) / training above 0.1; DEFault: a gap of 0.1; UMLAUT: validation loss up while
    training loss is not. Nets that generalize best also fit their training rows (Zhang et al. 2017), so a gap alone is
    a note: it takes a falling score or a reference learner that does better.
"""

from __future__ import annotations

import math

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import NOTE, epoch_scores, numbers, standing

# Gap between the scores, as a share of the way from chance to perfect and in standard errors (one-sided, 5 %).
GAP, GAP_ERRORS = 0.1, 1.64
# Fall of the validation score from its best, likewise.
FALL, FALL_ERRORS = 0.05, 2.0
ALONE, ONE, BOTH = 0.35, 0.6, 0.7


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a gap between training and validation score beyond noise."""
    trace, where = evidence.trace, standing(evidence)
    if trace is None or where is None or trace.train_score is None or not math.isfinite(trace.train_score):
        return ()
    gap = trace.train_score - where.score
    margin = max(GAP * where.span, GAP_ERRORS * where.noise)
    if gap <= margin or trace.train_score <= where.chance + margin:
        return ()
    scores = epoch_scores(trace, where)
    fall, best_at = 0.0, None
    if scores is not None and len(scores) >= 3:
        best = int(scores.argmax())
        # The best of many noisy scores is above their mean; the end is averaged for the same reason.
        fall = float(scores[best] - scores[-max(1, len(scores) // 5) :].mean())
        best_at = trace.scored_epochs[best] if best < len(trace.scored_epochs) else None
    falling = fall > max(FALL * where.span, FALL_ERRORS * where.noise)
    worse = where.short or where.at_chance
    severity = BOTH if falling and worse else ONE if falling or worse else ALONE
    if where.learned:
        severity = min(severity, NOTE)
    text = f"It scores {trace.train_score:.3f} on training rows and {where.score:.3f} on validation rows"
    if falling and best_at is not None:
        text += f"; the validation score was best at epoch {best_at:g} and has fallen by {fall:.2g} since"
    if where.short:
        text += f"; a reference learner reaches {where.reach:.3f}"
    values = numbers(train=float(trace.train_score), validation=where.score, gap=gap, fall=fall, noise=where.noise)
    return (Diagnosis(Symptom.OVERFITTING, severity, 0.9, text + ".", numbers=values),)
