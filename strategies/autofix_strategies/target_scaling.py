"""Strategy `target_scaling`: targets far from unit scale, met by a layer behind the output."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.contract import Output, losses, outputs_of
from autofix.facts import TargetFacts, TaskKind
from autofix.frozen import thaw
from autofix.recipe import Recipe, layers
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, join, keras_layer, short, unused_name

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

# A fresh linear head puts out values of about unit size around 0 (Glorot and Bengio 2010). Adam moves a weight by about
# its learning rate a step, so with 1e-3 an offset of 3 is a few thousand steps away: more than most short runs have.
FAR = 3.0
# Below it the initial outputs are noise twenty times larger than the targets.
NARROW = 0.05
# Columns further apart than this: one output starts far too wide or far too narrow for one of them.
UNEVEN = 10.0
# How a loss grows when errors are `s` times as large: s ** degree. Huber and log-cosh grow like the absolute error
# beyond their bend (at about 1) and like the squared error below it. Others have no degree (logarithmic, relative,
# Poisson) or would need another one for every part (custom): no weight makes them those of standardized targets.
DEGREES: Mapping[str, int] = {"mean_squared_error": 2, "mean_absolute_error": 1}
BENT = frozenset({"huber", "log_cosh"})
UNBOUNDED = frozenset({"linear", "leaky_relu", "prelu"})
POSITIVE = frozenset({"relu", "softplus", "squareplus", "exponential"})
WHY = "The targets are far from the scale that the output starts from"


@final
@dataclass(frozen=True)
class TargetScaling(Strategy):
    """Lets the network learn standardized targets while it is fed and predicts the user's own units.

    What it changes:
        A `Rescaling` layer (times the standard deviation, plus the mean of the targets) behind the output, and a loss
        weight of 1 / std squared for squared losses, 1 / std for absolute ones, so that training is the very
        arithmetic of standardized targets (for several columns: with the mean of their squares). Outputs that cannot
        be negative keep an offset of 0.

    Why it helps:
        Errors of raw targets give gradients as large as the targets' square, and an output that starts around 0 needs
        thousands of steps to find a mean of 150.

    When it does not apply:
        Classes; targets of about unit size; bounded heads; losses without a degree (logarithmic, relative, Poisson,
        cosine, custom), whose meaning would change; outputs that are rescaled already.

    References:
        LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, sections 4.3 and 4.5. Bishop, Neural Networks for
        Pattern Recognition, 1995, section 8.2.
    """

    name: ClassVar[str] = "target_scaling"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.UNSCALED_TARGETS, Symptom.OUTPUT_RANGE})

    def guess(self, case: Case) -> Patch:
        recipe, patches = case.recipe, []
        factors: dict[int, float] = {}
        for output in outputs_of(recipe, case.facts, case.output_shapes):
            scaling = _scaling(output)
            if scaling is None or output.tail is None:
                continue
            scale, offset, factor = scaling
            taken = {view.name for view in layers(recipe)}
            config = {"name": unused_name(taken, f"{output.target.name}_units"), "scale": scale, "offset": offset}
            path = f"{output.tail.end}/after"
            layer = keras_layer("Rescaling", config)
            patches.append(
                edit(recipe, [(path, [*recipe.get(path), layer])], strategy=self.name, why=_why(output.target))
            )
            factors[output.index] = factor
        if not factors:
            return Patch()
        weights = edit(
            recipe,
            _weights(recipe, len(case.facts.targets), factors),
            strategy=self.name,
            why="The loss in the targets' own units weighs errors by the square or size of those units.",
        )
        return join(*patches, weights)

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        return self.guess(case)


def is_far(target: TargetFacts) -> bool:
    """Returns whether quantities are far from the scale that an output starts from."""
    if target.kind is not TaskKind.REGRESSION or not target.std:
        return False
    sizes = [std for std in target.std if std > 0 and math.isfinite(std)]
    means = [abs(mean) for mean in target.mean if math.isfinite(mean)]
    if not sizes:
        return False
    is_wide = max(means, default=0.0) > FAR or max(sizes) > FAR
    return is_wide or max(sizes) < NARROW or max(sizes) > UNEVEN * min(sizes)


def _scaling(output: Output) -> tuple[Any, Any, float] | None:
    """Returns scale, offset and loss weight; None where the output is to stay as it is."""
    target, tail, loss = output.target, output.tail, output.loss
    if tail is None or loss is None or not is_far(target) or output.width != output.columns:
        return None
    if any(step.class_name == "Rescaling" for step in tail.steps):
        return None
    stds = [std if std > 0 else max(abs(mean), 1.0) for mean, std in zip(target.mean, target.std, strict=True)]
    if output.activation in UNBOUNDED:
        scales, offsets = stds, list(target.mean)
    elif output.activation in POSITIVE:
        scales = [math.hypot(mean, std) for mean, std in zip(target.mean, stds, strict=True)]
        offsets = [0.0] * len(scales)
    else:
        return None
    size = math.sqrt(math.fsum(scale * scale for scale in scales) / len(scales))
    degree = DEGREES.get(loss.identifier, (1 if size > 1 else 2) if loss.identifier in BENT else None)
    if degree is None or not all(map(math.isfinite, (*scales, *offsets, size))):
        return None
    rounded = [short(scale, 4) for scale in scales], [short(offset, 4) for offset in offsets]
    many = len(scales) > 1
    return rounded[0] if many else rounded[0][0], rounded[1] if many else rounded[1][0], short(size**-degree, 4)


def _weights(recipe: Recipe, outputs: int, factors: Mapping[int, float]) -> Iterator[tuple[str, Any]]:
    """Multiplies the loss weights; where one loss serves several outputs it is written once for each."""
    present, loss = thaw(recipe.compile.get("loss_weights")), thaw(recipe.compile.get("loss"))
    ones = [1.0] * outputs
    if isinstance(loss, dict) and "class_name" not in loss:
        keys = [view.path.rsplit("/", 1)[-1] if view else "" for view in losses(recipe, outputs)]
        given = present if isinstance(present, list) else ones
        named = present if isinstance(present, dict) else dict(zip(keys, given, strict=False))
        for index, factor in factors.items():
            named = {**named, keys[index]: float(named.get(keys[index]) or 1.0) * factor}
        yield "compile/loss_weights", {key: weight for key, weight in named.items() if key in loss}
        return
    if outputs == 1 and not isinstance(present, list | dict):
        yield "compile/loss_weights", float(1.0 if present is None else present) * factors[0]
        return
    if not isinstance(loss, list):
        yield "compile/loss", [loss] * outputs
    given = list(present.values()) if isinstance(present, dict) else present if isinstance(present, list) else ones
    yield "compile/loss_weights", [float(weight) * factors.get(index, 1.0) for index, weight in enumerate(given)]


def _why(target: TargetFacts) -> str:
    means, stds = (", ".join(f"{value:.4g}" for value in values[:3]) for values in (target.mean, target.std))
    return f"{WHY}: mean {means}, standard deviation {stds}."
