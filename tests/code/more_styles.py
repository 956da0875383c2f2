"""More scripts: layouts, settings, and what is left to the user."""

from tests.code.styles import ADAM, HE, L2, NORMAL, RATE, RELU, STYLES, layer, of_keras, style

style(
    "keyword_order",
    """
import keras
from keras import layers

model = keras.Sequential(name="net", layers=[
    keras.Input(shape=(4,)),
    layers.Dense(activation="sigmoid", units=8, kernel_initializer="zeros"),
    layers.Dense(activation="softmax", units=3),
])
model.compile(metrics=["accuracy"], loss="sparse_categorical_crossentropy", optimizer="adam")
model.fit(y=y, x=x, epochs=2)
""",
    {"1/activation": "relu", "1/kernel_initializer": HE, "1/units": 16, "fit/epochs": 8},
    fit={"epochs": 2},
    has=('kernel_initializer="he_normal"', "units=16"),
)

style(
    "long_calls",
    """
import keras
from keras import layers

model = keras.Sequential(
    [
        keras.Input((4,)),
        layers.Dense(
            8,
            activation="sigmoid",  # as in the paper
            kernel_regularizer=keras.regularizers.L2(
                0.5
            ),
        ),
        layers.Dense(
            3,
            activation="softmax"
        ),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(
        learning_rate=1e-8,
        momentum=0.9,
    ),
    loss="sparse_categorical_crossentropy",
)
model.fit(
    x,
    y,
    epochs=2,
)
""",
    {
        "1/activation": "relu",
        "1/kernel_regularizer": of_keras("regularizers", "L2", l2=0.001),
        **RATE,
        "compile/optimizer/clipnorm": 1.0,
        "1/kernel_initializer": HE,
        "2/kernel_initializer": HE,
        "fit/class_weight": {"0": 1.0, "1": 2.0, "2": 3.0},
        "fit/shuffle": False,
    },
    fit={"epochs": 2},
    has=("# as in the paper", "        clipnorm=1.0,", "    class_weight={0: 1.0, 1: 2.0, 2: 3.0},"),
)

style(
    "tabs",
    """
import keras
from keras import layers

def make():
\tmodel = keras.Sequential([
\t\tkeras.Input((4,)),
\t\tlayers.Dense(8, activation="sigmoid"),\t# tab before
\t\tlayers.Dense(3, activation="softmax"),
\t])
\tmodel.compile("sgd", "sparse_categorical_crossentropy")
\treturn model

model = make()
model.fit(x, y)
""",
    {"1/activation": "relu", "0/after": [NORMAL], "1/after": [layer("Dropout", rate=0.3)]},
    has=("\t\tlayers.Dropout(0.3)", "\t# tab before"),
)

style(
    "windows_lines",
    """
import keras
from keras import layers

model = keras.Sequential()
model.add(keras.Input((4,)))
model.add(layers.Dense(8, activation="sigmoid"))
model.add(layers.Dense(3, activation="softmax"))
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y)
""".replace("\n", "\r\n"),
    {"1/activation": "relu", "0/after": [NORMAL], **RATE},
    has=("\r\n",),
)

style(
    "latin_1",
    """
# -*- coding: latin-1 -*-
import keras
from keras import layers

# gr\u00fc\u00dfe
model = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="sigmoid"), layers.Dense(3, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu"},
    has=("gr\u00fc\u00dfe",),
)

style(
    "no_final_newline",
    """
import keras
from keras import layers
model = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="sigmoid"), layers.Dense(3, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=3)""",
    {"1/activation": "relu", "fit/epochs": 6},
    fit={"epochs": 3},
)

style(
    "compile_elsewhere",
    """
import keras
from keras import layers


def make_model():
    inputs = keras.Input((4,))
    hidden = layers.Dense(8, "sigmoid")(inputs)
    return keras.Model(inputs, layers.Dense(3, "softmax")(hidden))


def make_optimizer(rate):
    return keras.optimizers.SGD(rate, momentum=0.5)


def compile_model(net, rate):
    optimizer = make_optimizer(rate)
    net.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")


def train(net):
    net.fit(x, y, epochs=3, batch_size=2)


def main():
    net = make_model()
    compile_model(net, 1e-9)
    train(net)


