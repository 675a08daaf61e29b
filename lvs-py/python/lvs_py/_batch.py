"""Changes that go out together."""

from __future__ import annotations

from ._lvs import Operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from ._director import Director
    from ._lvs import BatchReport

__all__ = ["Batch"]


class Batch(Operations):
    """Changes that go out together: many operations, few system calls.

    As a context manager it applies them at the end of the block, unless that raised, and raises
    `lvs_py.BatchError` if any was refused.
    """

    __slots__ = ("_director", "_stop", "report")

    _director: Director
    _stop: bool
    report: BatchReport | None
    """What came of it, once applied."""

    def __new__(cls, director: Director, *, stop_on_refusal: bool = False) -> Batch:
        """Collects operations for a director."""
        from ._director import Director  # which makes batches

        if not isinstance(director, Director):
            raise TypeError(f"argument 'director': {type(director).__name__} is no Director")
        self = super().__new__(cls)
        self._director = director
        self._stop = stop_on_refusal
        self.report = None
        return self

    def apply(self) -> BatchReport:
        """Sends what was collected, forgets it, and returns the report without raising."""
        self.report = self._director.apply(self, stop_on_refusal=self._stop)
        self.clear()
        return self.report

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.apply().raise_for_failures()
