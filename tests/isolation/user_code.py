"""What a user may have in a module of their own."""

from __future__ import annotations

import os
import signal
import sys
import time

import keras
import numpy as np

PLAY = {"metric": "fine"}


@keras.saving.register_keras_serializable("user_code")
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return 2.0 * inputs


def share(y_true, y_pred) -> float:
    return float(np.mean(np.asarray(y_true).reshape(-1) == np.asarray(y_pred).reshape(-1)))


def kills(y_true, y_pred) -> float:
    """Ends whatever process trains, but for the one that tests."""
    if "pytest" not in sys.modules:
        os.kill(os.getpid(), signal.SIGKILL)
    return share(y_true, y_pred)


def hangs(y_true, y_pred) -> float:
    while "pytest" not in sys.modules:
        time.sleep(3600)
    return share(y_true, y_pred)


def wrong(y_true, y_pred) -> float:
    if "pytest" not in sys.modules:
        raise ZeroDivisionError("of all things")
    return share(y_true, y_pred)
