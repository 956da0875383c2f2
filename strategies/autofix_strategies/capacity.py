"""Strategy `capacity`: hidden layers too narrow for the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from autofix.change import Patch
from autofix.facts import TaskKind
from autofix.recipe import LayerView
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, evidence
from autofix_strategies._graph import (
    CONVOLUTIONS,
    DENSE,
    FEED_FORWARD,
    KEEP_LAST_AXIS,
    RECURRENT,
    Graph,
    has_weights,
    is_shared,
    owner,
)

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

# XOR by ReLU units, Adam at 0.01, 40 starts: 2 units never get beyond 0.9, 4 fail from a third of the starts, 8 from
# 5 % (measured for the rule `bottleneck`).
FAR_TOO_NARROW = 8
ROOMY = 32
# A doubling costs four times the work; beyond this the layer is not what holds the run back.
WIDEST = 512
FACTORS = (2, 4, 8)
# Layers that combine several tensors entry by entry: their sources must keep one width.
MERGES = frozenset({"Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "Dot"})
# Other layers that take any width.
ADAPTS = (
    (KEEP_LAST_AXIS - MERGES)
    | DENSE
    | RECURRENT
    | {"Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D", "Flatten", "Concatenate", "Bidirectional"}
    | {"TimeDistributed"}
)


@final
@dataclass(frozen=True)
class Capacity(Strategy):
    """Widens hidden layers: the last resort.

    What it changes:
        Units or filters of hidden layers: those far too narrow (below 8, or below the number of classes) get at least
        32; where a run does not even fit its training rows and no layer is that narrow, all of them get twice as many.
        The search tries factors of 2, 4 and 8.

    Why it helps:
        What a narrow layer drops, no later layer can bring back; and a wide layer has units to spare for those that
        die or start in the wrong place.

    When it does not apply:
        Output layers; frozen layers and what feeds them; layers whose width others depend on (sums, products, dot
        products, reshapes, shared states, grouped convolutions, custom layers); the waist of an autoencoder.

    References:
        Goodfellow, Bengio and Courville, Deep Learning, 2016, section 5.2. Frankle and Carbin, ICLR 2019 (why spare
        units help training).
    """

    name: ClassVar[str] = "capacity"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.BOTTLENECK, Symptom.UNDERFITTING, Symptom.LATE_PLATEAU})

    def guess(self, case: Case) -> Patch:
        layers = _widenable(case)
        outputs = max((target.width for target in case.facts.targets if target.kind.is_classification), default=1)
        narrow = [view for view in layers if (view.width or 0) < _least(view, outputs)]
        if narrow:
            floor = max(ROOMY, min(2 * outputs, WIDEST))
            return self._widened(case, [(view, floor) for view in narrow])
        if case.finds(Symptom.UNDERFITTING) is None:
            return Patch()
        return self._widened(case, [(view, min(2 * (view.width or 0), WIDEST)) for view in layers])

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        layers = _widenable(case)
        if not layers:
            return Patch()
        factor = trial.suggest_categorical(f"{self.name}.factor", FACTORS)
        wanted = [(view, max(ROOMY // 2, factor * (view.width or 0))) for view in layers]
        return self._widened(case, [(view, min(width, WIDEST)) for view, width in wanted])

    def _widened(self, case: Case, wanted: list[tuple[LayerView, int]]) -> Patch:
        wider = [(view, width) for view, width in wanted if width > (view.width or 0)]
        narrowest = min((view.width or 0 for view, _ in wider), default=0)
        why = evidence(case, self.treats, f"The narrowest hidden layer passes on {narrowest} numbers.")
        return edit(case.recipe, [(view.width_path, width) for view, width in wider], strategy=self.name, why=why)


def _least(view: LayerView, outputs: int) -> int:
    """Returns the width below which a layer is far too narrow; filters count at many places and so by half."""
    if view.class_name in CONVOLUTIONS:
        return FAR_TOO_NARROW // 2
    return max(FAR_TOO_NARROW, min(outputs, ROOMY))


def _widenable(case: Case) -> list[LayerView]:
    graph = Graph.of(case.recipe)
    return [
        view
        for view in graph.hidden()
        if view.class_name in FEED_FORWARD | RECURRENT
        and view.width is not None
        and "Depthwise" not in view.class_name
        and "/backward_layer" not in view.path
        and not view.path.endswith("/layer")
        and not is_shared(graph.by_path[owner(view.path)])
        and view.config.get("groups", 1) == 1
        and _is_free(graph, view)
        and not _is_waist(case, graph, view)
    ]


def _is_free(graph: Graph, view: LayerView) -> bool:
    """Whether everything that the layer's output runs into takes any width."""
    ahead = graph.ahead(view.path)
    if not any(has_weights(found) for found in ahead):
        return False
    return all(
        found.class_name in ADAPTS
        and found.config.get("groups", 1) == 1
        and not (has_weights(found) and not found.config.get("trainable", True))
        and not (found.class_name in RECURRENT and is_shared(found))
        and not isinstance(found.config.get("scale"), list | tuple)
        for found in ahead
    )


def _is_waist(case: Case, graph: Graph, view: LayerView) -> bool:
    """Whether the layer is what an autoencoder squeezes its inputs through."""
    if not any(target.kind is TaskKind.REGRESSION and target.width > 1 for target in case.facts.targets):
        return False
    if view.class_name in CONVOLUTIONS:
        return False
    sides = [found.width for found in (*graph.behind(view.path), *graph.ahead(view.path)) if found.width]
    return bool(sides) and (view.width or 0) < min(sides)
