"""scikit-learn estimators around a Keras model that repair it inside `fit`, where it gets stuck.

from autofix.sklearn import RepairingClassifier

classifier = RepairingClassifier(build, epochs=20).fit(x, y)
classifier.predict(x_new)
print(classifier.result_)
"""

from __future__ import annotations

import contextlib
import copy
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from autofix.budget import Budget
from autofix.contract.losses import CATEGORICAL, CATEGORICAL_HINGE, DIVERGENCE, losses
from autofix.errors import FixYourCall
from autofix.facts import Encoding, TargetFacts, TaskKind
from autofix.findings import NOTE

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]

logger = logging.getLogger(__name__)

# Losses that read a column for each class.
BY_COLUMN = (*CATEGORICAL, *DIVERGENCE, *CATEGORICAL_HINGE)
NOT_REPAIRED = ("unrepaired", "unusable", "out_of_budget")


class _Repairing(BaseEstimator):
    """What both estimators do: `fit` trains a copy of the model, watched, and repairs it where something is wrong."""

    def __init__(
        self,
        model: keras.Model | Callable[..., keras.Model],
        *,
        model_args: Mapping[str, Any] | None = None,
        epochs: int = 10,
        batch_size: int = 32,
        metric: str | Callable[..., float] = "auto",
        target: float | None = None,
        budget: Budget | str | float = "10x",
        strategies: list[str] | None = None,
        random_state: int | None = None,
        verbose: int | str = 0,
    ) -> None:
        self.model = model
        self.model_args = model_args
        self.epochs = epochs
        self.batch_size = batch_size
        self.metric = metric
        self.target = target
        self.budget = budget
        self.strategies = strategies
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        # Missing values are for the repair to deal with: the model that comes out of it takes them.
        tags.input_tags.allow_nan = True
        return tags

    def __sklearn_clone__(self) -> Self:
        # The given model is only ever read, so that clones may share it; copies of it would be slow, and Keras warns.
        settings = {
            name: copy.deepcopy(value) for name, value in self.get_params(deep=False).items() if name != "model"
        }
        twin = type(self)(self.model, **settings)
        if hasattr(self, "_metadata_request"):
            twin._metadata_request = copy.deepcopy(self._metadata_request)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if state.get("result_") is not None:
            # A study may be tied to a database, which does not travel.
            state["result_"] = replace(state["result_"], study=None)
        return state

    def _inputs(self, x: Any, *, reset: bool = False, **y: Any) -> Any:
        """Returns validated inputs, and targets if given, as arrays."""
        return validate_data(
            self, x, reset=reset, allow_nd=True, ensure_all_finite="allow-nan", skip_check_array=False, **y
        )

    def _train(self, x: Array, y: Array, sample_weight: Array | None, loss_input: Callable[[Any], Array]) -> None:
        """Trains a fresh model as it is; repairs it if that run shows that something is wrong.

        Args:
            x: Inputs, array [n, ...].
            y: Targets; class indices for a classifier.
            sample_weight: Weights of the rows, float array [n]; None for none.
            loss_input: Returns the targets as the loss of a given program reads them.
        """
        from autofix.api import repair
        from autofix.recipe import Recipe
        from autofix.watch import Watch

        seed = 0 if self.random_state is None else int(self.random_state)
        with _seeded(self.random_state):
            model = self._fresh(x, seed)
            watch: Watch | None = Watch(log=False)
            y = loss_input(Recipe.of(model, example=x[:2]))
            error = None
            try:
                history = model.fit(
                    x,
                    y,
                    sample_weight=sample_weight,
                    epochs=self.epochs,
                    batch_size=self.batch_size,
                    callbacks=[watch],
                    verbose=self.verbose,
                )
                self.history_ = dict(history.history)
            except Exception as failed:  # a program that cannot train is what a repair is for
                logger.debug("the model cannot be trained as it is", exc_info=True)
                error, self.history_, model, watch = failed, {}, self._fresh(x, seed), None
        self.diagnosis_ = watch.diagnosis if watch is not None else ()
        self.model_, self.result_ = model, None
        if error is not None or any(item.severity > NOTE for item in self.diagnosis_):
            self.result_ = repair(
                model,
                (x, y) if sample_weight is None else (x, y, sample_weight),
                epochs=self.epochs,
                batch_size=self.batch_size,
                metric=self.metric,
                target=self.target,
                budget=self.budget,
                strategies=self.strategies,
                watch=watch,
                seed=seed,
                progress=False,
            )
            if error is not None and self.result_.status in NOT_REPAIRED:
                raise error
            self.model_, self.diagnosis_ = self.result_.model, self.result_.diagnosis

    def _fresh(self, x: Array, seed: int) -> keras.Model:
        """Returns a model to train: what the function builds, or a copy of the given one with its weights."""
        import keras

        from autofix.recipe import Recipe

        if isinstance(self.model, keras.Model):
            model = Recipe.of(self.model, example=x[:2]).build(seed=seed, example=x[:2])
            if self.model.weights:
                model.set_weights(self.model.get_weights())
            return model
        if not callable(self.model):
            raise FixYourCall(
                "`model` must be a compiled `keras.Model`, or a function that builds one from what is known about the "
                f"data: `build(meta)`. Received: {self.model!r}."
            )
        built = self.model(self._meta(), **dict(self.model_args or {}))
        if not isinstance(built, keras.Model):
            raise FixYourCall(f"`model` must build a compiled `keras.Model`. Received: {type(built).__name__}.")
        return built

    def _meta(self) -> dict[str, Any]:
        """Returns what is known about the data when the model is built."""
        raise NotImplementedError

    def _outputs(self, x: Any) -> Array:
        """Returns the raw outputs of the fitted model, float array [n, ...]."""
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.predict(self._inputs(x), batch_size=self.batch_size, verbose=0))


