"""FROZEN_LAYERS: nothing can learn, or the one layer that must.

What it sees:
    `trainable` of every layer that has a kernel. A frozen base under a head that learns is how transfer learning works
    and is no fault.

Why it stalls a run:
    Without a trainable kernel no loss can fall. A frozen head keeps its random mixture of the features for good.

Likely causes:
    `trainable = False` was set on the whole model instead of on its base.
    A script for feature extraction was taken over, its head included.
    Layers were frozen for a first stage and not released for the second.

What treats it:
    Setting `trainable` again: everywhere when all is frozen, on the head when only the head is.

References:
    Keras, "Transfer learning and fine-tuning": `trainable = False` on a model is recursive, and the call is easily left
    over from a feature-extraction script. Humbatova et al. 2020 list it under "wrong layer freezing".
"""

from __future__ import annotations

from autofix.recipe import heads
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers
from autofix.symptoms._program import present, weighted, whole

# A frozen head still lets the layers below adapt to it.
HEAD = 0.6


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a model that is frozen as a whole, and frozen heads of one that is not."""
    recipe = evidence.recipe
    views = present(recipe)
    kernels = [view for view in views if weighted(view)]
    if not kernels:
        return ()
    config = recipe.architecture.get("config", {})
    everything = config.get("trainable") is False
    frozen = [view for view in kernels if everything or view.config.get("trainable") is False]
    # A layer of the user's own may hold weights under names that a configuration does not show.
    unknown = any(view.config.get("trainable") is not False and _own(view.class_name, recipe.objects) for view in views)
    if len(frozen) == len(kernels) and (everything or not unknown):
        text = f"All {len(kernels)} layers with weights have trainable=False, so no step can change the model."
        values = numbers(frozen=len(frozen), kernels=len(kernels))
        return (Diagnosis(Symptom.FROZEN_LAYERS, eased(1.0, evidence), 1.0, text, numbers=values),)
    paths = {view.path for view in frozen}
    found = []
    for head in heads(recipe):
        if head is not None and head.layer.path in paths and weighted(whole(head.layer)):
            text = f"The output layer has trainable=False while {len(kernels) - len(frozen)} other layers learn."
            values = numbers(frozen=len(frozen), kernels=len(kernels))
            severity = eased(HEAD, evidence)
            found.append(Diagnosis(Symptom.FROZEN_LAYERS, severity, 1.0, text, head.layer.path, numbers=values))
    return tuple(found)


def _own(class_name: str, objects: object) -> bool:
    return isinstance(objects, dict) and any(class_name == str(name).rsplit(">", 1)[-1] for name in objects)
