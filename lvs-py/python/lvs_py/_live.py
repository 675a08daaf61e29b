"""What of a director reads and writes at once: its services and its tunables as mappings."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from ._log import changed
from ._lvs import Handle, Operation, ServiceEntry, ServiceKey
from ._views import Items, Values
from .exceptions import InvalidInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, ValuesView
    from typing import TypeVar, overload

    from .typing import ServiceLike

    _T = TypeVar("_T")

__all__ = ["LiveServices", "Sysctls"]


class LiveServices(Mapping[ServiceKey, ServiceEntry]):
    """The services of a director at this moment, as a mapping.

    Every look asks the director: one service costs one or two questions, going over all of them costs one snapshot.
    """

    __slots__ = ("_handle",)

    def __init__(self, handle: Handle) -> None:
        if not isinstance(handle, Handle):
            raise TypeError("ask a director for its services: Director.services")
        self._handle = handle

    def __getitem__(self, key: ServiceLike) -> ServiceEntry:
        return self._handle.service(key)

    def __contains__(self, key: object) -> bool:
        try:
            return self._handle.has_service(key)  # type: ignore[arg-type]
        except (TypeError, InvalidInputError):
            return False

    if TYPE_CHECKING:

        @overload
        def get(self, key: ServiceLike, default: None = None, /) -> ServiceEntry | None: ...

        @overload
        def get(self, key: ServiceLike, default: ServiceEntry, /) -> ServiceEntry: ...

        @overload
        def get(self, key: ServiceLike, default: _T, /) -> ServiceEntry | _T: ...

        def get(self, key: ServiceLike, default: object = None, /) -> object: ...

    else:

        def get(self, key, default=None, /):
            """The service of a key, or another value if there is none."""
            try:
                return self[key]
            except (KeyError, TypeError, InvalidInputError):
                return default

    def __delitem__(self, key: ServiceLike) -> None:
        operation = Operation.remove_service(key)
        self._handle.execute(operation)
        changed([operation])

    def __iter__(self) -> Iterator[ServiceKey]:
        return iter(self._handle.snapshot().services)

    def __len__(self) -> int:
        return self._handle.service_count()

    def _iterate(self, part: int) -> Iterator[object]:
        return self._handle.snapshot().services._iterate(part)

    def values(self) -> ValuesView[ServiceEntry]:
        """The services with their destinations and statistics."""
        return Values(self)

    def items(self) -> ItemsView[ServiceKey, ServiceEntry]:
        """Keys with services."""
        return Items(self)

    def __repr__(self) -> str:
        count = len(self)
        return f"<{count} {'service' if count == 1 else 'services'}>"

    def _repr_html_(self) -> str:
        from . import _html

        return _html.snapshot(self._handle.snapshot())


class Sysctls(MutableMapping[str, "int | str"]):
    """The tunables below ``net.ipv4.vs`` by name, read and written at once.

    Of a kernel director they are those of its network namespace, of an embedded one its settings.

    ```python
    import lvs_py

    with lvs_py.Director.embedded() as director:
        assert director.sysctls["conn_reuse_mode"] == 1
        director.sysctls["expire_quiescent_template"] = True
    ```
    """

    __slots__ = ("_handle",)

    def __init__(self, handle: Handle) -> None:
        if not isinstance(handle, Handle):
            raise TypeError("ask a director for its tunables: Director.sysctls")
        self._handle = handle

    def __getitem__(self, name: str) -> int | str:
        return self._handle.sysctl_get(name)

    def __setitem__(self, name: str, value: int | str) -> None:
        self._handle.sysctl_set(name, value)
        changed([f"set net.ipv4.vs.{name} to {value}"])

    def __delitem__(self, name: str) -> None:
        raise TypeError("a tunable cannot be deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(self._handle.sysctl_names())

    def __len__(self) -> int:
        return len(self._handle.sysctl_names())

    def __repr__(self) -> str:
        return f"<Sysctls {dict(self)}>"
