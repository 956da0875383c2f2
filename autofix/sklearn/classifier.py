"""`RepairingClassifier`: a Keras classifier for scikit-learn that repairs itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight

from autofix.contract.losses import CATEGORICAL, CATEGORICAL_HINGE, DIVERGENCE, losses
from autofix.errors import FixYourCall
from autofix.facts import Encoding, TargetFacts, TaskKind
from autofix.sklearn.base import Array, Repairing

# Losses that read a column for each class.
BY_COLUMN = (*CATEGORICAL, *DIVERGENCE, *CATEGORICAL_HINGE)


class RepairingClassifier(ClassifierMixin, Repairing):
    """A classifier around a Keras model: `fit` trains the model, and repairs it if that run is stuck.

    The model is trained as it is, with `autofix.Watch` looking on. Where nothing is wrong, that is all. Where something
    is, `autofix.repair` goes on from there: `result_` says what was wrong, what was changed and what it brought.

    Labels may be of any kind: the model is trained on their positions in `classes_`, one-hot where its loss reads
    columns (such as "categorical_crossentropy").

    Args:
        model: A compiled `keras.Model`, of which a copy is trained that starts with its weights; or a function
            `build(meta)` that returns a new one. `meta` holds `n_features_in_`, `classes_` and `n_classes_`.
        model_args: Further arguments of that function, by name.
        epochs: Epochs to train for.
        batch_size: Rows in a batch.
        metric: What a repair is judged by; see `autofix.repair`.
        target: Score that is good enough; see `autofix.repair`.
        budget: What a repair may cost; see `autofix.repair`.
        strategies: Names of the remedies to use; all if left out.
        random_state: Seed of weights, order of rows and repair. It becomes TensorFlow's global seed. None: TensorFlow
            decides.
        verbose: As in `keras.Model.fit`.

    Attributes:
        model_: The trained model.
        result_: The `RepairResult`; None where the run was healthy.
        diagnosis_: What was wrong with the run as it came.
        history_: What `fit` of the model as it came returned, by metric; empty where it could not train.
        classes_: The labels, sorted.
        n_classes_: Their number.
        n_features_in_: Number of columns.

    Example:
        >>> def build(meta):
        ...     layers = [keras.layers.Dense(16, "relu"), keras.layers.Dense(meta["n_classes_"], "softmax")]
        ...     model = keras.Sequential([keras.Input((meta["n_features_in_"],)), *layers])
        ...     model.compile("adam", "sparse_categorical_crossentropy")
        ...     return model
        >>> classifier = RepairingClassifier(build, epochs=20).fit(x, y)
        >>> classifier.predict(x_new)
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Trains the model, and repairs it if that run is stuck.

        Args:
            X: Inputs, array [n, features] (further axes are allowed).
            y: Labels, [n].
            sample_weight: Weights of the rows, [n].

        Returns:
            The estimator itself.

        Raises:
            FixYourCall: If an argument is wrong.
        """
        x, labels = self._inputs(X, reset=True, y=y, dtype="numeric")
        labels = column_or_1d(labels, warn=True)
        check_classification_targets(labels)
        self.classes_, index = np.unique(labels, return_inverse=True)
        self.n_classes_ = len(self.classes_)
        if self.n_classes_ < 2:
            raise FixYourCall(f"`y` must hold at least two classes. Received one class: {self.classes_[0]!r}.")
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, x)

        def loss_input(recipe: Any) -> Array:
            self._target = _target_of(index, self.n_classes_, recipe)
            return np.eye(self.n_classes_)[index] if self._target.encoding is Encoding.ONE_HOT else index

        self._train(x, index, weights, loss_input)
        return self

    def predict(self, X: Any) -> Array:  # noqa: N803
        """Returns the likeliest labels, [n]."""
        index, _ = self._decoded(X)
        return np.asarray(self.classes_[index])

    def predict_proba(self, X: Any) -> Array:  # noqa: N803
        """Returns the probability of each class, float array [n, classes], in the order of `classes_`."""
        index, probabilities = self._decoded(X)
        return np.eye(self.n_classes_)[index] if probabilities is None else probabilities

    def _decoded(self, x: Any) -> tuple[Array, Array | None]:
        from autofix.contract.links import link_of
        from autofix.decoding import decode_index
        from autofix.live.program import NOTHING
        from autofix.recipe import Recipe

        outputs = self._outputs(x)
        recipe = Recipe.of(self.model_)
        link = link_of(recipe, replace(NOTHING, targets=(self._target,)), 0)
        index, probabilities = decode_index(outputs, self._target, link)
        # In the precision of the model: digits beyond it differ with the batch that a row comes in.
        probabilities = None if probabilities is None else probabilities.astype(outputs.dtype)
        return np.minimum(index, self.n_classes_ - 1), probabilities

    def _meta(self) -> dict[str, Any]:
        return {"n_features_in_": self.n_features_in_, "classes_": self.classes_, "n_classes_": self.n_classes_}


def _target_of(index: Array, classes: int, recipe: Any) -> TargetFacts:
    """Returns the labels in the form in which the loss of the program reads them."""
    loss = losses(recipe, 1)[0]
    by_column = loss is not None and loss.identifier in BY_COLUMN
    return TargetFacts(
        name="output",
        shape=(classes,) if by_column else (),
        dtype="int64",
        kind=TaskKind.BINARY if classes == 2 else TaskKind.MULTICLASS,
        encoding=Encoding.ONE_HOT if by_column else Encoding.INDEX,
        classes=tuple(range(classes)),
        counts=tuple(np.bincount(index, minlength=classes).tolist()),
        minimum=0.0,
        maximum=1.0 if by_column else float(classes - 1),
        mean=(),
        std=(),
        missing=0.0,
        reason="it is a classifier",
    )
