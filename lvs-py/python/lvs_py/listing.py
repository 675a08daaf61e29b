"""Tables as ``ipvsadm -L`` prints them, byte for byte, and as JSON.

```python
import lvs_py
from lvs_py import listing

with lvs_py.Director.embedded() as director:
    director.reconcile({"tcp://192.0.2.1:80": ["198.51.100.7:80"]})
    text = listing.table(director.snapshot())
assert text.splitlines()[-1] == "  -> 198.51.100.7:80              Route   1      0          0         "
```
"""

from __future__ import annotations

from ._lvs import connections_json, list_connections, list_daemons, list_table, list_timeouts, snapshot_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from ._lvs import Connections, Daemon, Snapshot, Timeouts
    from .typing import ListingMode

__all__ = ["connections", "daemons", "json", "json_lines", "table", "timeouts"]


def table(
    snapshot: Snapshot,
    mode: ListingMode = "default",
    *,
    exact: bool = False,
    sort: bool = True,
    names: bool = False,
    style: Literal["ipvsadm", "fixed"] = "ipvsadm",
) -> str:
    """A snapshot as ``ipvsadm -L`` shows it.

    `mode` is ``"default"``, ``"stats"``, ``"rate"``, ``"thresholds"``, ``"persistent"`` or ``"tunnel"``; `exact` shows
    numbers in full; without `sort` services come in the director's order; `names` asks the system for names.
    `style` is ``"ipvsadm"``, which repeats what ``ipvsadm`` gets wrong, or ``"fixed"``.
    """
    return list_table(snapshot, mode=mode, exact=exact, sort=sort, names=names, style=style)


def connections(found: Connections, *, names: bool = False) -> str:
    """Connections as ``ipvsadm -Lc`` shows them."""
    return list_connections(found, names=names)


def timeouts(value: Timeouts) -> str:
    """Timeouts as ``ipvsadm -L --timeout`` shows them."""
    return list_timeouts(value)


def daemons(running: Iterable[Daemon]) -> str:
    """Sync daemons as ``ipvsadm -L --daemon`` shows them."""
    return list_daemons(running)


def json(snapshot: Snapshot) -> str:
    """A snapshot as JSON, in the form that all languages of this library share."""
    return snapshot_json(snapshot)


def json_lines(found: Connections) -> str:
    """Connections as JSON, one object a line."""
    return connections_json(found)
