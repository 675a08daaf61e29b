"""The reference of the Python package: what Griffe reads from its sources and stubs, made ready for pages.

A constructor's parameters are described by the properties of the same names, and names in backticks are links.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import griffe

PACKAGE = "lvs_py"
SOURCES = Path(__file__).parent.parent / "lvs-py/python"
# `Director.drain`, `lvs_py.rules`: not what stands in a link, in code, or between two backticks.
NAME = re.compile(r"(?<![`\[\w])`((?:lvs_py\.)?[A-Za-z_]\w*(?:\.\w+)*)(?:\(\))?`(?![`\]])")
FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)


# What a name of a parameter means wherever it is used.
PARAMETERS = {
    "service": "The service, or what names it.",
    "key": "The service, or what names it.",
    "destination": "The destination, or what names it.",
    "server": "The server, or what names it.",
    "real_server": "The address of a real server, of which all destinations are meant.",
    "client": "The client's address and port.",
    "target": "The address and port that the client asks for.",
    "mark": "The firewall mark, 0 for none.",
    "protocol": "The transport protocol.",
    "operation": "What to do.",
    "operations": "What to do, in this order.",
    "stop_on_refusal": "Whether to do nothing more after the first refusal.",
    "wanted": "The table that is to be in force.",
    "table": "The table.",
    "snapshot": "What the director holds.",
    "scope": "What may be touched: everything if None.",
    "undo": "What to undo when a step is refused: nothing, all, or with \"service\" the steps of the same service.",
    "allow_empty": "Whether the table may remove everything in the scope.",
    "check": "Whether a table that cannot work is refused before anything is touched.",
    "allow": "The kinds of operations that may be planned: all if None.",
    "plan": "The plan.",
    "wait_for": "Which connections to wait for.",
    "deadline": "Seconds after which what is left is cut: never if None.",
    "remove": "Whether to remove at the end, rather than to leave the weight at 0.",
    "interval": "Seconds between two looks.",
    "sleep": "Called to wait for a number of seconds.",
    "progress": "Called with the progress after each look.",
    "tcp": "Seconds for established TCP connections.",
    "tcp_fin": "Seconds for TCP connections after a FIN.",
    "udp": "Seconds for UDP connections.",
    "daemon": "The sync daemon.",
    "role": "The role of the sync daemon.",
    "now": "The time in seconds, of any clock that does not run backwards.",
    "until": "The time at which it ends: never if None.",
    "weight": "The weight.",
    "up": "Whether the probe succeeded, None if it could not be run.",
    "dialect": "Whose habits count.",
    "names": "Whether names of hosts and ports are looked up.",
    "path": "The file.",
    "filename": "The name of the text in messages.",
    "source": "A file's path, or its contents as bytes.",
    "axes": "Where to draw: on new axes if None.",
    "seed": "The seed of all random choices.",
    "profile": "The behaviour of the kernel.",
    "schedulers": "The schedulers that it has: all if None.",
    "engines": "The persistence engines that it has: all if None.",
    "connection_table_size": "Buckets of the connection table, a power of two.",
    "ipv6": "Whether it has IPv6.",
    "length": "Bytes of the packet, its IP header included.",
    "from_server": "Whether a real server sent it.",
}


class Constructors(griffe.Extension):
    """Shows `__new__` as the constructor, describes parameters, and makes names in docstrings links."""

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Goes over what has been read."""
        modules = [pkg, *(module for module in pkg.modules.values() if not module.is_alias)]
        for module in modules:
            for function in module.functions.values():
                if not function.is_alias:
                    _describe(function, function.docstring)
            for found in module.classes.values():
                if not found.is_alias:
                    _constructor(found)
                    # What callers cannot name.
                    found.bases = [base for base in found.bases if not str(base).startswith("_")]
        for module in modules:
            _link(module, pkg)


def _constructor(found: griffe.Class) -> None:
    if "__new__" in found.members and "__init__" not in found.members:
        constructor = found.members["__new__"]
        del found.members["__new__"]
        constructor.name = "__init__"
        constructor.docstring = None
        constructor.returns = None
        found.members["__init__"] = constructor
        _describe(constructor, found.docstring, found)
    for member in found.functions.values():
        # Other ways to make one: `Service.tcp`.
        if "staticmethod" in member.labels and str(member.returns) == found.name:
            _describe(member, member.docstring, found)
        else:
            _describe(member, member.docstring)


def _describe(function: griffe.Function, docstring: griffe.Docstring | None, made: griffe.Class | None = None) -> None:
    """Adds what is known of the parameters; those of a constructor are described by the properties they set."""
    if docstring is None:
        return
    rows = []
    for parameter in function.parameters:
        named = made.members.get(parameter.name) if made is not None else None
        about = named.docstring.value if named is not None and named.docstring is not None else None
        about = about or PARAMETERS.get(parameter.name)
        if about is not None and f"`{parameter.name}`" not in docstring.value:
            rows.append(f"    {parameter.name}: {' '.join(about.split())}")
    if rows:
        docstring.value = "\n".join([docstring.value, "", "Parameters:", *rows])


def _link(within: griffe.Object, pkg: griffe.Module) -> None:
    if within.docstring is not None:
        within.docstring.value = linked(within.docstring.value, lambda name: _target(name, within, pkg))
    for member in within.members.values():
        if not member.is_alias:
            _link(member, pkg)


def _target(name: str, within: griffe.Object, pkg: griffe.Module) -> str | None:
    """The public path of what a name in a docstring stands for."""
    bare = name.removeprefix(f"{PACKAGE}.")
    owner = within if within.is_class else within.parent
    if owner is not None and owner.is_class and bare in owner.members and bare != within.name:
        bare = f"{owner.name}.{bare}"
    return path(bare, pkg)


def path(name: str, pkg: griffe.Module | None = None) -> str | None:
    """The path of a public name, as the reference has it: `Director.drain` of `lvs_py`."""
    pkg = package() if pkg is None else pkg
    try:
        found = pkg[name.removeprefix(f"{PACKAGE}.")]
    except (KeyError, griffe.AliasResolutionError):
        return None
    parts = name.removeprefix(f"{PACKAGE}.").split(".")
    if any(part.startswith("_") for part in parts) or not (found.is_module or found.has_docstring):
        return None
    return f"{PACKAGE}.{'.'.join(parts)}"


def linked(markdown: str, target: object = path) -> str:
    """A text whose names in backticks are links into the reference, but for those in blocks of code."""

    def link(found: re.Match[str]) -> str:
        where = target(found[1])
        return found[0] if where is None else f"[{found[0]}][{where}]"

    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [NAME.sub(link, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, NAME.sub(link, markdown[end:])])


@cache
def package() -> griffe.Module:
    """The package, read from its sources."""
    return griffe.load(PACKAGE, search_paths=[SOURCES], resolve_aliases=True, allow_inspection=False)
