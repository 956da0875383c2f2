"""Strategy `initializer`: the values that weights and biases start from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, evidence
from autofix_strategies._graph import KERNELS, RECURRENT, Graph, parts, settings

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

    from autofix.recipe import LayerView

# Times the fitting standard deviation, per layer: five layers at 2.5 make it 98. Too narrow shows later than too wide,
# and Keras' own `random_uniform` (+-0.05) is 4.3 times too narrow at least for 64 inputs.
TOO_WIDE = 2.5
TOO_NARROW = 5.0
TOO_WIDE_IN_TIME = 1.5  # a recurrent kernel is multiplied with itself at every time step
LIKELY_STD = (1e-3, 0.5)  # fits some fan-in between 4 and 2,000,000; used where the fan-in is not known
LARGE_BIAS = 1.0  # the spread of a well-scaled pre-activation is about 1
LARGE_GATE_BIAS = 2.0  # 1 is customary where the forget gate is to start open (Jozefowicz et al. 2015)
RECTIFIERS = frozenset(
    {
        "relu", "relu6", "leaky_relu", "prelu", "elu", "celu", "gelu", "silu", "swish", "hard_silu", "hard_swish",
        "mish", "softplus", "squareplus", "sparse_plus",
    }
)  # fmt: skip
KERNEL_KEYS = ("kernel_initializer", "depthwise_initializer", "pointwise_initializer")
CONSTANTS: Mapping[str, float] = {"zeros": 0.0, "ones": 1.0}
SPREADS: Mapping[str, str] = {
    "randomnormal": "normal",
    "truncatednormal": "normal",
    "randomuniform": "uniform",
    "normal": "normal",
    "uniform": "uniform",
    "variancescaling": "scaling",
    "orthogonal": "gain",
    "orthogonalinitializer": "gain",
}
CHOICES = ("fit", "he_normal", "he_uniform", "glorot_uniform", "lecun_normal", "orthogonal")


@final
@dataclass(frozen=True)
class Initializer(Strategy):
    """Starts the weights where the layer's activation works.

    What it changes:
        Kernels that start constant, or from a distribution a few times wider or narrower than the layer's number of
        inputs asks for: He for the ReLU family, LeCun for SELU, Glorot for the rest, orthogonal for
        recurrent kernels. Large constant biases of hidden layers become zero.

    Why it helps:
        Each layer scales signal and gradient by its weights' spread; off by a factor of three in ten layers is off by
        59,049. Units that start equal stay equal. A large negative bias turns a ReLU off for every row.

    When it does not apply:
        Keras' own Glorot, He and LeCun initializers, biases of output layers (class priors are put there on purpose),
        zero kernels of output layers alone, frozen layers, custom initializers, subclassed models.

    References:
        Glorot and Bengio, AISTATS 2010. He et al., ICCV 2015. Klambauer et al., NeurIPS 2017. Saxe et al., ICLR 2014.
    """

    name: ClassVar[str] = "initializer"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {
            Symptom.BAD_INITIALIZATION,
            Symptom.VANISHING_GRADIENT,
            Symptom.EXPLODING_GRADIENT,
            Symptom.DEAD_UNITS,
            Symptom.SATURATED_UNITS,
            Symptom.PLATEAU,
            Symptom.NON_FINITE_LOSS,
            Symptom.DIVERGENCE,
        }
    )

    def guess(self, case: Case) -> Patch:
        return self._edit(case, dict(_mended(Graph.of(case.recipe))))

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        choice = trial.suggest_categorical(f"{self.name}.kernel", CHOICES)
        graph = Graph.of(case.recipe)
        wanted: dict[str, Any] = dict(_mended(graph))
        if choice != "fit":
            wanted |= {
                f"{view.path}/{key}": choice
                for view in graph.hidden()
                for key in KERNEL_KEYS
                if key in view.config and _name(view.config[key]) != _name(choice)
            }
        return self._edit(case, wanted)

    def _edit(self, case: Case, wanted: Mapping[str, Any]) -> Patch:
        otherwise = "Weights start on a scale that does not fit their layer."
        why = evidence(case, self.treats, otherwise, first=Symptom.BAD_INITIALIZATION)
        by_kind = sorted(wanted.items(), key=lambda item: (item[0].rsplit("/", 1)[-1], str(item[1])))
        return edit(case.recipe, by_kind, strategy=self.name, why=why)


def _mended(graph: Graph) -> Iterator[tuple[str, str]]:
    """Every initializer that is wrong, with one that fits."""
    wrong: list[tuple[str, str, bool]] = []
    for view in graph.views:
        if not view.config.get("trainable", True):
            continue
        for part in parts(view):
            is_head = view.path in graph.heads
            wrong += ((path, after, is_head and soft) for path, after, soft in _wrong(graph, part, is_head))
    only_soft = all(soft for _, _, soft in wrong)
    if not only_soft:
        yield from ((path, after) for path, after, _ in wrong)


def _wrong(graph: Graph, view: LayerView, is_head: bool) -> Iterator[tuple[str, str, bool]]:
    """Path, fitting value, and whether it is harmless on an output layer."""
    if view.class_name == "Embedding":
        spread = _spread(view.config.get("embeddings_initializer"), 1)
        if spread is not None and spread[1] > 1.0:
            yield f"{view.path}/embeddings_initializer", "uniform", False
        return
    if view.class_name not in KERNELS:
        return
    fan_in = graph.fan_in(view.path)
    activation = "linear" if is_head else graph.activation(view.path)
    for key in KERNEL_KEYS:
        value = view.config.get(key)
        if value is not None and _is_off(value, fan_in, view, activation):
            yield f"{view.path}/{key}", _fitting(activation), _constant(value) == 0.0
    recurrent = view.config.get("recurrent_initializer")
    if recurrent is not None and _is_off(recurrent, view.width, view, "tanh", TOO_WIDE_IN_TIME):
        yield f"{view.path}/recurrent_initializer", "orthogonal", False
    bias = view.config.get("bias_initializer")
    largest = LARGE_GATE_BIAS if view.class_name in RECURRENT else LARGE_BIAS
    if not is_head and bias is not None and _reach(bias) >= largest:
        yield f"{view.path}/bias_initializer", "zeros", False


def _fitting(activation: str) -> str:
    if activation == "selu":
        return "lecun_normal"
    return "he_normal" if activation in RECTIFIERS else "glorot_uniform"


def _is_off(value: Any, fan_in: int | None, view: LayerView, activation: str, too_wide: float = TOO_WIDE) -> bool:
    if _constant(value) is not None:
        return True
    spread = _spread(value, fan_in)
    if spread is None:
        return False
    mean, std = spread
    if fan_in is None:
        return not LIKELY_STD[0] <= std <= LIKELY_STD[1] or abs(mean) > LIKELY_STD[1]
    fan_out = view.width or fan_in
    wanted = math.sqrt(2.0 / fan_in) if activation in RECTIFIERS else math.sqrt(2.0 / (fan_in + fan_out))
    # Keras' defaults are right by convention, and Glorot's own range on a narrow or wide layer is no fault.
    low, high = min(wanted, math.sqrt(1.0 / fan_in)), max(wanted, math.sqrt(1.0 / fan_in))
    return not low / TOO_NARROW <= std <= high * too_wide or abs(mean) > high * too_wide


def _constant(value: Any) -> float | None:
    """The value that every weight starts from; None where they start from different ones."""
    name, config = _name(value), settings(value)[1]
    if name in CONSTANTS:
        return CONSTANTS[name]
    number = config.get("value", 0.0) if name == "constant" else None
    return float(number) if isinstance(number, int | float) else None


def _spread(value: Any, fan_in: int | None) -> tuple[float, float] | None:
    """Mean and standard deviation of what an initializer draws; None where it fits by its own rule or is unknown."""
    kind, config = SPREADS.get(_name(value)), settings(value)[1]
    numbers = {key: float(item) for key, item in config.items() if isinstance(item, int | float)}
    if kind == "normal":
        return numbers.get("mean", 0.0), abs(numbers.get("stddev", 0.05))
    if kind == "uniform":
        low, high = numbers.get("minval", -0.05), numbers.get("maxval", 0.05)
        return (low + high) / 2, abs(high - low) / math.sqrt(12.0)
    if kind == "scaling":
        return 0.0, math.sqrt(abs(numbers.get("scale", 1.0)) / (fan_in or 100))
    if kind == "gain":
        return 0.0, abs(numbers.get("gain", 1.0)) / math.sqrt(fan_in or 100)
    return None


def _reach(value: Any) -> float:
    """How far from zero the values of an initializer are."""
    constant = _constant(value)
    if constant is not None:
        return abs(constant)
    spread = _spread(value, 1) if SPREADS.get(_name(value)) in ("normal", "uniform") else None
    return 0.0 if spread is None else max(abs(spread[0]), spread[1])


def _name(value: Any) -> str:
    return settings(value)[0].replace("_", "").lower()
