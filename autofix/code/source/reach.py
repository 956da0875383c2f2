"""What a model of a script depends on."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from autofix.code.source.matching import sites_of
from autofix.code.source.telling import settings
from autofix.code.source.values import Made, Net, Seen


def nodes_of(net: Net) -> Iterator[cst.CSTNode]:
    """Yields every expression that a model depends on, as far as it is known."""

    def visit(seen: Seen) -> Iterator[cst.CSTNode]:
        yield from seen.trail
        value = seen.value
        if isinstance(value, Made):
            yield value.call.node
        for part in settings(seen).values():
            yield from visit(part)
        if isinstance(value, Net):
            yield from nodes_of(value)

    for site in sites_of(net):
        yield from visit(site.layer)
        yield from (applied.node for applied in site.applied)
        if site.member is not None and site.member.added_by is not None:
            yield site.member.added_by
    for bound in (net.compiled, *net.fits):
        if bound is not None:
            yield bound.node
            for seen in bound.values.values():
                yield from visit(seen)
