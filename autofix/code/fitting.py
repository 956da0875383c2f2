"""The part of a script that feeds and fits: labels, class weights, early stopping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autofix.code.layout import INDENT, Call, Expression, lines, literal

# Keras' own defaults of `fit` are 1 epoch and batches of 32 rows.
BATCH = 32
# Share of the training rows that is set apart where no validation data come; early stopping needs some.
VALIDATION = 0.2


def early_stopping(patience: Any, write: str = "keras.callbacks.EarlyStopping") -> Call:
    """Returns the callback that stops a run and takes the best weights back."""
    return Call(write, (("patience", literal(patience)), ("restore_best_weights", "True")))


def class_weights(value: Any) -> Expression:
    """Returns weights by class, classes as numbers where they are."""
    plain = {int(key) if str(key).lstrip("-").isdigit() else key: weight for key, weight in value.items()}
    return literal(plain)


def encoder(labels: Mapping[str, Sequence[Any]], marks: Sequence[str]) -> str:
    """Returns the code that turns labels into indices of classes, and predictions back into labels."""
    several = len(labels) > 1
    value = literal(dict(labels) if several else list(next(iter(labels.values()))))
    found = [*marks, *lines(value, lead="LABELS = "), "", ""]
    if not several:
        found += [
            "def encode(y):",
            f'{INDENT}"""Returns the place of each label in `LABELS`: what the loss counts from 0."""',
            f"{INDENT}place = {{label: index for index, label in enumerate(LABELS)}}",
            f"{INDENT}return np.array([place[label] for label in np.asarray(y).ravel().tolist()])",
            "",
            "",
            "def decode(predictions):",
            f'{INDENT}"""Returns the label that each row of `model.predict` stands for."""',
            f"{INDENT}if predictions.shape[-1] == 1:",
            f"{INDENT * 2}return np.asarray(LABELS)[(predictions[:, 0] > 0.5).astype(int)]",
            f"{INDENT}return np.asarray(LABELS)[np.argmax(predictions, axis=-1)]",
        ]
    else:
        found += [
            "def encode(y):",
            f'{INDENT}"""Returns the place of each label in `LABELS`, for the outputs that have labels."""',
            f"{INDENT}found = dict(y)",
            f"{INDENT}for name, labels in LABELS.items():",
            f"{INDENT * 2}place = {{label: index for index, label in enumerate(labels)}}",
            f"{INDENT * 2}found[name] = np.array([place[label] for label in np.asarray(y[name]).ravel().tolist()])",
            f"{INDENT}return found",
        ]
    return "\n".join(found)


def oversampling(marks: Sequence[str]) -> str:
    """Returns the code that repeats the rows of rare classes."""
    return "\n".join(
        [
            "def oversampled(x, y, seed=0):",
            f'{INDENT}"""Returns the rows with those of rare classes repeated until all classes have equally many."""',
            *marks,
            f"{INDENT}rng = np.random.default_rng(seed)",
            f"{INDENT}labels = np.argmax(y, axis=-1) if np.ndim(y) > 1 and np.shape(y)[-1] > 1 else np.ravel(y)",
            f"{INDENT}classes, counts = np.unique(labels, return_counts=True)",
            f"{INDENT}rows = [np.flatnonzero(labels == label) for label in classes]",
            f"{INDENT}rows = np.concatenate([rng.permutation(np.resize(part, counts.max())) for part in rows])",
            f"{INDENT}return np.asarray(x)[rows], np.asarray(y)[rows]",
        ]
    )


def fitting(fit: Mapping[str, Any], *, encodes: bool, adapts: bool, marks: Mapping[str, Sequence[str]]) -> str:
    """Returns the function that fits.

    Args:
        fit: Settings of `fit` as a recipe has them.
        encodes: Whether the targets are labels that have to be encoded.
        adapts: Whether layers of the model take means and variances from the inputs.
        marks: Comment lines in front of each setting, by its name.
    """
    patience = fit.get("patience")
    inner = INDENT * 2
    found = [
        "def fit_model(model, train, validation=None):",
        f'{INDENT}"""Fits the model to `train`, a pair (x, y), and returns the history."""',
        f"{INDENT}x, y = train",
    ]
    if encodes:
        found += [
            f"{INDENT}y = encode(y)",
            f"{INDENT}if validation is not None:",
            f"{inner}validation = validation[0], encode(validation[1])",
        ]
    if adapts:
        found += [
            f"{INDENT}# These layers take means and variances from the inputs, as they did in your program.",
            f"{INDENT}for layer in model.layers:",
            f"{inner}if isinstance(layer, layers.Normalization) and layer.input_mean is None:",
            f"{inner}{INDENT}layer.adapt(x)",
        ]
    if fit.get("oversample"):
        found.append(f"{INDENT}x, y = oversampled(x, y)")
    found += [f"{INDENT}return model.fit(", f"{inner}x,", f"{inner}y,"]
    settings: list[tuple[str, Expression]] = [("epochs", literal(fit["epochs"]))]
    if fit.get("batch_size") not in (None, BATCH):
        settings.append(("batch_size", literal(fit["batch_size"])))
    if fit.get("shuffle") is False:
        settings.append(("shuffle", "False"))
    if fit.get("class_weight"):
        settings.append(("class_weight", class_weights(fit["class_weight"])))
    told = {key for key, _ in settings}
    back = [key for key in ("batch_size", "shuffle") if key not in told and marks.get(key)]
    settings += [(key, literal(fit[key])) for key in back]  # Keras' default, but it was something else
    for key, value in settings:
        found += [*marks.get(key, ()), *lines(value, indent=inner, lead=f"{key}=", tail=",")]
    found.append(f"{inner}validation_data=validation,")
    if patience is not None:
        found += [
            f"{inner}# Early stopping needs a score: without validation data, the last rows are set apart for it.",
            f"{inner}validation_split={VALIDATION} if validation is None else 0.0,",
            *marks.get("patience", ()),
            *lines(early_stopping(patience), indent=inner, lead="callbacks=[", tail="],"),
        ]
    return "\n".join([*found, f"{INDENT})"])
