"""What the training process is asked for, and what tells one question from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from autofix.errors import FixYourCall
from autofix.retraining.asked import Asked
from autofix.retraining.config import Pipeline
from autofix.retraining.models import MODEL, Models
from autofix.sources.fingerprint import identify
from autofix.sources.spec import names_code

# Settings of `fit` among those of a repair.
FIT = ("epochs", "batch_size", "class_weight", "shuffle")
# What changes nothing about the answer.
BESIDE = frozenset({"hooks", "keep", "models", "jobs"})


def asked_of(
    pipeline: Pipeline, models: Models, champion: int | None, *, known: tuple[str, ...], allow_unsafe: bool
) -> Asked:
    """Returns what the training process is asked for.

    Args:
        pipeline: What is trained.
        models: The folder of models.
        champion: The version that serves; None before the first.
        known: Fingerprints of data that needs no training again.
        allow_unsafe: Whether model files may hold Lambda layers.
    """
    run, saved = {}, None
    if champion is not None:
        run, saved = models.document(champion, "run.json"), str(models.folder(champion) / MODEL)
    own = saved is None or pipeline.train == "model"
    settings = {name: value for name, value in _given(pipeline).items() if name not in FIT}
    return Asked(
        model=pipeline.model if saved is None or own else saved,
        champion=saved,
        data=pipeline.data.source,
        encoding=None if champion is None else models.document(champion, "encoding.json") or None,
        target_column=pipeline.data.target_column,
        drop_columns=pipeline.data.drop_columns,
        holdout=pipeline.holdout.source,
        share=pipeline.holdout.share,
        by=pipeline.holdout.by,
        fit=given_fit(pipeline) if own else known_fit(run, given_fit(pipeline)),
        labels=None if own else run.get("labels"),
        champion_labels=run.get("labels"),
        settings=settings,
        seed=pipeline.seed,
        jobs=pipeline.jobs,
        allow_unsafe=allow_unsafe,
        profile=None if champion is None else models.document(champion, "data.json") or None,
        drift=pipeline.drift,
        known=known,
    )


def given_fit(pipeline: Pipeline) -> dict[str, Any]:
    """Returns the settings of `fit` that a pipeline gives."""
    return {name: value for name, value in _given(pipeline).items() if name in FIT}


def known_fit(run: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of `fit` of the champion, which a repair may have changed, and what was given anew since.

    Args:
        run: `run.json` of the champion's version: `fit` is what it was trained with, `given` what was asked for then.
        given: What the pipeline asks for now.
    """
    fit, before = dict(run.get("fit", {})), run.get("given", {})
    return {**fit, **{name: value for name, value in given.items() if name not in before or before[name] != value}}


def settings_fingerprint(pipeline: Pipeline, champion: int | None) -> str:
    """Returns a text that changes when the pipeline or the model that it names does, but not with where they lie.

    Raises:
        FixYourCall: If there is no such model and it is needed.
    """
    document = pipeline.model_dump(mode="json", exclude=set(BESIDE))
    for section, key in ((document, "model"), (document["data"], "source"), (document["holdout"], "source")):
        section[key] = section[key] is not None
    program = None
    try:
        program = identify(pipeline.model)
    except FixYourCall:
        if champion is None or pipeline.train == "model":
            raise
    return digest([document, program])


def source_fingerprint(pipeline: Pipeline) -> str | None:
    """Returns a text that changes when the data does; None where only running code tells.

    Raises:
        FixYourCall: If there is no such data.
    """
    specs = [spec for spec in (pipeline.data.source, pipeline.holdout.source) if spec is not None]
    return None if any(map(names_code, specs)) else digest([identify(spec) for spec in specs])


def digest(document: Any) -> str:
    """Returns 32 hexadecimal digits for JSON data."""
    return hashlib.blake2b(json.dumps(document, sort_keys=True).encode("utf-8"), digest_size=16).hexdigest()


def _given(pipeline: Pipeline) -> dict[str, Any]:
    return {name: value for name, value in pipeline.repair.model_dump(mode="json").items() if value is not None}
