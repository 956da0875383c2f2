"""Strategy `regularization`: penalties, dropout, weight decay and constraints; less of them, or more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.facts import TaskKind
from autofix.frozen import thaw
from autofix.recipe import LayerView, heads
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies import _optimizers
from autofix_strategies._edits import behind, edit, evidence, keras_layer, short, unused_name
from autofix_strategies._graph import DENSE, Graph, is_shared, owner, parts, settings

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

DROPOUTS = frozenset(
    {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout"}
)
DROPOUT_KEYS = ("dropout", "recurrent_dropout")
# Training rows below which a penalty, which needs no validation rows to stop by, does more than dropout with early
# stopping: on 80 rows of a noisy regression (two layers of 1,000 units) it gave twice the R2.
FEW_ROWS = 1_000
SMALL_DATA_L2 = 0.02
# Strongest penalty that is left alone, per kind: Keras' default is 0.01, published recipes use 1e-5 to 1e-3 for L2.
BEARABLE: Mapping[str, float] = {"l2": 0.01, "l1": 0.001}
# The same where a rule has measured or judged that the penalty is too strong.
BEARABLE_IF_DIAGNOSED: Mapping[str, float] = {"l2": 2e-4, "l1": 2e-5}
MILD: Mapping[str, float] = {"l2": 1e-4, "l1": 1e-5}
MOST_DROPOUT = 0.5  # Srivastava et al. 2014: 0.5 for wide hidden layers is the most that helped
MILD_DROPOUT = 0.2
ADDED_DROPOUT = 0.3
MOST_WEIGHT_DECAY = 0.1  # AdamW's default is 0.004; transformers use up to 0.1
MILD_WEIGHT_DECAY = 0.004
SMALLEST_NORM = 0.5  # a unit whose weights have a norm below it cannot pass its input on
PATIENCE = 10
TOO_STRONG = (Symptom.STRONG_REGULARIZATION, Symptom.REGULARIZATION_DOMINATES)
RELAXING = (*TOO_STRONG, Symptom.MISPLACED_DROPOUT, Symptom.UNDERFITTING)


@final
@dataclass(frozen=True)
class Regularization(Strategy):
    """Regularizes as much as the data can bear.

    What it changes:
        L1 and L2 penalties above what works become 1e-5 and 1e-4, dropout above 0.5 becomes 0.2, a dropout on the
        outputs or right before a one-unit regression output goes, too large a weight decay and too small a maximal
        norm are put right. A model that overfits gets dropout behind its dense layers (an L2 penalty if it has none)
        and stops early with its best weights.

    Why it helps:
        A penalty that outweighs the loss pulls all weights to zero. A dropout of 0.9 leaves a tenth of the signal.
        Dropout on the outputs makes the target itself random, and before a regression output it shifts the variance.

    When it does not apply:
        Penalties and dropout in the usual range; custom regularizers. Subclassed models get weight decay and early
        stopping only.

    References:
        Srivastava et al., JMLR 2014. Li et al., CVPR 2019 (variance shift). Loshchilov and Hutter, ICLR 2019.
    """

    name: ClassVar[str] = "regularization"
    treats: ClassVar[frozenset[Symptom]] = frozenset({*RELAXING, Symptom.OVERFITTING})

    def guess(self, case: Case) -> Patch:
        graph = Graph.of(case.recipe)
        if case.finds(Symptom.OVERFITTING) and not case.finds(*RELAXING):
            return self._more(case, graph)
        limits = BEARABLE_IF_DIAGNOSED if case.finds(*TOO_STRONG) else BEARABLE
        most = MOST_DROPOUT - 1e-6 if case.finds(Symptom.UNDERFITTING) else MOST_DROPOUT
        gone = list(_misplaced(case, graph))
        skipped = {path.rpartition("/")[0] for path, _ in gone}
        rates = [
            (path, MILD_DROPOUT)
            for path, rate in _dropouts(graph)
            if rate > most and path.removesuffix("/rate") not in skipped
        ]
        penalties = [
            (path, _with_strength(value, MILD, limits)) for path, value in _penalties(graph) if _exceeds(value, limits)
        ]
        return self._edit(
            case, RELAXING, [*gone, *_grouped(rates), *_grouped(penalties), *_plain(graph, limits), *_decay(case)]
        )

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        rate = short(trial.suggest_float(f"{self.name}.dropout", 0.0, MOST_DROPOUT))
        l2 = short(trial.suggest_float(f"{self.name}.l2", 1e-6, 1e-2, log=True))
        graph = Graph.of(case.recipe)
        gone = list(_misplaced(case, graph))
        skipped = {path.rpartition("/")[0] for path, _ in gone}
        strength = {"l2": l2, "l1": short(l2 / 10)}
        none: Mapping[str, float] = {"l2": 0.0, "l1": 0.0}
        present = [path for path, old in _dropouts(graph) if old > 0 and path.removesuffix("/rate") not in skipped]
        dropouts = [(path, rate) for path in present]
        added: list[tuple[str, Any]] = []
        if case.finds(Symptom.OVERFITTING):
            remedy = trial.suggest_categorical(f"{self.name}.against_overfitting", ["dropout", "l2"])
            if remedy == "dropout" and not dropouts and rate > 0:
                added = _dropout_behind(case, graph, rate)
            elif remedy == "l2" and not any(True for _ in _penalties(graph)):
                added = _penalty(graph, short(trial.suggest_float(f"{self.name}.added_l2", 1e-4, 1e-1, log=True)))
        return self._edit(
            case,
            self.treats,
            [
                *gone,
                *_grouped(dropouts),
                *_grouped([(path, _with_strength(value, strength, none)) for path, value in _penalties(graph)]),
                *added,
                *_decay(case),
            ],
        )

    def _more(self, case: Case, graph: Graph) -> Patch:
        if case.facts.rows[0] < FEW_ROWS and not any(True for _ in _penalties(graph)):
            return self._edit(case, (Symptom.OVERFITTING,), _penalty(graph, SMALL_DATA_L2))
        has_dropout = any(rate > 0 for _, rate in _dropouts(graph))
        added = [] if has_dropout else _dropout_behind(case, graph, ADDED_DROPOUT)
        if not added and not any(True for _ in _penalties(graph)):
            added = _penalty(graph, MILD["l2"])
        patience = [] if case.recipe.fit.get("patience") else [("fit/patience", PATIENCE)]
        return self._edit(case, (Symptom.OVERFITTING,), [*added, *patience])

    def _edit(self, case: Case, symptoms: Any, wanted: list[tuple[str, Any]]) -> Patch:
        why = evidence(case, symptoms, "Regularization is outside the range that works.")
        return edit(case.recipe, wanted, strategy=self.name, why=why)


def _penalty(graph: Graph, strength: float) -> list[tuple[str, Any]]:
    """An L2 penalty on every kernel that can have one and learns."""
    l2 = {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": strength}, "registered_name": None}
    return [
        (f"{part.path}/kernel_regularizer", l2)
        for view in graph.views
        for part in parts(view)
        if "kernel_regularizer" in part.config and part.config.get("trainable", True)
    ]


def _grouped(wanted: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The same edits, those of one setting side by side: they are one line of the change log."""
    return sorted(wanted, key=lambda item: (item[0].rsplit("/", 1)[-1], str(thaw(item[1]))))


