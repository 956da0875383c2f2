"""SATURATED_UNITS: hidden units at the bounds of their activation.

What it sees:
    Per hidden layer with a bounded activation, the fraction of outputs within 1 % of a bound, at the end and before
    training. Output layers are left out: a sure classifier saturates its head.

Why it stalls a run:
    At the bound of a tanh or sigmoid the derivative is below 0.04, and the product over layers is nothing.

Likely causes:
    Initial weights are too large.
    Inputs are unscaled.
    The learning rate is too high.
    Many bounded activations stand behind one another without a normalization.

What treats it:
    Smaller initial weights, scaled inputs, normalization between layers, the ReLU family, a lower rate.

References:
    Glorot and Bengio 2010, figures 2 and 3. SageMaker and DeepDiagnosis: over 50 %; TheDeepChecker: rho above 0.85 in
    half of the units. Four tanh layers that learn digits to 0.98 end with 0 to 39 % at Adam's usual rates, with 80 % at
    ten times the rate: only with a score that is short does saturation mean anything.
"""

from __future__ import annotations

from autofix.recipe import heads
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._explained import unit_certainty
from autofix.symptoms._judging import clip, eased, numbers

# Fraction of saturated outputs from which a layer is mentioned.
MANY = 0.5
# 0.4 at half of the outputs, 0.8 at nine tenths.
LOWEST, SLOPE, HIGHEST = 0.4, 1.0, 0.85
BOUNDED = frozenset({"sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "softsign"})


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each hidden layer with over half of its outputs at a bound."""
    trace = evidence.trace
    if trace is None or not trace.last:
        return ()
    recipe = evidence.recipe
    outputs = {head.layer.path for head in heads(recipe) if head is not None} if recipe.is_graph else set()
    outputs |= {view.path for head in heads(recipe) if head is not None for view in head.trailing}
    before = {item.layer: item.saturated for item in trace.first}
    certainty = unit_certainty(evidence)
    found = []
    for item in trace.last:
        share = item.saturated
        if item.layer in outputs or item.activation not in BOUNDED or not item.finite or not share >= MANY:
            continue
        born = before.get(item.layer)
        text = f"{share:.0%} of the {item.activation} outputs are within 1 % of a bound"
        text += f", {born:.0%} were before training." if born is not None else "."
        severity = eased(clip(LOWEST + SLOPE * (share - MANY), LOWEST, HIGHEST), evidence)
        since = 0 if born is not None and born >= MANY else item.step
        values = numbers(saturated=share, before=born)
        found.append(Diagnosis(Symptom.SATURATED_UNITS, severity, certainty, text, item.layer, since, values))
    return tuple(found)
