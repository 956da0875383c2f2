"""`check`: what can be known of a model and its data without training anything."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autofix.arguments import fit_settings
from autofix.contract.losses import BINARY, CATEGORICAL, CATEGORICAL_HINGE, DIVERGENCE, HINGE, SPARSE
from autofix.contract.outputs import Output, outputs_of
from autofix.facts import DataFacts, Encoding, TargetFacts, TaskKind
from autofix.findings import Findings
from autofix.given import read, read_model
from autofix.hints import ModelHints
from autofix.recipe import Recipe
from autofix.symptom import Evidence
from autofix.symptoms import PREFLIGHT, diagnose

if TYPE_CHECKING:
    import keras

NO_TRAINING = "what shows only in a training run (`autofix.diagnose` makes one)"
NO_DATA = "the data, as none was given: shapes, scales, missing values, labels, classes, rows and batches"
NO_LAYERS = "the order and settings of the layers, since the model is subclassed"


def check(
    model: keras.Model | Callable[[], keras.Model],
    data: Any = None,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    class_weight: Mapping[Any, float] | None = None,
) -> Findings:
    """Says what is wrong with a model and its data as far as that shows without any training: for tests of model code.

    Takes a fraction of a second. Neither `model` nor `data` is changed.

    Args:
        model: A compiled `keras.Model`, or a function without arguments that builds one.
        data: Training data in any form that `repair` takes. Left out, the model alone is looked at: output layers
            against losses, initializers, learning rate, frozen layers, dropout and penalties.
        epochs: Epochs that you train for; 10 if left out.
        batch_size: Rows in a batch; what the dataset is batched with, else 32.
        class_weight: Weight per class, as in `fit`.

    Returns:
        The findings that matter: empty, hence false, where all is well. Those of a severity up to 0.4, which a run may
        have and learn all the same, are in `notes`; what was not looked at is in `unchecked`.

    Raises:
        FixYourCall: If an argument is wrong.
        FixYourData: If the data cannot be read.
        FixYourModel: If the model is not compiled or cannot be read.

    Example:
        >>> def test_model():
        ...     found = autofix.check(build_model(), (x[:1000], y[:1000]))
        ...     assert not found, found
    """
    fit = fit_settings(epochs, batch_size, class_weight)
    with warnings.catch_warnings():
        # What Keras has to say of a faulty model is said once, by the findings.
        warnings.simplefilter("ignore")
        if data is None:
            fit.pop("class_weight", None)
            _, recipe, hints = read_model(model, fit, seed=0, build=False)
            facts = imagined(recipe, hints)
        else:
            given = read(model, data, validation_data=None, fit=fit, seed=0, measure_signal=False)
            recipe, hints, facts = given.recipe, given.hints, given.facts
        found, failed = diagnose(_evidence(recipe, hints, facts), PREFLIGHT)
    unchecked = [NO_TRAINING, *([NO_DATA] if data is None else ()), *(() if recipe.is_graph else (NO_LAYERS,)), *failed]
    return Findings.of(found, unchecked)


def imagined(recipe: Recipe, hints: ModelHints) -> DataFacts:
    """Returns facts about data that nobody has shown, so that what is found with them is a matter of the model alone.

    The targets are what the losses ask for, and there are so many rows that no rule takes the run for a short one.
    """
    from autofix.live.program import NOTHING  # imports Keras

    blank = tuple(_quantities(output.name, output.shape) for output in hints.outputs)
    shapes = tuple(output.shape for output in hints.outputs)
    outputs = outputs_of(recipe, replace(NOTHING, targets=blank), shapes)
    return replace(NOTHING, targets=tuple(_asked_for(output) for output in outputs))


def _evidence(recipe: Recipe, hints: ModelHints, facts: DataFacts) -> Evidence:
    return Evidence(recipe, facts, hints.input_shapes, tuple(output.shape for output in hints.outputs))


def _asked_for(output: Output) -> TargetFacts:
    """Returns targets in the form in which the loss of an output reads them."""
    loss = output.loss.identifier if output.loss else ""
    units, name, places = output.width or 1, output.target.name, output.target.shape[:-1]
    classes = tuple(range(max(2, units)))
    columns = (*places, len(classes))
    if loss in SPARSE or (loss in BINARY and units == 1):
        kind = TaskKind.BINARY if len(classes) == 2 else TaskKind.MULTICLASS
        return _classes(name, places, kind, Encoding.INDEX, classes)
    if loss in HINGE and units == 1:
        return _classes(name, places, TaskKind.BINARY, Encoding.SIGNED, (-1, 1))
    shares = output.activation in ("softmax", "log_softmax")
    if loss in (*CATEGORICAL, *DIVERGENCE, *CATEGORICAL_HINGE) or (loss in BINARY and shares):
        return _classes(name, columns, TaskKind.MULTICLASS, Encoding.ONE_HOT, classes)
    if loss in BINARY:
        labels = _classes(name, columns, TaskKind.MULTILABEL, Encoding.MULTI_HOT, classes)
        return replace(labels, classes=())
    return output.target


def _classes(
    name: str, shape: tuple[int, ...], kind: TaskKind, encoding: Encoding, classes: tuple[int, ...]
) -> TargetFacts:
    low, high = (float(min(classes)), float(max(classes))) if encoding is not Encoding.MULTI_HOT else (0.0, 1.0)
    from autofix.live.program import UNKNOWN_ROWS  # imports Keras

    counts, why = (UNKNOWN_ROWS // 2,) * len(classes), "the loss asks for it"
    return TargetFacts(name, shape, "int64", kind, encoding, classes, counts, low, high, (), (), 0.0, why)


def _quantities(name: str, shape: tuple[int | None, ...]) -> TargetFacts:
    """Quantities between 0 and 1, which every output activation can take, with the variance of standardized ones."""
    filled = tuple(axis or 1 for axis in shape)
    width = filled[-1] if filled else 1
    return TargetFacts(
        name, filled, "float64", TaskKind.REGRESSION, Encoding.VALUES, (), (), 0.25, 0.75, (0.5,) * width,
        (1.0,) * width, 0.0, "the loss asks for it",
    )  # fmt: skip
