"""Repair a run that is fed by a `tf.data.Dataset`, within a minute, with a metric of scikit-learn's."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import autofix


def main() -> None:
    x, y = load_digits(return_X_y=True)
    dataset = tf.data.Dataset.from_tensor_slices((x.astype("float32"), y)).batch(32)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),  # logits, but the loss takes them for probabilities
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")

    result = autofix.repair(model, dataset, epochs=10, budget="1m", metric="f1_macro")
    print(result)


if __name__ == "__main__":
    main()
