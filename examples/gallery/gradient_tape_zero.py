"""A training loop of one's own in which every gradient is zero.

The author thresholds the output inside the tape, to "train on the accuracy": `tf.sign` is flat wherever it has a
derivative, so the tape returns zeros for all weights and the loss never moves by a digit. The loop below shows it; the
same model with the same loss goes through the API. By hand: a loss with a slope, cross-entropy on the raw scores.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "binary"
FIT: dict[str, Any] = {"epochs": 20, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Digits with pixels between 0 and 1; the label says whether the digit is odd."""
    x, digit = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        (x / 16).astype("float32"), digit % 2, test_size=0.3, stratify=digit, random_state=seed
    )
    return (x_train, y_train), (x_test, y_test)


def share_of_errors(y_true: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """How many rows are on the wrong side of zero: what the author wants, and no loss."""
    decided = (tf.sign(scores) + 1.0) / 2.0
    return tf.reduce_mean(tf.square(tf.cast(tf.reshape(y_true, (-1, 1)), decided.dtype) - decided), axis=-1)


def build(loss: Any) -> keras.Model:
    """Two hidden layers and one score."""
    net = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1),
        ]
    )
    net.compile(optimizer="adam", loss=loss)
    return net


def model(seed: int) -> keras.Model:
    """The author's model, compiled with the loss of the loop."""
    keras.utils.set_random_seed(seed)
    return build(share_of_errors)


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(keras.losses.BinaryCrossentropy(from_logits=True))


def train_by_hand(net: keras.Model, x: np.ndarray, y: np.ndarray, epochs: int) -> None:
    """The author's loop; it prints a loss that stands still and gradients that are all zero."""
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
    for epoch in range(epochs):
        losses, norms = [], []
        for x_batch, y_batch in batches:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(share_of_errors(y_batch, net(x_batch, training=True)))
            gradients = tape.gradient(loss, net.trainable_variables)
            net.optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
            losses.append(float(loss))
            norms.append(float(tf.linalg.global_norm(gradients)))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, gradient norm {np.max(norms):.4f}")


def main() -> None:
    """Show the loop, then repair the same model and print the change log."""
    (x, y), _ = data(0)
    train_by_hand(model(0), x, y, epochs=3)
    print(autofix.repair(model(0), (x, y), **FIT))


if __name__ == "__main__":
    main()
