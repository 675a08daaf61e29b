"""What goes wrong, as exceptions.

Every exception derives from `LvsError` and from the builtin exception that a Python programmer would catch:

| Exception | is also a | when |
| --- | --- | --- |
| `InvalidInputError` | `ValueError` | a value cannot be said to any director |
| `RulesSyntaxError` | `SyntaxError`, `ValueError` | rules text does not parse |
| `NotFoundError` | `KeyError`, `FileNotFoundError` | no such service, destination, daemon, file |
| `AlreadyExistsError` | `FileExistsError` | it is there already |
| `PermissionDeniedError` | `PermissionError` | CAP_NET_ADMIN is missing |
| `UnsupportedError` | `OSError` | the kernel lacks IPVS, a scheduler, a family |
| `KernelError` | `OSError` | any other answer of the kernel, as it gave it |
| `SystemCallError` | `OSError` | a file, socket or namespace failed |
| `DecodeError` | `ValueError` | an answer makes no sense |
| `ClosedError` | `ValueError` | the director was closed |
| `BatchError` | | some operations of a batch were refused |
| `PlanError` | | a step of a plan was refused |

```python
import errno
import lvs_py

with lvs_py.Director.embedded() as director:
    try:
        director.remove_service("tcp://192.0.2.1:80")
    except lvs_py.NotFoundError as error:
        assert error.errno == errno.ESRCH
        assert str(error) == "cannot remove service tcp://192.0.2.1:80: no such service"
```
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._lvs import BatchReport, Operation, Outcome, Refusal

__all__ = [
    "AlreadyExistsError",
    "BatchError",
    "ClosedError",
    "DecodeError",
    "Diagnostic",
    "InvalidInputError",
    "KernelError",
    "LvsError",
    "NotFoundError",
    "OperationError",
    "PermissionDeniedError",
    "PlanError",
    "RulesSyntaxError",
    "SystemCallError",
    "UnsupportedError",
]


class LvsError(Exception):
    """The base of all exceptions of this package."""


class InvalidInputError(LvsError, ValueError):
    """A value that cannot be said to any director: a name too long, an address that is none, mark 0.

    ```python
    import lvs_py

    try:
        lvs_py.Destination("198.51.100.7:80", weight=-1)
    except lvs_py.InvalidInputError as error:
        assert error.argument == "weight"
        assert str(error) == "argument 'weight': -1 is not a whole number from 0 to 4294967295"
    ```
    """

    argument: str | None = None
    """The argument that was not right, if it was one."""

    def add_note(self, note: str, /) -> None:
        """Takes in of which argument the native half says that it is; other notes are kept as they are."""
        name = note.removeprefix("while processing '").removesuffix("'")
        if len(name) + len("while processing ''") != len(note):
            super().add_note(note)
        elif self.argument is None:
            self.argument = name

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.argument is None else f"argument '{self.argument}': {text}"


class DecodeError(LvsError, ValueError):
    """An answer of the kernel, or a file of it, that makes no sense."""


class ClosedError(LvsError, ValueError):
    """The director was closed, or belongs to another process."""


class OperationError(LvsError, OSError):
    """The base of what directors and the system refuse: an errno may stand behind it."""

    operation: Operation | None
    """What was attempted, if it was a change of the table."""
    kernel_message: str | None
    """The kernel's own words, where it sent any (extended acknowledgement)."""

    def __init__(
        self,
        message: str,
        errno: int | None = None,
        *,
        operation: Operation | None = None,
        kernel_message: str | None = None,
    ) -> None:
        OSError.__init__(self, errno, message)
        self.operation = operation
        self.kernel_message = kernel_message

    def __str__(self) -> str:
        return str(self.strerror)

    def __reduce__(self) -> tuple[Any, ...]:
        extra = {"operation": self.operation, "kernel_message": self.kernel_message}
        return type(self), (self.strerror, self.errno), extra


class NotFoundError(OperationError, FileNotFoundError, KeyError):
    """No such service, destination, daemon, interface or file."""


class AlreadyExistsError(OperationError, FileExistsError):
    """The service, destination or daemon is there already."""


class PermissionDeniedError(OperationError, PermissionError):
    """The caller lacks CAP_NET_ADMIN, or may not open a file."""


class UnsupportedError(OperationError):
    """The kernel, or this way to it, lacks IPVS, a scheduler, an engine, a family."""