main()
""",
    {"1/activation": "relu", **RATE, "fit/batch_size": 4, "1/after": [layer("BatchNormalization")]},
    fit={"epochs": 3, "batch_size": 2},
    has=("compile_model(net, 0.01)", "hidden = layers.BatchNormalization()(hidden)"),
)

style(
    "optimizer_before",
    """
import keras
from keras import layers, optimizers, losses

opt = optimizers.SGD(learning_rate=1e-9)
loss_fn = losses.SparseCategoricalCrossentropy(from_logits=True)
model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "tanh"), layers.Dense(3, "softmax")])
model.compile(optimizer=opt, loss=loss_fn)
model.fit(x, y)
""",
    {"compile/optimizer": ADAM, "compile/loss": "sparse_categorical_crossentropy"},
    has=("opt = optimizers.Adam()", 'loss_fn = "sparse_categorical_crossentropy"'),
)

style(
    "dict_config",
    """
import keras
from keras import layers

config = {"rate": 1e-7, "units": 8, "activation": "sigmoid", "epochs": 2}
model = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(config["units"], activation=config["activation"]),
    layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(config["rate"]), "sparse_categorical_crossentropy")
model.fit(x, y, epochs=config["epochs"])
""",
    {**RATE, "1/activation": "relu", "1/units": 32, "fit/epochs": 5},
    fit={"epochs": 2},
    has=('"rate": 0.01, "units": 32, "activation": "relu", "epochs": 5',),
)

style(
    "dict_unpacked",
    """
import keras
from keras import layers

COMMON = dict(activation="sigmoid", kernel_initializer="zeros")
FIT = {"epochs": 2, "batch_size": 4}
model = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(8, **COMMON),
    layers.Dense(8, **COMMON),
    layers.Dense(3, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, **FIT)
""",
    {
        **RELU,
        "1/kernel_initializer": HE,
        "2/kernel_initializer": HE,
        "fit/epochs": 6,
        "fit/class_weight": {"0": 1.0, "1": 2.0, "2": 2.0},
    },
    fit={"epochs": 2, "batch_size": 4},
    has=(
        'COMMON = dict(activation="relu", kernel_initializer="he_normal")',
        '"class_weight": {0: 1.0, 1: 2.0, 2: 2.0}',
    ),
)

style(
    "unknown_keywords",
    """
import json
import keras
from keras import layers

OPTIONS = json.loads('{"activation": "sigmoid"}')
model = keras.Sequential([keras.Input((4,)), layers.Dense(8, **OPTIONS), layers.Dense(3, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", **RATE},
    by_hand=("1/activation",),
    has=("**OPTIONS",),
)

style(
    "two_models_alike",
    """
import keras
from keras import layers


def first():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "sigmoid"), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def second():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "sigmoid"), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


teacher, student = second(), first()
student.fit(x, y)
""",
    {"1/activation": "relu", **RATE},
    model="first",
)

style(
    "two_models_unlike",
    """
import keras
from keras import layers

big = keras.Sequential([keras.Input((4,)), layers.Dense(99, "sigmoid"), layers.Dense(3, "softmax")])
big.compile("sgd", "sparse_categorical_crossentropy")
model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "sigmoid"), layers.Dense(3, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", **RATE},
    has=('Dense(99, "sigmoid")',),
)

style(
    "nested_model",
    """
import keras
from keras import layers

encoder = keras.Sequential([keras.Input((4,)), layers.Dense(8, "sigmoid", name="code")], name="encoder")
inputs = keras.Input((4,))
z = encoder(inputs)
model = keras.Model(inputs, layers.Dense(3, "softmax")(z))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"layers/encoder/layers/code/activation": "relu", "layers/encoder/layers/code/after": [layer("Dropout", rate=0.5)]},
)

style(
    "wrapped_layers",
    """
import keras
from keras import layers

inputs = keras.Input((4,))
h = layers.Reshape((4, 1))(inputs)
h = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(h)
h = layers.TimeDistributed(layers.Dense(5, activation="sigmoid"), name="each")(h)
h = layers.Flatten()(h)
model = keras.Model(inputs, layers.Dense(3, activation="softmax")(h))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"layers/each/layer/activation": "relu", "layers/each/layer/kernel_regularizer": L2},
)

style(
    "frozen_loop",
    """
import keras
from keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), layers.Dropout(0.1), layers.Dense(3, "softmax")])
for layer in model.layers:
    layer.trainable = False
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/trainable": True, "3/trainable": True},
    has=("layer.trainable = True",),
)

