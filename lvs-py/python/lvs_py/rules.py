r"""Rules in the command language of ``ipvsadm``: read, checked, written.

Two dialects: ``"lossless"`` (the default) says everything that a table can hold, in text that ``ipvsadm -R`` reads,
too; ``"ipvsadm"`` reads and writes what ``ipvsadm`` 1.31 does, its errors included.

```python
from lvs_py import RulesSyntaxError, rules

table = rules.parse(
    "-A -t 192.0.2.1:80 -s wrr -p 300\n"
    "-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3\n"
).to_table()
assert table["tcp://192.0.2.1:80"].destinations[0].weight == 3
print(rules.format(table))

try:
    rules.parse("-A -t 192.0.2.1:80 -s")
except RulesSyntaxError as error:
    assert (error.line, error.column) == (1, 22)
    print(error)  # the line, with a caret below the place
```
"""

from __future__ import annotations

from . import _files
from ._lvs import Script, format_rules, parse_rules
from .exceptions import RulesSyntaxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from .exceptions import Diagnostic
    from .typing import Dialect, TableLike

__all__ = ["Script", "check", "format", "load", "losses", "parse", "save"]


def parse(
    text: str | bytes, *, dialect: Dialect = "lossless", names: bool = False, filename: str | None = None
) -> Script:
    """Reads rules. Raises `lvs_py.RulesSyntaxError` with all errors of the text, not only the first.

    With `names`, names of hosts and services are asked of the system, which may use the network.
    """
    return parse_rules(text, dialect=dialect, names=names, filename=filename)


def check(text: str | bytes, *, dialect: Dialect = "lossless", names: bool = False) -> tuple[Diagnostic, ...]:
    """All errors of a text, and what its rules ask for that cannot work.

    None if it is well-formed, describes a table, and every port is honoured. What is taken although
    it cannot work has `is_error` false.
    """
    try:
        script = parse(text, dialect=dialect, names=names)
        script.to_table()
    except RulesSyntaxError as error:
        return error.diagnostics
    return tuple(script.warnings)


def load(path: str | os.PathLike[str], *, dialect: Dialect = "lossless", names: bool = False) -> Script:
    """Reads a file of rules, such as ``ipvsadm-save`` has written."""
    shown = _files.name(path).encode(errors="replace").decode()
    return parse(_files.read(path), dialect=dialect, names=names, filename=shown)


def format(table: TableLike, *, dialect: Dialect = "lossless", names: bool = False) -> str:  # noqa: A001
    """Writes a table (or a snapshot's) as rules."""
    return format_rules(table, dialect=dialect, names=names)[0]


def losses(table: TableLike, *, dialect: Dialect = "ipvsadm") -> tuple[str, ...]:
    """What of a table the rules in a dialect would not carry, each as a sentence."""
    return tuple(format_rules(table, dialect=dialect)[1])


def save(path: str | os.PathLike[str], table: TableLike, *, dialect: Dialect = "lossless") -> None:
    """Writes a table as a file of rules, replacing the file at once: readers see the old one or the new one."""
    import os
    import tempfile

    target = _files.name(path)
    text = format(table, dialect=dialect)
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(target)), prefix=".lvs-")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise _files.failed("write", target, error) from error
