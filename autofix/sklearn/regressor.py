"""`RepairingRegressor`: a Keras regressor for scikit-learn that repairs itself."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.validation import _check_sample_weight

from autofix.sklearn.base import Array, Repairing


class RepairingRegressor(RegressorMixin, Repairing):
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