style(
    "frozen_argument",
    """
import keras
from keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu", trainable=False), layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/trainable": True},
)

style(
    "labels_and_stopping",
    """
import numpy as np
import keras
from keras import layers

labels = y + 1
model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
history = model.fit(x, labels, validation_data=(x, labels), epochs=2, callbacks=[keras.callbacks.TerminateOnNaN()])
""",
    {"transforms/labels": {"dense_1": [1, 2, 3]}, "fit/patience": 5},
    fit={"epochs": 2},
    has=("np.searchsorted([1, 2, 3], labels)", "EarlyStopping(patience=5, restore_best_weights=True)"),
)

style(
    "stopping_there",
    """
import keras
from keras import layers
from keras.callbacks import EarlyStopping

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
stop = EarlyStopping(monitor="val_loss", patience=1)
model.fit(x, y, validation_split=0.5, epochs=2, callbacks=[stop])
""",
    {"fit/patience": 5, "fit/epochs": 20},
    fit={"epochs": 2},
    has=("patience=5",),
)

style(
    "stopping_without_validation",
    """
import keras
from keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=2)
""",
    {"fit/patience": 5, "fit/epochs": 20, "fit/oversample": True},
    fit={"epochs": 2},
    by_hand=("fit/patience", "fit/oversample"),
    has=("epochs=20",),
)

style(
    "other_epochs_than_told",
    """
import keras
from keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "sigmoid"), layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=50)
""",
    {"fit/epochs": 20, "1/activation": "relu"},
    fit={"epochs": 2},
    by_hand=("fit/epochs",),
)

style(
    "head_and_loss",
    """
import keras
from keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu")])
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(x, y)
""",
    {"2/units": 3, "2/activation": "softmax", "compile/loss": "sparse_categorical_crossentropy"},
    has=('layers.Dense(3, activation="softmax")',),
)

style(
    "targets_scaled",
    """
import keras
from keras import layers

model = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(8, activation="relu"),
    layers.Dense(1)
])
model.compile(optimizer=keras.optimizers.Adam(), loss="mse")
model.fit(x, y)
""",
    {"2/after": [layer("Rescaling", scale=5.0, offset=100.0)], "compile/loss_weights": 0.04},
    has=("layers.Rescaling(5.0, offset=100.0)", "loss_weights=0.04"),
)

style(
    "two_outputs",
    """
import keras
from keras import layers

inputs = keras.Input((4,))
h = layers.Dense(8, activation="sigmoid")(inputs)
kind = layers.Dense(3, activation="softmax", name="kind")(h)
size = layers.Dense(1, name="size")(h)
model = keras.Model(inputs, {"kind": kind, "size": size})
losses = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
model.compile("adam", losses, loss_weights={"kind": 1.0, "size": 1.0})
model.fit(x, {"kind": y, "size": y})
""",
    {
        "1/activation": "relu",
        "compile/loss": {"kind": "sparse_categorical_crossentropy", "size": "mae"},
        "compile/loss_weights": {"kind": 1.0, "size": 0.5},
    },
    has=('"size": "mae"', '"size": 0.5'),
)

style(
    "choice_by_flag",
    """
import keras
from keras import layers

DEEP = True
USE_DROPOUT = False
stack = [keras.Input((4,)), layers.Dense(8, activation="sigmoid" if DEEP else "relu")]
if DEEP:
    stack.append(layers.Dense(8, activation="sigmoid"))
if USE_DROPOUT:
    stack.append(layers.Dropout(0.5))
stack += [layers.Dense(3, activation="softmax")]
model = keras.Sequential(stack)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    RELU,
    has=('"relu" if DEEP else "relu"',),
)

