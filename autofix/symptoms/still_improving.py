"""STILL_IMPROVING: the run ended in the middle of getting better.

What it sees:
    The validation scores and the losses of the second half over the logarithm of time, and what the line through them
    foretells for a run twice as long. A gain counts when it is beyond the noise of the fit and of the score.

Why it stalls a run:
    Nothing is wrong but the number of steps; a person sees a bad score and looks for a fault that is not there.

Likely causes:
    Too few epochs.
    The learning rate is lower than it need be.
    Early stopping with too little patience.
    Batches so large that an epoch makes few steps.

What treats it:
    More epochs, stopped when the validation score no longer improves; a higher learning rate where the rate is low.

References:
    DeepFD: 18 of 52 programs train for too few epochs. Learning curves are power laws (Hestness et al. 2017,
    arXiv:1712.00409), straight enough over log time to foretell a doubling.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import (
    NOTE,
    Array,
    Standing,
    Trend,
    epoch_scores,
    losses,
    numbers,
    scatter,
    standing,
    tail,
    trend,
)

# Standard errors of the fit by which a trend must differ from none.
ERRORS = 3.0
# Foretold gain of the score, as a share of the way from chance to perfect, and in standard errors of a score.
SCORE_GAIN, SCORE_ERRORS = 0.03, 2.0
# A gain this large is worth a longer run even where the score is already what scikit-learn reaches.
LARGE_GAIN = 0.1
# Foretold fall of the loss, as a share of the fall so far: the median of the healthy runs of the gallery is 0.07.
LOSS_GAIN = 0.1
# Points from which a line means something.
STEPS, SCORES = 8, 4


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a score, or failing that a loss, that was still moving beyond its noise."""
    trace = evidence.trace
    if trace is None:
        return ()
    loss = losses(trace)
    if len(loss) < trace.steps or (evidence.recipe.fit.get("patience") and trace.epochs < trace.planned_epochs):
        return ()
    where = standing(evidence)
    rising = _scores(evidence, where)
    if rising is None:
        return _loss(where, loss)
    gain, fit = rising
    if gain <= 0:
        return ()
    severity = 0.6
    if where is not None and where.learned and gain < max(LARGE_GAIN * where.span, 2 * SCORE_ERRORS * where.noise):
        severity = NOTE
    text = (
        f"The validation score was {trace.epoch_scores[-1]:.3f} after {trace.epochs:g} epochs and rising; "
        f"as many again would add about {gain:.2g} (standard error {fit.error:.1g})."
    )
    values = numbers(gain=gain, error=fit.error, epochs=float(trace.epochs))
    return (Diagnosis(Symptom.STILL_IMPROVING, severity, 0.8, text, numbers=values),)


def _scores(evidence: Evidence, where: Standing | None) -> tuple[float, Trend] | None:
    """Returns the foretold gain (0.0 when the scores clearly do not rise), None when they do not tell."""
    trace = evidence.trace
    if trace is None or len(trace.epoch_scores) < SCORES or len(trace.scored_epochs) != len(trace.epoch_scores):
        return None
    scores = epoch_scores(trace, where)
    if scores is None:
        return None
    half = min(len(scores) // 2, len(scores) - SCORES)
    fit = trend(scores[half:], trace.scored_epochs[half:])
    if fit is None:
        return None
    noise = where.noise if where is not None else 0.0
    span = where.span if where is not None else 1.0
    if fit.doubling > max(ERRORS * fit.error, SCORE_GAIN * span, SCORE_ERRORS * noise):
        room = max(0.0, evidence.perfect - float(scores[-1]))
        return min(fit.doubling, room), fit
    best = float(scores.max())
    falls = scores[-1] < best - max(noise, 0.01 * span) and int(scores.argmax()) < 2 * len(scores) // 3
    settled = fit.doubling < SCORE_GAIN * span and fit.error * ERRORS < SCORE_GAIN * span
    at_chance = where is not None and where.at_chance
    return (0.0, fit) if falls or (settled and not at_chance) else None


def _loss(where: Standing | None, loss: Array) -> tuple[Diagnosis, ...]:
    if len(loss) < STEPS:
        return ()
    fit = tail(loss)
    if fit is None or -fit.doubling <= ERRORS * fit.error:
        return ()
    head = loss[: max(1, len(loss) // 10)]
    so_far = float(head.mean() - loss[-max(1, len(loss) // 4) :].mean())
    gain = -fit.doubling
    if so_far <= 0 or gain < LOSS_GAIN * so_far or gain < 0.005 * abs(float(head.mean())):
        return ()
    # Without a score that says otherwise a falling training loss may just as well be memorizing.
    severity, certainty = 0.55, 0.7
    if where is None:
        severity, certainty = 0.5, 0.5
    elif where.learned or where.hopeless:
        severity = NOTE
    elif where.short:
        severity, certainty = 0.65, 0.8
    text = (
        f"The loss fell by {so_far:.3g} to {float(loss[-max(1, len(loss) // 4) :].mean()):.3g} and was still falling; "
        f"as many steps again would take off about {gain:.2g} (standard error {fit.error:.1g})."
    )
    values = numbers(gain=gain, error=fit.error, so_far=so_far, noise=scatter(loss[len(loss) // 2 :]))
    return (Diagnosis(Symptom.STILL_IMPROVING, severity, certainty, text, numbers=values),)