def _dropouts(graph: Graph) -> Iterator[tuple[str, float]]:
    for view in graph.views:
        for part in parts(view):
            keys = ("rate",) if part.class_name in DROPOUTS else DROPOUT_KEYS
            for key in keys:
                rate = part.config.get(key)
                if isinstance(rate, int | float) and not isinstance(rate, bool):
                    yield f"{part.path}/{key}", float(rate)


def _penalties(graph: Graph) -> Iterator[tuple[str, Any]]:
    for view in graph.views:
        for part in parts(view):
            for key, value in part.config.items():
                if key.endswith("_regularizer") and settings(value)[0].upper() in ("L1", "L2", "L1L2"):
                    yield f"{part.path}/{key}", value


def _strengths(value: Any) -> dict[str, float]:
    name, config = settings(value)
    found = {key: float(config[key]) for key in ("l1", "l2") if isinstance(config.get(key), int | float)}
    return found or ({key: 0.01 for key in ("l1", "l2") if key in name.lower()})


def _exceeds(value: Any, limits: Mapping[str, float]) -> bool:
    return any(strength > limits[key] for key, strength in _strengths(value).items())


def _with_strength(value: Any, strength: Mapping[str, float], limits: Mapping[str, float]) -> Any:
    """The same regularizer with those of its strengths that exceed the limits replaced."""
    new = {key: strength[key] if old > limits[key] else old for key, old in _strengths(value).items()}
    if not isinstance(value, Mapping):
        name = settings(value)[0].upper()
        return {"module": "keras.regularizers", "class_name": name, "config": new, "registered_name": None}
    return {**thaw(value), "config": {**thaw(settings(value)[1]), **new}}


