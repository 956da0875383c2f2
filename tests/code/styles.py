"""Scripts as people write them, what a repair changes in each, and whether something is left to do by hand."""

from dataclasses import dataclass, field
from typing import Any

NORMAL = {
    "module": "keras.layers",
    "class_name": "Normalization",
    "config": {"name": "input_scaled", "axis": [-1], "mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 4.0, 9.0, 16.0]},
    "registered_name": None,
}


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    """A layer as a strategy puts it behind another one."""
    name = config.pop("name", f"new_{class_name.lower()}")
    return {
        "module": "keras.layers",
        "class_name": class_name,
        "config": {"name": name, **config},
        "registered_name": None,
    }


def of_keras(group: str, class_name: str, **config: Any) -> dict[str, Any]:
    """An initializer, regularizer or loss as Keras writes it."""
    return {"module": f"keras.{group}", "class_name": class_name, "config": config, "registered_name": None}


HE = of_keras("initializers", "HeNormal", seed=None, input_axes=None, output_axes=None)
L2 = of_keras("regularizers", "L2", l2=0.25)
ADAM = of_keras(
    "optimizers", "Adam", name="adam", learning_rate=0.001, weight_decay=None, clipnorm=None, global_clipnorm=None,
    clipvalue=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
    gradient_accumulation_steps=None, beta_1=0.9, beta_2=0.999, epsilon=1e-07, amsgrad=False,
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """One script.

    Attributes:
        text: The script. `x` [8, 4] and `y` [8] are there before it runs.
        wants: Paths with their new values; a number at the start stands for the layer in that place.
        by_hand: Paths (with numbers too) that are left to the user.
        fit: Settings that the run was made with.
        model: Which of several models is meant.
        has: Texts that the patched script must hold.
        lacks: Texts that it must not hold.
    """

    text: str
    wants: dict[str, Any]
    by_hand: tuple[str, ...] = ()
    fit: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


RELU = {"1/activation": "relu", "2/activation": "relu"}
RATE = {"compile/optimizer/learning_rate": 0.01}

STYLES: dict[str, Style] = {}


def style(name: str, text: str, wants: dict[str, Any], **more: Any) -> None:
    """Adds a script to the table."""
    if name in STYLES:
        raise ValueError(name)
    STYLES[name] = Style(text.lstrip("\n"), wants, **more)


style(
    "sequential_list",
    """
import keras
from keras import layers

model = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(8, activation="sigmoid"),  # first
    layers.Dense(8, activation="sigmoid"),
    layers.Dense(3, activation="softmax"),
])
model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=3)
""",
    {**RELU, "0/after": [NORMAL], "compile/optimizer": ADAM},
    has=("# first", "layers.Normalization("),
)

style(
    "sequential_add",
    """
from keras.models import Sequential
from keras.layers import Dense, Dropout, Input

model = Sequential()
model.add(Input(shape=(4,)))
model.add(Dense(8, activation='sigmoid'))
model.add(Dropout(0.9))
model.add(Dense(8, activation='sigmoid'))
model.add(Dense(3, activation='softmax'))
model.compile(loss='sparse_categorical_crossentropy', optimizer='adam')
model.fit(x, y, epochs=3, batch_size=4)
""",
    {"1/activation": "relu", "2/skip": True, "3/activation": "relu", "3/after": [layer("Dropout", rate=0.2)]},
    has=("model.add(Dropout(0.2))",),
    lacks=("0.9",),
)

style(
    "functional",
    """
import keras
from keras import layers

inputs = keras.Input(shape=(4,), name="table")
x1 = layers.Dense(8, activation="tanh")(inputs)
x1 = layers.Dropout(0.8)(x1)
x2 = layers.Dense(8, activation="tanh")(x1)
outputs = layers.Dense(3, activation="softmax")(x2)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.SGD(0.5), loss="sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", "2/skip": True, "3/after": [layer("BatchNormalization")], "0/after": [NORMAL], **RATE},
    has=("scaled = layers.Normalization(", "x2 = layers.BatchNormalization()(x2)"),
    lacks=("Dropout",),
)

style(
    "functional_nested_calls",
    """
import keras
from keras import layers as L

inp = keras.Input((4,))
out = L.Dense(3, activation="softmax")(L.Dense(8, activation="sigmoid")(L.Dense(8, activation="sigmoid")(inp)))
model = keras.Model(inputs=inp, outputs=out)
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=2)
""",
    {**RELU, "1/after": [layer("LayerNormalization")], "0/after": [NORMAL]},
    has=("L.LayerNormalization()(L.Dense(",),
)

style(
    "functional_branches",
    """
import keras
from keras import layers

a = keras.Input((4,))
left = layers.Dense(8, activation="sigmoid", name="left")(a)
right = layers.Dense(8, activation="sigmoid", name="right")(a)
both = layers.Concatenate()([left, right])
out = layers.Dense(3, activation="softmax", name="out")(both)
model = keras.Model(a, out)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {
        "layers/left/activation": "relu",
        "layers/right/kernel_initializer": HE,
        "0/after": [NORMAL],
        "layers/left/after": [layer("Dropout", rate=0.5)],
    },
    has=("left = layers.Dropout(0.5)(left)",),
)

style(
    "functional_residual",
    """
import keras
from keras import layers

i = keras.Input((4,))
h = layers.Dense(4, activation="tanh")(i)
h = layers.add([h, i])
h = h + layers.Dense(4, activation="tanh")(h)
o = layers.Dense(1)(h)
model = keras.Model(i, o)
model.compile(loss="mse", optimizer=keras.optimizers.Adam(learning_rate=5.0))
model.fit(x, y)
""",
    {"1/activation": "relu", **RATE},
)

style(
    "tensorflow_keras",
    """
import tensorflow as tf

model = tf.keras.Sequential([
    tf.keras.layers.InputLayer(shape=(4,)),
    tf.keras.layers.Dense(8, activation=tf.nn.sigmoid),
    tf.keras.layers.Dense(8, activation=tf.keras.activations.sigmoid),
    tf.keras.layers.Dense(3, activation='softmax'),
])
model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=10.0), loss='sparse_categorical_crossentropy')
model.fit(x, y, epochs=5)
""",
    {**RELU, **RATE, "1/kernel_regularizer": L2},
    has=("tf.keras.regularizers.L2(l2=0.25)",),
)

style(
    "star_import",
    """
from tensorflow.keras.models import *
from tensorflow.keras.layers import *
from tensorflow.keras.optimizers import *

model = Sequential([Input((4,)), Dense(8, 'sigmoid'), Dense(8, 'sigmoid'), Dense(3, 'softmax')])
model.compile(SGD(1.0), 'sparse_categorical_crossentropy')
model.fit(x, y, epochs=5)
""",
    {**RELU, **RATE, "1/after": [layer("BatchNormalization")]},
    has=("BatchNormalization()", "SGD(0.01)"),
)

style(
    "from_tensorflow",
    """
from tensorflow import keras
from tensorflow.keras import layers

model = keras.models.Sequential([
    keras.Input((4,)),
    layers.Dense(8, activation="sigmoid"),
    layers.Dense(3, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.RMSprop(), loss=keras.losses.SparseCategoricalCrossentropy())
model.fit(x, y)
""",
    {"1/activation": "relu", **RATE, "1/bias_initializer": of_keras("initializers", "Constant", value=0.1)},
    has=("RMSprop(learning_rate=0.01)", "keras.initializers.Constant(value=0.1)"),
)

style(
    "names_only",
    """
from keras.models import Sequential
from keras.layers import Dense

model = Sequential([Dense(8, activation="sigmoid", input_shape=(4,)), Dense(3, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", "0/after": [NORMAL], **RATE},
    has=("import keras", "keras.Input((4,))"),
)

style(
    "input_shape_lines",
    """
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential()
model.add(layers.Dense(8, input_shape=(4,), activation="sigmoid"))
model.add(layers.Dense(3, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", "0/after": [NORMAL]},
    has=("model.add(keras.Input((4,)))",),
    lacks=("input_shape",),
)

style(
    "no_shape_at_all",
    """
import keras
from keras.layers import Dense

model = keras.Sequential([
    Dense(8, activation="sigmoid"),
    Dense(3, activation="softmax")
])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", "0/after": [NORMAL], "1/after": [layer("Dropout", rate=0.5)]},
)

style(
    "constants",
    '''
"""Settings first."""
import keras

LEARNING_RATE = 1e-6  # chosen by a colleague
EPOCHS, BATCH = 3, 512
HIDDEN = 8
ACTIVATION = "sigmoid"
model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.Dense(HIDDEN, activation=ACTIVATION),
        keras.layers.Dense(HIDDEN, activation=ACTIVATION),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss="sparse_categorical_crossentropy")
model.fit(x, y, epochs=EPOCHS, batch_size=BATCH)
''',
    {**RELU, **RATE, "fit/epochs": 20, "fit/batch_size": 4},
    fit={"epochs": 3, "batch_size": 512},
    has=("LEARNING_RATE = 0.01", "EPOCHS, BATCH = 20, 4", 'ACTIVATION = "relu"', "# chosen by a colleague"),
)

style(
    "constant_used_elsewhere",
    """
import keras

LR = 1e-6
print("rate", LR)
UNITS = 8
model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(UNITS, activation="sigmoid"),
    keras.layers.Dense(UNITS, activation="sigmoid"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.Adam(LR), loss="sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {**RATE, "2/units": 16},
    has=("LR = 1e-6", "Adam(0.01)", "Dense(16,", "UNITS = 8"),
)

style(
    "computed_values",
    """
import keras

WIDTH = 4
model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(WIDTH * 2, activation="sigmoid"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.Adam(10.0 ** -WIDTH), loss="sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {**RATE, "1/units": 64, "1/activation": "relu"},
    by_hand=("1/units", "compile/optimizer/learning_rate"),
    has=("WIDTH * 2", '"relu"'),
)

style(
    "literal_sum",
    """
import keras

model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Rescaling(1.0 / 255),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.SGD(1 / 10), loss="sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {**RATE, "1/scale": 0.5},
    has=("Rescaling(0.5)", "SGD(0.01)"),
)

style(
    "comprehension",
    """
import keras
from keras.layers import Dense

model = keras.Sequential([keras.Input((4,)), *[Dense(8, activation="sigmoid") for _ in range(2)], Dense(3, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {**RELU, "1/after": [layer("Dropout", rate=0.1, name="a")], "2/after": [layer("Dropout", rate=0.1, name="b")]},
    has=("for layer in pair",),
)

style(
    "comprehension_uneven",
    """
import keras
from keras.layers import Dense

model = keras.Sequential([keras.Input((4,)), *[Dense(8, activation="sigmoid") for _ in range(2)], Dense(3, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {"1/activation": "relu", **RATE},
    by_hand=("1/activation",),
    has=("SGD()",),
)

style(
    "loop_of_add",
    """
import keras
from keras import layers

net = keras.Sequential()
net.add(keras.Input((4,)))
for units in (8, 6):
    net.add(layers.Dense(units, activation="sigmoid"))
net.add(layers.Dense(3, activation="softmax"))
net.compile("adam", "sparse_categorical_crossentropy")
net.fit(x, y)
""",
    {
        **RELU,
        "2/units": 12,
        "1/after": [layer("BatchNormalization", name="a")],
        "2/after": [layer("BatchNormalization", name="b")],
    },
    has=("(8, 12)", "    net.add(layers.BatchNormalization())"),
)

style(
    "loop_functional",
    """
import keras
from keras import layers

inputs = keras.Input((4,))
h = inputs
for i in range(2):
    h = layers.Dense(8, activation="sigmoid", name=f"hidden_{i}")(h)
    h = layers.Dropout(0.9)(h)
model = keras.Model(inputs, layers.Dense(3, activation="softmax")(h))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {
        "layers/hidden_0/activation": "relu",
        "layers/hidden_1/activation": "relu",
        "2/rate": 0.2,
        "4/rate": 0.2,
        "0/after": [NORMAL],
    },
    has=("Dropout(0.2)", "h = scaled"),
)

style(
    "function_builds",
    """
import keras
from keras import layers


def build(units: int = 8, rate: float = 1e-7, *, activation: str = "sigmoid") -> keras.Model:
    model = keras.Sequential([keras.Input((4,))])
    model.add(layers.Dense(units, activation=activation))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=rate), loss="sparse_categorical_crossentropy")
    return model


if __name__ == "__main__":
    model = build(activation="tanh")
    model.fit(x, y, epochs=4)
""",
    {**RATE, "1/activation": "relu", "1/units": 32, "fit/epochs": 9},
    fit={"epochs": 4},
    has=("units: int = 32", "rate: float = 0.01", 'build(activation="relu")', "epochs=9"),
)

style(
    "function_never_called",
    """
import keras
from keras import layers


def create_model():
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(layers.Dense(8, activation="sigmoid"))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return model
""",
    {**RATE, "1/activation": "relu"},
)

style(
    "helper_block",
    """
import keras
from keras import layers


def block(t, units):
    t = layers.Dense(units, activation="sigmoid")(t)
    return layers.Dropout(0.9)(t)


inputs = keras.Input((4,))
h = block(inputs, 8)
h = block(h, 8)
model = keras.Model(inputs, layers.Dense(3, activation="softmax")(h))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
""",
    {
        "1/activation": "relu",
        "3/activation": "relu",
        "2/rate": 0.25,
        "4/rate": 0.25,
        "0/after": [NORMAL],
        "1/after": [layer("BatchNormalization", name="a")],
        "3/after": [layer("BatchNormalization", name="b")],
    },
    has=("block(scaled, 8)",),
)

style(
    "class_builds",
    """
import keras
from keras import layers


class Trainer:
    activation = "sigmoid"

    def __init__(self, rate=1e-8):
        self.rate = rate
        self.model = self.build()

    def build(self):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation=self.activation),
                                  layers.Dense(3, activation="softmax")])
        model.compile(optimizer=keras.optimizers.Adam(self.rate), loss="sparse_categorical_crossentropy")
        return model

    def run(self):
        self.model.fit(x, y, epochs=7)


Trainer().run()
""",
    {**RATE, "1/activation": "relu", "fit/epochs": 14},
    fit={"epochs": 7},
    has=("rate=0.01", 'activation = "relu"', "epochs=14"),
)
