"""Keys, values and items of the mappings, without a look-up an item."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeVar

    _K = TypeVar("_K")
    _V = TypeVar("_V")

__all__ = ["Items", "Keys", "Values"]

Keys = KeysView


class Values(ValuesView):  # type: ignore[type-arg]
    """The entries."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        mapping: Any = self._mapping  # type: ignore[attr-defined]
        iterator: Iterator[Any] = mapping._iterate(1)
        return iterator  # pyright: ignore[reportUnknownVariableType]


class Items(ItemsView):  # type: ignore[type-arg]
    """Keys with their entries."""

    __slots__ = ()

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        mapping: Any = self._mapping  # type: ignore[attr-defined]
        iterator: Iterator[tuple[Any, Any]] = mapping._iterate(2)
        return iterator  # pyright: ignore[reportUnknownVariableType]