class RepairingClassifier(ClassifierMixin, _Repairing):
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


class RepairingRegressor(RegressorMixin, _Repairing):
    """A regressor around a Keras model: `fit` trains the model, and repairs it if that run is stuck.

    As `RepairingClassifier`, with the same arguments. `meta` holds `n_features_in_` and `n_outputs_`.

    Attributes:
        model_: The trained model.
        result_: The `RepairResult`; None where the run was healthy.
        diagnosis_: What was wrong with the run as it came.
        history_: What `fit` of the model as it came returned, by metric; empty where it could not train.
        n_outputs_: Number of quantities to predict.
        n_features_in_: Number of columns.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Trains the model, and repairs it if that run is stuck.

        Args:
            X: Inputs, array [n, features] (further axes are allowed).
            y: Quantities, [n] or [n, outputs].
            sample_weight: Weights of the rows, [n].

        Returns:
            The estimator itself.

        Raises:
            FixYourCall: If an argument is wrong.
        """
        x, wanted = self._inputs(X, reset=True, y=y, dtype="numeric", multi_output=True, y_numeric=True)
        wanted = check_array(wanted, ensure_2d=False, dtype="float64")
        self._shape = wanted.shape[1:]
        self.n_outputs_ = int(np.prod(self._shape, dtype=np.int64))
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, x)
        self._train(x, wanted, weights, lambda recipe: wanted)
        return self

    def predict(self, X: Any) -> Array:  # noqa: N803
        """Returns the predicted quantities, in the shape that `y` had."""
        outputs = self._outputs(X)
        return outputs.reshape(len(outputs), *self._shape)

    def _meta(self) -> dict[str, Any]:
        return {"n_features_in_": self.n_features_in_, "n_outputs_": self.n_outputs_}


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


@contextlib.contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Seeds what Keras draws weights and the order of rows from; Python's and NumPy's own are put back."""
    if seed is None:
        yield
        return
    import keras

    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - kept for the user, not drawn from
    keras.utils.set_random_seed(int(seed))
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
