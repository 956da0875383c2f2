"""Strategy `activation`: the activations of hidden layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import behind, edit, evidence, join, keras_layer, unused_name
from autofix_strategies._graph import FEED_FORWARD, KERNELS, RECURRENT, Graph, has_weights, is_shared

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

    from autofix.recipe import LayerView

# Flat at one end at least and not zero-centred where it is not: a stack of them loses the gradient.
SATURATING = frozenset(
    {
        "sigmoid", "hard_sigmoid", "log_sigmoid", "sparse_sigmoid", "tanh", "hard_tanh", "tanh_shrink", "softsign",
        "softmax", "log_softmax", "sparsemax", "exponential", "threshold", "hard_shrink", "soft_shrink",
    }
)  # fmt: skip
# Exactly zero, with zero slope, for negative inputs.
CAN_DIE = frozenset({"relu", "relu6"})
SMOOTH = frozenset(
    {
        "elu", "gelu", "selu", "silu", "swish", "hard_silu", "hard_swish", "leaky_relu", "prelu", "mish", "celu",
        "softplus", "squareplus", "sparse_plus",
    }
)  # fmt: skip
KNOWN = SATURATING | CAN_DIE | SMOOTH | {"linear"}
# Layers that are nothing but an activation of a fixed kind.
CLASS_TYPED = frozenset({"ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"})
LEAK = 0.2  # Keras' own slope of "leaky_relu"
CHOICES = ("relu", "elu", "gelu", "selu", "tanh", "leaky_relu")
EXPLOSIVE = (Symptom.EXPLODING_GRADIENT, Symptom.NON_FINITE_LOSS, Symptom.DIVERGENCE)
DYING = (Symptom.DEAD_UNITS,)
STALLED = (
    Symptom.VANISHING_GRADIENT,
    Symptom.SATURATED_UNITS,
    Symptom.PLATEAU,
    Symptom.LINEAR_HIDDEN_LAYERS,
    Symptom.SLOW,
    Symptom.UNDERFITTING,
    Symptom.COLLAPSED_PREDICTIONS,
)


@final
@dataclass(frozen=True)
class Activation(Strategy):
    """Gives hidden layers an activation that lets the gradient through.

    What it changes:
        Saturating activations (sigmoid, tanh, softmax, ...) and missing ones become ReLU. Where units died, ReLU and
        saturating ones become leaky ReLU. Where values explode, recurrent layers without a bound get tanh.

    Why it helps:
        A sigmoid passes on at most a quarter of the gradient, a dead ReLU none; a stack of linear layers is one linear
        layer; an unbounded recurrence multiplies itself at every time step.

    When it does not apply:
        Output layers, frozen layers, the tanh and the gates of LSTM and GRU, layers whose output multiplies another
        one's (attention, squeeze-and-excitation), linear layers that end in a sum or are a deliberate bottleneck,
        custom activations, subclassed models.

    References:
        Glorot and Bengio, AISTATS 2010. Glorot, Bordes and Bengio, AISTATS 2011. Maas et al., ICML 2013 workshop.
        Pascanu, Mikolov and Bengio, ICML 2013.
    """

    name: ClassVar[str] = "activation"
    treats: ClassVar[frozenset[Symptom]] = frozenset({*STALLED, *DYING, *EXPLOSIVE})

    def guess(self, case: Case) -> Patch:
        graph = Graph.of(case.recipe)
        explodes, dies = case.finds(*EXPLOSIVE), case.finds(*DYING)
        stalls = case.finds(*STALLED) is not None or not (explodes or dies)
        replaced: frozenset[str] = frozenset()
        if stalls:
            replaced |= SATURATING
        if dies:
            replaced |= SATURATING | CAN_DIE
        if explodes:
            replaced |= {"exponential"}
        to_bounded = [
            (f"{view.path}/activation", "tanh")
            for view in graph.hidden()
            if _recurrence(view, explodes is not None, stalls)
        ]
        sites = [
            site
            for site in _sites(graph)
            if site.activation in replaced or (stalls and site.activation == "linear" and _is_missing(graph, site))
        ]
        symptoms = (*DYING, *STALLED) if dies else STALLED if stalls else EXPLOSIVE
        why = evidence(case, symptoms, "Hidden layers saturate or have no activation.")
        return join(
            edit(
                case.recipe,
                to_bounded,
                strategy=self.name,
                why=evidence(case, EXPLOSIVE if explodes else STALLED, "The recurrence has no useful bound."),
            ),
            self._replace(case, sites, "leaky_relu" if dies else "relu", why),
        )

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        choice = trial.suggest_categorical(f"{self.name}.hidden", CHOICES)
        graph = Graph.of(case.recipe)
        sites = [site for site in _sites(graph) if site.activation != "linear" or _is_missing(graph, site)]
        return self._replace(case, sites, choice, evidence(case, self.treats, "Drawn by the search."))

    def _replace(self, case: Case, sites: list[LayerView], choice: str, why: str) -> Patch:
        values = [site for site in sites if site.class_name not in CLASS_TYPED]
        leaking = [site for site in sites if choice == "leaky_relu" and site.class_name == "ReLU"]
        typed = [
            site
            for site in sites
            if site.class_name in CLASS_TYPED
            and site.activation != choice
            and site not in leaking
            and not is_shared(site)
        ]
        taken = {view.name for view in Graph.of(case.recipe).views}
        after = [behind(case.recipe, site.path, _activation_layer(choice, site.name, taken)) for site in typed]
        return edit(
            case.recipe,
            [
                *((f"{site.path}/activation", choice) for site in values if site.activation != choice),
                *((f"{site.path}/negative_slope", LEAK) for site in leaking),
                *((f"{site.path}/skip", True) for site in typed),
                *after,
            ],
            strategy=self.name,
            why=why,
        )


def _activation_layer(choice: str, replaced: str, taken: set[str]) -> dict[str, Any]:
    name = unused_name(taken, f"{replaced}_activation")
    return keras_layer("Activation", {"name": name, "activation": choice})


def _sites(graph: Graph) -> list[LayerView]:
    """Feed-forward places with a known activation that a strategy may replace."""
    found = [view for view in graph.hidden() if view.class_name in FEED_FORWARD]
    found += [
        view
        for view in graph.views
        if view.path not in graph.heads
        and (view.class_name == "Activation" or view.class_name in CLASS_TYPED)
        and all(source.config.get("trainable", True) for source in graph.behind(view.path))
    ]
    return [
        site
        for site in found
        if site.activation in KNOWN and not (site.activation in SATURATING and graph.is_gate(site.path))
    ]


def _is_missing(graph: Graph, site: LayerView) -> bool:
    """Whether a linear layer should not be: it leads straight into other weights and is no deliberate bottleneck."""
    if site.class_name not in FEED_FORWARD:
        return False
    ahead = graph.ahead(site.path)
    if not ahead or any(view.activation not in (None, "linear") for view in ahead if not has_weights(view)):
        return False
    ends = [view for view in ahead if has_weights(view)]
    if any(is_shared(view) for view in ahead) or not ends or any(view.class_name not in KERNELS for view in ends):
        return False
    sources = [view.width for view in graph.behind(site.path)]
    sides = [width for width in (*sources, *(view.width for view in ends)) if width is not None]
    is_bottleneck = bool(sources) and site.width is not None and len(sides) > 1 and site.width < min(sides)
    return not is_bottleneck


def _recurrence(view: LayerView, explodes: bool, stalls: bool) -> bool:
    """Whether a recurrent layer's activation is to become tanh."""
    if view.class_name not in RECURRENT:
        return False
    if explodes and view.activation in CAN_DIE | SMOOTH | {"linear", "exponential"}:
        return True
    return stalls and view.activation in SATURATING - {"tanh", "hard_tanh", "softsign"}
