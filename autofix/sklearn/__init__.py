"""scikit-learn estimators around a Keras model that repair it inside `fit`, where it gets stuck."""

from __future__ import annotations

from autofix.sklearn.classifier import RepairingClassifier
from autofix.sklearn.regressor import RepairingRegressor

__all__ = ["RepairingClassifier", "RepairingRegressor"]
