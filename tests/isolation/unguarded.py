"""A user's script without a `__main__` guard: it must run once, and repair with several processes all the same."""

import json
import sys

import keras
import numpy as np

import autofix


def share(y_true, y_pred):
    """A metric that no other process can import."""
    return float(np.mean(np.asarray(y_true).reshape(-1) == np.asarray(y_pred).reshape(-1)))


print("begins", file=sys.stderr, flush=True)
rng = np.random.default_rng(0)
x = rng.normal(size=(600, 8)).astype("float32")
y = (x[:, :3].sum(1) > 0).astype("int32")


def stuck():
    keras.utils.set_random_seed(1)
    hidden = [keras.layers.Dense(16, "relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((8,)), *hidden, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-5), keras.losses.BinaryCrossentropy(from_logits=True))
    return model


found = {}
for name in sys.argv[2:]:
    jobs, metric = {"alone": (1, "auto"), "apart": (2, "auto"), "mine": (2, share)}[name]
    result = autofix.repair(stuck(), (x, y), epochs=int(sys.argv[1]), jobs=jobs, metric=metric, budget=600)
    found[name] = {
        "status": result.status,
        "patch": result.patch.to_dict(),
        "after": result.after and round(result.after.mean, 6),
        "notes": list(result.notes),
        "errors": [trial.error for trial in result.trials if trial.error],
    }
print(json.dumps(found))