style(
    "unknown_flag",
    """
import os
import keras
from keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="sigmoid")])
if os.environ.get("NO_SUCH_VARIABLE_OF_AUTOFIX"):
    model.add(layers.Dropout(0.5))
model.add(layers.Dense(3, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu"},
    has=("model.add(layers.Dropout(0.5))",),
)

style(
    "lambda_and_repeat",
    """
import keras
from keras.layers import Dense

dense = lambda units, act="sigmoid": Dense(units, activation=act)
model = keras.Sequential([keras.Input((4,)), dense(8), dense(8), dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    RELU,
    has=('act="relu"',),
)

style(
    "semicolons",
    """
import keras; from keras import layers
model = keras.Sequential(); model.add(keras.Input((4,)))
model.add(layers.Dense(8, activation="sigmoid")); model.add(layers.Dense(3, activation="softmax"))
model.compile("sgd", "sparse_categorical_crossentropy"); model.fit(x, y)
""",
    {"1/activation": "relu", "1/after": [layer("Dropout", rate=0.5)]},
    by_hand=("1/after",),
)

style(
    "activation_layers",
    """
import keras
from keras import layers

model = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(8),
    layers.LeakyReLU(),
    layers.Dense(3),
    layers.Activation("sigmoid"),
])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"2/skip": True, "2/after": [layer("Activation", activation="gelu")], "4/activation": "softmax"},
    has=('layers.Activation("gelu"),',),
    lacks=("LeakyReLU",),
)

style(
    "shared_layer",
    """
import keras
from keras import layers

inputs = keras.Input((4,))
shared = layers.Dense(4, activation="sigmoid", name="shared")
h = shared(shared(inputs))
model = keras.Model(inputs, layers.Dense(3, activation="softmax")(h))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"layers/shared/activation": "relu", "layers/shared/kernel_regularizer": L2},
)

style(
    "own_layer",
    """
import keras
from keras import layers


@keras.saving.register_keras_serializable("styles")
class Scale(keras.layers.Layer):
    def __init__(self, by=1.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, inputs):
        return inputs * self.by

    def get_config(self):
        return {**super().get_config(), "by": self.by}


model = keras.Sequential([keras.Input((4,)), Scale(2.0), layers.Dense(8, "sigmoid"), layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"2/activation": "relu", **RATE},
)

style(
    "typed_and_commented",
    '''
#!/usr/bin/env python
"""A script with everything in its place."""
from __future__ import annotations

import keras
from keras import layers
from typing import Final

RATE: Final[float] = 1e-9  # do not touch


def network(width: int) -> keras.Sequential:
    # the body
    return keras.Sequential(
        [
            keras.Input((4,)),  # four columns
            # hidden
            layers.Dense(width, activation="sigmoid"),  # squashes
            layers.Dense(3, activation="softmax"),  # last
        ]
    )


model: keras.Model = network(width=8)
model.compile(
    # stochastic
    optimizer=keras.optimizers.SGD(learning_rate=RATE), loss="sparse_categorical_crossentropy"
)
model.fit(x, y)  # go
''',
    {**RATE, "1/activation": "relu", "1/units": 64, "1/after": [layer("Dropout", rate=0.5)]},
    has=("= 0.01  # do not touch", "# squashes", "network(width=64)"),
)

style(
    "optimizer_in_words",
    """
import keras
from keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"compile/optimizer/global_clipnorm": 1.0, **RATE},
    has=("Adam(learning_rate=0.01, global_clipnorm=1.0)",),
)

style(
    "subclassed",
    """
import keras
from keras import layers


@keras.saving.register_keras_serializable("styles")
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(8, activation="sigmoid")
        self.out = layers.Dense(3, activation="softmax")

    def call(self, inputs):
        return self.out(self.hidden(inputs))


model = Net()
model.compile(optimizer=keras.optimizers.SGD(1e-8), loss="sparse_categorical_crossentropy")
model.fit(x, y, epochs=3)
""",
    {**RATE, "fit/epochs": 30},
    fit={"epochs": 3},
    has=("SGD(0.01)",),
)

style(
    "command_line",
    """
import argparse
import keras
from keras import layers

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", "-l", type=float, default=1e-7, help="rate")
parser.add_argument("--units", type=int, default=8)
parser.add_argument("--epochs", type=int, default=2)
args = parser.parse_args([])
model = keras.Sequential([keras.Input((4,)), layers.Dense(args.units, "sigmoid"), layers.Dense(3, "softmax")])
model.compile(keras.optimizers.Adam(args.learning_rate), "sparse_categorical_crossentropy")
model.fit(x, y, epochs=args.epochs)
""",
    {**RATE, "1/units": 32, "fit/epochs": 9},
    fit={"epochs": 2},
    has=("type=float, default=0.01, help", "default=32", "default=9"),
)

