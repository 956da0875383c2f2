"""Settings of Keras and TensorFlow that a process has and its slots must have too."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Self

import keras
import tensorflow as tf


@dataclass(frozen=True)
class Settings:
    """What a slot sets before it runs its first operation.

    Attributes:
        threads: Threads within an operation and between operations; 0 leaves the choice to TensorFlow.
        floatx: Default float type of Keras.
        epsilon: Keras' small number.
        image_data_format: "channels_last" or "channels_first".
        dtype_policy: Keras' default policy, serialized.
    """

    threads: int
    floatx: str
    epsilon: float
    image_data_format: str
    dtype_policy: Any

    @classmethod
    def of_this_process(cls, jobs: int) -> Self:
        """Reads the settings that hold here, and shares the processors among slots.

        Args:
            jobs: Slots that train at the same time.
        """
        policy = keras.saving.serialize_keras_object(keras.config.dtype_policy())
        threads = max(1, processors() // jobs) if jobs > 1 else 0
        return cls(threads, keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format(), policy)

    def __call__(self) -> None:
        """Makes the settings hold in this process."""
        if self.threads:
            tf.config.threading.set_intra_op_parallelism_threads(self.threads)
            tf.config.threading.set_inter_op_parallelism_threads(self.threads)
        keras.config.set_floatx(self.floatx)
        keras.config.set_epsilon(self.epsilon)
        keras.config.set_image_data_format(self.image_data_format)
        keras.config.set_dtype_policy(keras.saving.deserialize_keras_object(self.dtype_policy))


def processors() -> int:
    """Returns the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