def _plain(graph: Graph, limits: Mapping[str, float]) -> Iterator[tuple[str, Any]]:
    """Penalties of `ActivityRegularization` layers, and norms that are held too small."""
    for view in graph.views:
        if view.class_name == "ActivityRegularization":
            for key in ("l1", "l2"):
                if float(view.config.get(key) or 0.0) > limits[key]:
                    yield f"{view.path}/{key}", MILD[key]
        for part in parts(view):
            for key, value in part.config.items():
                name, config = settings(value) if key.endswith("_constraint") else ("", {})
                largest = config.get("max_value")
                if name in ("MaxNorm", "MinMaxNorm") and isinstance(largest, int | float) and largest < SMALLEST_NORM:
                    yield f"{part.path}/{key}", None


def _decay(case: Case) -> Iterator[tuple[str, Any]]:
    where = _optimizers.where(case.recipe)
    path = f"{where}/weight_decay"
    decay = case.recipe.get(path) if where and case.recipe.has(path) else None
    if isinstance(decay, int | float) and decay > MOST_WEIGHT_DECAY:
        yield path, MILD_WEIGHT_DECAY


def _misplaced(case: Case, graph: Graph) -> Iterator[tuple[str, Any]]:
    """Takes away dropout on an output, or right before a regression output of one unit."""
    found = heads(case.recipe)
    loss = case.recipe.compile.get("loss")
    # Losses and targets may name an output, which is called after its last layer: there it stays, without effect.
    is_named = len(found) > 1 or (isinstance(loss, Mapping) and "class_name" not in loss)
    for index, head in enumerate(found):
        if head is None:
            continue
        for view in head.trailing:
            if view.class_name in DROPOUTS and not is_shared(view):
                yield (f"{view.path}/rate", 0.0) if is_named else (f"{view.path}/skip", True)
        targets = case.facts.targets
        is_quantity = index < len(targets) and targets[index].kind is TaskKind.REGRESSION
        if is_quantity and head.width == 1 and len(head.layer.feeds_on) == 1:
            source: LayerView | None = graph.by_path.get(head.layer.feeds_on[0])
            if source is not None and source.class_name in DROPOUTS and not source.skipped and not is_shared(source):
                yield f"{source.path}/skip", True


def _dropout_behind(case: Case, graph: Graph, rate: float) -> list[tuple[str, Any]]:
    taken = {view.name for view in graph.by_path.values()}
    taken |= {str(layer["config"].get("name")) for view in graph.views for layer in view.after}
    dense = [view for view in graph.hidden() if view.class_name in DENSE and owner(view.path) == view.path]
    return [
        behind(
            case.recipe,
            view.path,
            keras_layer("Dropout", {"name": unused_name(taken, f"{view.name}_dropout"), "rate": rate}),
            last=True,
        )
        for view in dense
        if not is_shared(view) and not graph.is_gate(view.path)
    ]