class KernelError(OperationError):
    """Any other answer of the kernel, with its errno."""


class SystemCallError(OperationError):
    """A file, a socket or a network namespace failed."""


class BatchError(LvsError):
    """Some operations of a batch were refused; all others took effect.

    `report` says which, and `refused` are these, each with its `index`, `operation` and `error`.
    """

    report: BatchReport

    def __init__(self, report: BatchReport) -> None:
        super().__init__(report)
        self.report = report

    @property
    def refused(self) -> Sequence[Refusal]:
        """The refused operations, in order."""
        return self.report.refused

    def __str__(self) -> str:
        lines = [f"{len(self.refused)} of {self.report.sent} operations refused"]
        lines += [f"  [{refusal.index}] {refusal.error}" for refusal in self.refused[:8]]
        if len(self.refused) > 8:
            lines.append(f"  and {len(self.refused) - 8} more")
        if self.report.interrupted is not None:
            lines.append(f"  interrupted: {self.report.interrupted}")
        return "\n".join(lines)


class PlanError(LvsError):
    """A director refused a step of a plan, or could not be reached.

    `outcome` says which steps were done, which were refused and why, which were held up by them, and whether those
    done were undone.
    """

    outcome: Outcome

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome

    def __str__(self) -> str:
        outcome = self.outcome
        lines = [f"{len(outcome.done)} of {len(outcome.plan)} steps done{', then undone' if outcome.undone else ''}"]
        lines += [f"  {refusal.error}" for refusal in outcome.refused[:8]]
        if outcome.held:
            lines.append(f"  {len(outcome.held)} steps held up")
        if outcome.interrupted is not None:
            lines.append(f"  interrupted: {outcome.interrupted}")
        return "\n".join(lines)


class Diagnostic:
    """One thing that is wrong with rules text, and where."""

    __slots__ = ("column", "end_column", "is_error", "line", "message", "source_line")

    message: str
    """What is wrong."""
    line: int
    """The line, from 1."""
    column: int
    """The column where it starts, from 1, in characters."""
    end_column: int
    """The column after its end."""
    source_line: str
    """The text of the line."""
    is_error: bool
    """Whether the text is refused. If not, the rule is taken, and what it asks for cannot work."""

    def __init__(
        self, message: str, line: int, column: int, end_column: int, source_line: str, is_error: bool = True
    ) -> None:
        self.message = message
        self.line = line
        self.column = column
        self.end_column = end_column
        self.source_line = source_line
        self.is_error = is_error

    def __repr__(self) -> str:
        return f"Diagnostic({self.message!r}, line={self.line}, column={self.column})"

    def __str__(self) -> str:
        number = str(self.line)
        gutter = " " * len(number)
        carets = " " * (self.column - 1) + "^" * max(1, self.end_column - self.column)
        return (
            f"line {self.line}, column {self.column}: {self.message}\n"
            f"{gutter} |\n{number} | {self.source_line}\n{gutter} | {carets}"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Diagnostic) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __getstate__(self) -> tuple[str, int, int, int, str, bool]:
        return self._key()

    def __setstate__(self, state: tuple[str, int, int, int, str, bool]) -> None:
        Diagnostic.__init__(self, *state)

    def _key(self) -> tuple[str, int, int, int, str, bool]:
        return self.message, self.line, self.column, self.end_column, self.source_line, self.is_error


class RulesSyntaxError(LvsError, SyntaxError, ValueError):
    """Rules text that does not parse. All errors are found at once: see `diagnostics`.

    As a `SyntaxError` it shows file, line and caret in a traceback; ``lineno``, ``offset`` and ``text`` are those of
    the first error.
    """

    diagnostics: tuple[Diagnostic, ...]

    def __init__(self, diagnostics: Sequence[Diagnostic], filename: str | None = None) -> None:
        first = diagnostics[0]
        SyntaxError.__init__(self, first.message, (filename, first.line, first.column, first.source_line))
        self.diagnostics = tuple(diagnostics)

    @property
    def line(self) -> int:
        """The line of the first error, from 1."""
        return self.diagnostics[0].line

    @property
    def column(self) -> int:
        """The column of the first error, from 1."""
        return self.diagnostics[0].column

    def __str__(self) -> str:
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.diagnostics, self.filename)
