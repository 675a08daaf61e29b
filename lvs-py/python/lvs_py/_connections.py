"""Connections from files, without a director."""

from __future__ import annotations

from . import _lvs
from ._lvs import ConnectionFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from typing_extensions import Unpack

    from ._lvs import Connections, ConnectionSums
    from .typing import Conditions

__all__ = ["read_connections", "sum_connections"]


def read_connections(source: str | os.PathLike[str] | bytes, **conditions: Unpack[Conditions]) -> Connections:
    """Reads a file such as ``/proc/net/ip_vs_conn``, or (as bytes) its contents.

    Takes the conditions of `Director.connections`.
    """
    return _lvs.read_connections(source, ConnectionFilter(**conditions))


def sum_connections(source: str | os.PathLike[str] | bytes, **conditions: Unpack[Conditions]) -> ConnectionSums:
    r"""Counts the connections of a file such as ``/proc/net/ip_vs_conn``, or (as bytes) of its contents.

    Takes the conditions of `Director.connections`.

    ```python
    import lvs_py

    text = b"TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899\n"
    sums = lvs_py.sum_connections(text, service="tcp://192.0.2.1:80", client="203.0.113.0/24")
    assert sums.destinations[lvs_py.DestinationKey("198.51.100.7:8080")].active == 1
    ```
    """
    return _lvs.sum_connections(source, ConnectionFilter(**conditions))
