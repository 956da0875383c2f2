"""What Python's own functions, dicts and command lines do in a script that builds layers."""

from __future__ import annotations

import libcst as cst

from autofix.code.source.expressions import Expressions
from autofix.code.source.values import UNKNOWN, Bound, Custom, Items, Parser, Plain, Scope, Seen, Table, unknown


class Library(Expressions):
    """Follows calls of what comes with Python."""

    def of_parser(self, node: cst.Call, parser: Parser, name: str, scope: Scope) -> Seen | None:
        """Takes the defaults of a command line for what its arguments are; what else was passed shows in the recipe."""
        if name == "parse_args":
            return Seen(Custom("Namespace", Bound(node), self.number(), dict(parser.defaults)), (node,))
        if name != "add_argument":
            return None
        given = {a.keyword.value: self.value(a.value, scope) for a in node.args if a.keyword is not None}
        flags = [self.value(a.value, scope).value for a in node.args if a.keyword is None]
        texts = [flag.value for flag in flags if isinstance(flag, Plain) and isinstance(flag.value, str)]
        long = next((text for text in texts if text.startswith("--")), texts[0] if texts else "")
        own = given.get("dest")
        dest = str(own.value.value) if own is not None and isinstance(own.value, Plain) else long.lstrip("-")
        if "default" in given:
            parser.defaults[dest.replace("-", "_")] = given["default"]
        return unknown(node)

    def of_table(self, node: cst.Call, table: Table, name: str, scope: Scope) -> Seen:
        """Follows a method of a dict."""
        given = [self.value(argument.value, scope) for argument in node.args]
        if name == "items":
            return Seen(Items([Seen(Items([Seen(Plain(key)), item])) for key, item in table.items.items()]), (node,))
        if name == "keys":
            return Seen(Items([Seen(Plain(key)) for key in table.items]), (node,))
        if name == "values":
            return Seen(Items(list(table.items.values())), (node,))
        if name == "copy":
            return Seen(Table(dict(table.items), table.node), (node,))
        if name == "update":
            for item in given:
                table.items |= item.value.items if isinstance(item.value, Table) else {}
            return Seen(Plain(None))
        key = given[0].value.value if given and isinstance(given[0].value, Plain) else UNKNOWN
        if key in table.items:
            return (table.items.pop(key) if name == "pop" else table.items[key]).through(node)
        return given[1] if len(given) > 1 else unknown(node)

    def built_in(self, path: str, node: cst.Call, scope: Scope) -> Seen | None:
        """Follows the few functions of Python that loops over layers are made of."""
        if path not in ("range", "len", "enumerate", "zip", "reversed", "list", "tuple", "dict", "int", "float", "str"):
            return None
        if path == "dict":
            found = self.bound(node, (), scope)
            return Seen(Table(found.values), (node,))
        given = [self.value(argument.value, scope) for argument in node.args if argument.keyword is None]
        named = {a.keyword.value: self.value(a.value, scope) for a in node.args if a.keyword is not None}
        plain = [seen.value.value for seen in given if isinstance(seen.value, Plain)]
        listed = [self.iterate(seen) for seen in given]
        if path == "range" and len(plain) == len(given) and all(isinstance(item, int) for item in plain):
            return Seen(Items([Seen(Plain(item), (), True) for item in range(*plain)]), (node,), True)
        if path in ("int", "float", "str") and len(plain) == 1:
            return Seen(Plain({"int": int, "float": float, "str": str}[path](plain[0])), (node,), True)
        if not listed or any(items is None for items in listed):
            return unknown(node)
        every = [items for items in listed if items is not None]
        if path == "len":
            return Seen(Plain(len(every[0])), (node,), True)
        if path == "zip":
            return Seen(Items([Seen(Items(list(row))) for row in zip(*every, strict=False)]), (node,))
        if path == "enumerate":
            start = named.get("start", given[1] if len(given) > 1 else Seen(Plain(0))).value
            first = start.value if isinstance(start, Plain) and isinstance(start.value, int) else 0
            return Seen(
                Items([Seen(Items([Seen(Plain(i), (), True), item])) for i, item in enumerate(every[0], first)]),
                (node,),
            )
        return Seen(Items(every[0][::-1] if path == "reversed" else every[0]), (node,))