style(
    "from_elsewhere",
    """
import os
import keras
from keras import layers

RATE = float(os.environ.get("NO_SUCH_VARIABLE_OF_AUTOFIX", "1e-7"))
model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "sigmoid"), layers.Dense(3, "softmax")])
model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {**RATE, "1/activation": "relu"},
    by_hand=("compile/optimizer/learning_rate",),
    has=("Adam(RATE)",),
)

style(
    "dataclass_config",
    """
from dataclasses import dataclass
import keras
from keras import layers


@dataclass
class Config:
    rate: float = 1e-7
    units: int = 8
    activation: str = "sigmoid"


config = Config(activation="tanh")
model = keras.Sequential([
    keras.Input((4,)), layers.Dense(config.units, config.activation), layers.Dense(3, "softmax")])
model.compile(keras.optimizers.Adam(config.rate), "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {**RATE, "1/units": 32, "1/activation": "relu"},
    has=("rate: float = 0.01", "units: int = 32", 'Config(activation="relu")'),
)

style(
    "partials",
    """
from functools import partial
import keras
from keras import layers

Hidden = partial(layers.Dense, activation="sigmoid", kernel_initializer="zeros")
model = keras.Sequential([keras.Input((4,)), Hidden(8), Hidden(6), layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {**RELU, "1/kernel_initializer": HE, "2/kernel_initializer": HE, "2/units": 12, "1/kernel_regularizer": L2},
    has=(
        'partial(layers.Dense, activation="relu", kernel_initializer="he_normal")',
        "Hidden(12)",
        "Hidden(8, kernel_regularizer=keras.regularizers.L2(l2=0.25))",
    ),
)

style(
    "arguments_passed_on",
    """
import keras
from keras import layers


def dense(*args, **kwargs):
    return layers.Dense(*args, **kwargs)


model = keras.Sequential([keras.Input((4,)), dense(8, activation="sigmoid"), dense(3, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", "1/units": 16},
    has=('dense(16, activation="relu")',),
)

style(
    "letters_of_all_kinds",
    """
import keras
from keras import layers

print("😀 grüße", end=""); model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "sigmoid")])
model.add(layers.Dense(3, "softmax", name="é"))  # 😀
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", "2/kernel_initializer": HE},
    has=("😀 grüße",),
)

style(
    "cross_validation",
    """
import keras
from keras import layers


def build(units):
    net = keras.Sequential([keras.Input((4,)), layers.Dense(units, "sigmoid"), layers.Dense(3, "softmax")])
    net.compile(keras.optimizers.SGD(1e-9), "sparse_categorical_crossentropy")
    return net


for fold in range(3):
    model = build(8)
    model.fit(x, y, epochs=2)
""",
    {**RATE, "1/units": 64, "fit/epochs": 8},
    fit={"epochs": 2},
    has=("build(64)", "epochs=8"),
)

style(
    "loop_after_uneven",
    """
import keras
from keras import layers

net = keras.Sequential()
net.add(keras.Input((4,)))
for _ in range(2):
    net.add(layers.Dense(8, activation="sigmoid"))
net.add(layers.Dense(3, activation="softmax"))
net.compile("adam", "sparse_categorical_crossentropy")
net.fit(x, y)
""",
    {**RELU, "1/after": [layer("Dropout", rate=0.5)]},
    by_hand=("1/after",),
    lacks=("Dropout",),
)

style(
    "backslashes",
    """
import keras
from keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "sigmoid"), layers.Dense(3, "softmax")])
loss, optimizer, a_name_that_takes_room = \\
    "sparse_categorical_crossentropy", keras.optimizers.SGD(1e-9, momentum=0.5, nesterov=True), None
model.compile(optimizer, loss)
model.fit(x, y)
""",
    RATE,
    has=("# autofix: learning_rate was 1e-09", "SGD(0.01, momentum=0.5"),
)

__all__ = ["STYLES"]
