"""The fixed ladder of AutoTrainer: each remedy in turn, with a full retrain; the first without a symptom ends it.

Before anything is trained, output and loss are put right by name: a sigmoid with binary cross-entropy on one unit, a
softmax with categorical cross-entropy on several. Then the program is trained; abnormal data are answered by min-max
scaling; any other symptom by its remedies, in AutoTrainer's order, each alone on the program so far.

Simplified: the remedies of the first symptom are tried to their end even where a retrain shows another symptom;
sizes that the papers leave open (noise, the other initializers and optimizers) are fixed below; AutoTrainer keeps the
run that ended the ladder, here the best run by the validation rows is kept, that one included, like for every peer.
Where the author's own program shows no symptom, AutoTrainer changes nothing, and neither does this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras

from .peer_program import OPTIMIZERS, Program, Settings
from .peer_race import Race
from .peer_space import heads
from .peer_symptoms import Monitor, Symptom

CLIP_VALUE = 10.0
BATCH_FACTOR = 4
MOMENTUM = 0.9
NOISE = 0.1
INITIALIZERS = ("he_uniform", "lecun_uniform", "glorot_uniform", "orthogonal")
LEAKY = ("leaky_relu", "elu")
# Adam's own, for a program whose learning rate is a schedule.
USUAL_RATE = 1e-3


@dataclass(frozen=True)
class Remedy:
    """One rung: its name, and the candidates it makes of the program so far."""

    name: str
    candidates: Callable[[Settings, Settings], Iterator[Settings]]


def _set(**values: Any) -> Callable[[Settings, Settings], Iterator[Settings]]:
    """A rung with one candidate; none where the author has it already."""

    def candidates(base: Settings, author: Settings) -> Iterator[Settings]:
        if any(getattr(author, key) != value for key, value in values.items()):
            yield replace(base, **values)

    return candidates


def _others(key: str, options: tuple[str, ...], most: int) -> Callable[[Settings, Settings], Iterator[Settings]]:
    """A rung that tries other names in turn."""

    def candidates(base: Settings, author: Settings) -> Iterator[Settings]:
        for value in [option for option in options if option != getattr(author, key)][:most]:
            yield replace(base, **{key: value})

    return candidates


def _rates(factor: float) -> Callable[[Settings, Settings], Iterator[Settings]]:
    """A rung that changes the learning rate three times, each time further."""

    def candidates(base: Settings, author: Settings) -> Iterator[Settings]:
        for power in (1, 2, 3):
            yield replace(base, learning_rate=(author.learning_rate or USUAL_RATE) * factor**power)

    return candidates


def _larger_batch(base: Settings, author: Settings) -> Iterator[Settings]:
    yield replace(base, batch_size=BATCH_FACTOR * (author.batch_size or 32))


def _momentum(base: Settings, author: Settings) -> Iterator[Settings]:
    yield replace(base, optimizer="sgd", momentum=MOMENTUM, learning_rate=author.learning_rate)


SELU = Remedy("SELU", _set(hidden="selu", initializer="lecun_normal"))
RELU = Remedy("ReLU", _set(hidden="relu", initializer="he_uniform"))
TANH = Remedy("tanh", _set(hidden="tanh"))
BATCH_NORM = Remedy("batch normalization", _set(batch_norm=True))
LADDER: Mapping[Symptom, tuple[Remedy, ...]] = {
    Symptom.VANISHING: (SELU, RELU, BATCH_NORM),
    Symptom.EXPLODING: (SELU, RELU, Remedy("clip value", _set(clip_value=CLIP_VALUE)), TANH, BATCH_NORM),
    Symptom.DYING_RELU: (
        SELU,
        BATCH_NORM,
        Remedy("other initializer", _others("initializer", INITIALIZERS, 3)),
        Remedy("leaky variant", _others("hidden", LEAKY, 2)),
    ),
    Symptom.OSCILLATING: (
        Remedy("Adam", _set(optimizer="adam")),
        Remedy("smaller learning rate", _rates(0.1)),
        Remedy("reduce on plateau", _set(reduce_on_plateau=True)),
        Remedy("larger batch", _larger_batch),
        Remedy("momentum", _momentum),
        Remedy("Gaussian noise", _set(noise=NOISE)),
        Remedy("other initializer", _others("initializer", INITIALIZERS, 1)),
    ),
    Symptom.SLOW: (
        Remedy("other optimizer", _others("optimizer", tuple(OPTIMIZERS), 3)),
        Remedy("larger learning rate", _rates(10.0)),
        Remedy("other initializer", _others("initializer", INITIALIZERS, 1)),
    ),
}


def rungs(symptom: Symptom | None, base: Settings, author: Settings) -> Iterator[tuple[str, Settings]]:
    """The remedies of a symptom, by name, in the order they are tried."""
    for remedy in LADDER.get(symptom, ()) if symptom else ():
        for settings in remedy.candidates(base, author):
            yield remedy.name, settings


def put_right(program: Program, task: str, y: Any) -> Settings:
    """Output activation and loss by the output's width, where they are not so already; regression is left alone."""
    author = program.author
    if task == "regression" or (task == "multiclass" and program.units == 1):
        return Settings()
    outputs, losses = heads(task, program.units, y)
    if author.output in outputs and author.loss == losses[0]:
        return Settings()
    return Settings(output=outputs[0], loss=losses[0])


def ladder(race: Race, program: Program) -> None:
    """Climb until a training shows no symptom, the remedies are used up, or the time is."""
    author = program.author
    base = put_right(program, race.task, race.parts.fit[1])
    symptom = _attempt(race, program, base)
    if symptom is Symptom.ABNORMAL_DATA and not race.over:
        base = replace(base, min_max=True)
        symptom = _attempt(race, program, base)
    for _, settings in rungs(symptom, base, author):
        if race.over or _attempt(race, program, settings) is None:
            return


def _attempt(race: Race, program: Program, settings: Settings) -> Symptom | None:
    size = settings.batch_size or program.batch_size
    x, y = race.parts.fit
    batch = keras.tree.map_structure(lambda part: part[:size], x), y[:size]
    scalable = program.bounds is not None and not settings.min_max
    monitor = Monitor(batch, program.epochs, (lambda: program.build(settings)) if scalable else None)
    callbacks = [keras.callbacks.ReduceLROnPlateau(monitor="loss")] if settings.reduce_on_plateau else []
    result = race.train(program, settings, monitor, callbacks)
    return Symptom.CRASHED if result.crashed else monitor.found
