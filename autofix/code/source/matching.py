"""Which layer of a recipe is which call in a script; and whether the two say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autofix.code.expressing import is_default, same
from autofix.code.layout import flat, literal
from autofix.code.naming import count_of, is_counted
from autofix.code.source.telling import described, settings
from autofix.code.source.values import (
    UNKNOWN,
    Applied,
    Bound,
    Custom,
    Made,
    Member,
    Net,
    Plain,
    Seen,
)
from autofix.frozen import thaw
from autofix.recipe import Recipe
from autofix.recipe.surgery import operate

# Settings whose default in Keras is what the recipe must hold where the script leaves them out. Others (`dtype`, what
# Keras works out by itself) tell nothing about the script.
TELLING = (
    "units", "filters", "rate", "activation", "use_bias", "return_sequences", "trainable", "momentum", "negative_slope",
    "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
    "kernel_constraint", "recurrent_initializer", "recurrent_dropout", "dropout", "learning_rate", "clipnorm",
    "clipvalue", "global_clipnorm", "beta_1", "beta_2", "epsilon", "from_logits", "label_smoothing", "scale", "offset",
)  # fmt: skip
# What a script may say that no recipe keeps, or keeps in another form.
UNTOLD = (
    "name", "dtype", "seed", "weights", "input_shape", "input_dim", "batch_input_shape", "jit_compile",
    "steps_per_execution", "run_eagerly", "metrics", "weighted_metrics", "autocast", "dynamic",
)  # fmt: skip


@dataclass
class Site:
    """A layer of a recipe in a script.

    Attributes:
        layer: The layer with its trail.
        member: How it stands in a Sequential, None in a functional model.
        applied: Where it is called in a functional model.
        net: The model that it belongs to.
    """

    layer: Seen
    net: Net
    member: Member | None = None
    applied: list[Applied] = field(default_factory=list)


@dataclass
class Match:
    """A model of a script against a recipe.

    Attributes:
        net: The model.
        sites: Layers by their paths in the recipe.
        slots: Every value of the recipe that the script gives, by its path.
        differences: What the script says otherwise, one sentence each; empty where they agree.
    """

    net: Net
    sites: dict[str, Site] = field(default_factory=dict)
    slots: dict[str, Seen] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


def match(net: Net, recipe: Recipe) -> Match:
    """Holds a model of a script against a recipe."""
    found = Match(net)
    if recipe.is_graph:
        if net.kind == "subclassed":
            found.differences.append("the script's model is a class of its own, the recipe's is a graph of layers")
            return found
        _model(found, operate(thaw(recipe.architecture)), net, "")
        if "trainable" in net.attributes:
            found.slots["architecture/trainable"] = net.attributes["trainable"]
    elif net.kind != "subclassed":
        found.differences.append("the script's model is a graph of layers, the recipe's is a class of its own")
        return found
    elif net.compiled is None:
        found.differences.append("the script's model is never compiled")
    if net.compiled is not None:
        for key in ("optimizer", "loss", "loss_weights"):
            _value(found, f"compile/{key}", net.compiled, key, thaw(recipe.compile.get(key)), _default(key))
    for bound in net.fits:
        for key, seen in bound.values.items():
            found.slots.setdefault(f"fit/{key}", seen)
    return found


def _default(key: str) -> Any:
    return "rmsprop" if key == "optimizer" else None


def _model(found: Match, entry: Mapping[str, Any], net: Net, prefix: str) -> None:
    entries = [item for item in entry["config"]["layers"] if not str(item.get("module")).startswith("keras.src.ops")]
    is_functional = "output_layers" in entry["config"]
    if is_functional != (net.kind == "functional"):
        kinds = ("functional", "Sequential") if is_functional else ("Sequential", "functional")
        found.differences.append(f"the recipe's model is {kinds[0]}, the script's is {kinds[1]}")
        return
    pairs = _functional(entries, net) if is_functional else _sequential(entries, net)
    if pairs is None:
        own = ", ".join(_class_of(site.layer) for site in sites_of(net)) or "no layers"
        wanted = ", ".join(str(item["class_name"]) for item in entries)
        found.differences.append(f"the recipe has the layers {wanted}; the script has {own}")
        return
    for item, site in pairs:
        path = f"{prefix}layers/{item['config']['name']}"
        found.sites[path] = site
        value = site.layer.value
        if isinstance(value, Net):
            found.slots |= {f"{path}/{key}": seen for key, seen in value.attributes.items() if key == "trainable"}
            _model(found, item, value, f"{path}/")
        elif isinstance(value, Made):
            _layer(found, path, value, item["config"])


def _sequential(entries: list[Any], net: Net) -> list[tuple[Any, Site]] | None:
    sites = list(sites_of(net))
    if (
        entries
        and entries[0]["class_name"] == "InputLayer"
        and (not sites or _class_of(sites[0].layer) != "InputLayer")
    ):
        entries = entries[1:]  # the shape comes with the first layer or the first batch
    if len(entries) != len(sites):
        return None
    pairs = list(zip(entries, sites, strict=True))
    return pairs if all(_fits(item, site) for item, site in pairs) else None


def _functional(entries: list[Any], net: Net) -> list[tuple[Any, Site]] | None:
    """Pairs layers by their names, then those of one class in the order in which they were made."""
    sites = sorted(sites_of(net), key=lambda site: site.layer.value.number)
    waiting, pairs = list(entries), []
    for named in (True, False):
        for site in list(sites):
            own = _name_of(site.layer)
            if (own is not None) != named:
                continue
            near = [item for item in waiting if _fits(item, site)]
            if named:
                near = [item for item in near if item["config"]["name"] == own]
            near.sort(key=lambda item: (not is_counted(item["class_name"], item["config"]["name"]), _count(item)))
            if not near:
                return None
            waiting.remove(near[0])
            sites.remove(site)
            pairs.append((near[0], site))
    return pairs if not waiting else None


def _count(item: Mapping[str, Any]) -> int:
    return count_of(str(item["config"]["name"]))


def sites_of(net: Net) -> Iterator[Site]:
    """Yields the layers of a model, each once."""
    if net.kind == "sequential":
        for member in net.members:
            yield Site(member.seen, net, member)
        return
    by_layer: dict[int, Site] = {}
    for applied in net.applied:
        if applied.layer is not None:
            site = by_layer.setdefault(id(applied.layer.value), Site(applied.layer, net))
            site.applied.append(applied)
    yield from by_layer.values()


def _class_of(seen: Seen) -> str:
    value = seen.value
    if isinstance(value, Made | Custom):
        return value.name
    return value.kind.capitalize() if isinstance(value, Net) else "an unknown layer"


def _name_of(seen: Seen) -> str | None:
    """The name that a script gives a layer; None where Keras counts it or it cannot be told."""
    value = seen.value
    given = value.call.values.get("name") if isinstance(value, Made | Custom | Net) else None
    if given is None or not isinstance(given.value, Plain):
        return None
    return None if given.value.value is None else str(given.value.value)


def _fits(item: Mapping[str, Any], site: Site) -> bool:
    """Whether a layer of the script may be the one of the recipe, as far as classes and names go."""
    value, name = site.layer.value, _name_of(site.layer)
    if name is not None and name != item["config"].get("name"):
        return False
    if isinstance(value, Net):
        return "layers" in item["config"]
    if isinstance(value, Made | Custom):
        return bool(value.name == item["class_name"])
    return value is UNKNOWN


def _layer(found: Match, path: str, made: Made, config: Mapping[str, Any]) -> None:
    if made.name == "InputLayer":
        shape = made.call.values.get("shape")
        if shape is not None:
            found.slots[f"{path}/batch_shape"] = shape
            told = described(shape)
            wanted = tuple(config.get("batch_shape", [None])[1:])
            if told is not UNKNOWN and not same(told, wanted) and (told,) != wanted:
                found.differences.append(f"{path} has the shape {wanted}; the script says {told}")
        return
    for key, value in config.items():
        if key in UNTOLD:
            continue
        if key == "trainable" and is_idle(config):
            if key in made.call.values:
                found.slots[f"{path}/{key}"] = made.call.values[key]
        elif key in made.call.values:
            _value(found, f"{path}/{key}", made.call, key, value, None)
        elif not made.call.is_open and key in TELLING and not is_default(made.group, made.name, key, config):
            found.differences.append(f"{path}/{key} is {_show(value)}; the script leaves it out")


def is_idle(config: Mapping[str, Any]) -> bool:
    """Returns whether `trainable` has no effect on a layer: it has no weights and holds no other layers."""
    return not any(key.endswith("_initializer") or key in ("layers", "layer") for key in config)


def _value(found: Match, path: str, call: Bound, key: str, value: Any, default: Any) -> None:
    """Notes what a script gives for one value of the recipe, its parts included, and whether they agree."""
    seen = call.values.get(key)
    if seen is None:
        if not call.is_open and not same(value, default, key=key):
            found.differences.append(f"{path} is {_show(value)}; the script leaves it out")
        return
    _note(found, path, seen)
    told = described(seen)
    if told is UNKNOWN or (isinstance(seen.value, Made) and seen.value.group == "layers"):
        # Wrappers set some of what their layers have, so that only what the script says can be compared.
        _parts(found, path, seen, value)
    elif not same(told, value, key=key) and not _equal_numbers(told, value):
        found.differences.append(f"{path} is {_show(value)}; the script says {_show(told)}")


def _note(found: Match, path: str, seen: Seen) -> None:
    found.slots[path] = seen
    for key, part in settings(seen).items():
        _note(found, f"{path}/{key}", part)


def _parts(found: Match, path: str, seen: Seen, value: Any) -> None:
    """Compares what can be told of a value of which not everything can."""
    made = seen.value
    if not isinstance(made, Made) or not isinstance(value, Mapping):
        return
    if made.name != value.get("class_name"):
        found.differences.append(f"{path} is {_show(value)}; the script says {made.name}")
        return
    for key, part in made.call.values.items():
        told = described(part)
        config = value.get("config", {})
        if told is not UNKNOWN and key in config and key not in UNTOLD and not same(told, config[key], key=key):
            found.differences.append(f"{path}/{key} is {_show(config[key])}; the script says {_show(told)}")


def _equal_numbers(told: Any, value: Any) -> bool:
    """Keras writes 1 for True and lists for arrays; a list of one for the value itself."""
    if isinstance(told, tuple) and isinstance(value, list):
        return same(told, tuple(value))
    return isinstance(told, bool) is isinstance(value, bool) and told == value


def _show(value: Any) -> str:
    if isinstance(value, Mapping) and "class_name" in value:
        config = value.get("config")
        return str(config) if isinstance(config, str) else str(value["class_name"])
    text = flat(literal(value)) if isinstance(value, str | int | float | list | tuple | dict | None) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
