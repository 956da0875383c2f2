"""Strategy `normalization`: batch or layer normalization behind hidden layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import behind, edit, evidence, keras_layer, unused_name
from autofix_strategies._graph import KERNELS, RECURRENT, Graph, is_shared, owner, parts

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

SMALL_BATCH = 16  # rows; below it the statistics of a batch are mostly noise (Wu and He, ECCV 2018, figure 1)
FEWEST_LAYERS = 2  # hidden ones; scales do not build up over a single layer
NORMALIZING = frozenset(
    {"BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization"}
)
# Layers of models whose batches mix sequences: there each row is normalized on its own.
SEQUENTIAL = RECURRENT | {"Embedding", "MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"}
KINDS = ("BatchNormalization", "LayerNormalization")


@final
@dataclass(frozen=True)
class Normalization(Strategy):
    """Keeps the scale of what one hidden layer hands to the next.

    What it changes:
        Puts a BatchNormalization behind every hidden dense, convolutional or recurrent layer; a LayerNormalization
        where batches are smaller than 16 rows or the model reads sequences.

    Why it helps:
        Activations that are re-centred and re-scaled neither saturate nor die, and gradients keep their size through
        many layers, at larger learning rates.

    When it does not apply:
        Fewer than two hidden layers, a model that normalizes already, layers that are shared, frozen or used as a
        gate, output layers, subclassed models.

    References:
        Ioffe and Szegedy, ICML 2015. Ba, Kiros and Hinton 2016 (arXiv:1607.06450). Wu and He, ECCV 2018.
    """

    name: ClassVar[str] = "normalization"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {
            Symptom.VANISHING_GRADIENT,
            Symptom.EXPLODING_GRADIENT,
            Symptom.SATURATED_UNITS,
            Symptom.DEAD_UNITS,
            Symptom.PLATEAU,
            Symptom.SLOW,
            Symptom.DIVERGENCE,
        }
    )

    def guess(self, case: Case) -> Patch:
        graph = Graph.of(case.recipe)
        batch = case.recipe.fit.get("batch_size")
        is_small = isinstance(batch, int) and batch < SMALL_BATCH
        reads_sequences = any(part.class_name in SEQUENTIAL for view in graph.views for part in parts(view))
        return self._insert(case, graph, "LayerNormalization" if is_small or reads_sequences else "BatchNormalization")

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        kind = trial.suggest_categorical(f"{self.name}.kind", KINDS)
        return self._insert(case, Graph.of(case.recipe), kind)

    def _insert(self, case: Case, graph: Graph, kind: str) -> Patch:
        hidden = {owner(view.path): graph.by_path[owner(view.path)] for view in graph.hidden()}
        has_one = any(view.class_name in NORMALIZING or _normalizes(view.after) for view in graph.views)
        if has_one or len(hidden) < FEWEST_LAYERS:
            return Patch()
        taken = {view.name for view in graph.by_path.values()}
        taken |= {str(layer["config"].get("name")) for view in graph.views for layer in view.after}
        wanted = [
            behind(
                case.recipe,
                view.path,
                keras_layer(kind, {"name": unused_name(taken, f"{view.name}_normalization")}),
            )
            for view in hidden.values()
            if not is_shared(view) and not graph.is_gate(view.path) and _has_one_output(view.path, graph)
        ]
        why = evidence(case, self.treats, "Nothing keeps the scale between layers.")
        return edit(case.recipe, wanted, strategy=self.name, why=why)


def _normalizes(after: tuple[object, ...]) -> bool:
    return any(layer["class_name"] in NORMALIZING for layer in after if isinstance(layer, Mapping))


def _has_one_output(path: str, graph: Graph) -> bool:
    """Whether the layer puts out a single tensor: recurrent layers may put out their states too."""
    return not any(part.config.get("return_state") for part in parts(graph.by_path[path]) if part.class_name in KERNELS)
