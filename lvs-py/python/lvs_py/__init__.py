"""The Linux Virtual Server (IPVS) for Python.

A *director* holds a table of *virtual services*, each with its *destinations* (real servers). Open the running
kernel's with `Director.kernel`, or an embedded one in this process, which needs no root, with `Director.embedded`:

```python
from lvs_py import Destination, Director, Service

service = Service.tcp("192.0.2.1", 80, scheduler="wlc")
with Director.embedded() as director:
    director.add_service(service)
    director.add_destination(service.key, Destination("198.51.100.7", 80, weight=2))
    director.add_destination(service.key, Destination("198.51.100.8", 80, weight=1))
    weights = [entry.weight for entry in director.destinations(service).values()]
    assert weights == [1, 2]  # the one added last comes first, as in the kernel
```

Values (`Service`, `Destination`, `Timeouts`, ...) are frozen: they compare, hash, pickle, print as what
builds them, and change by `replace`. Addresses are given as text or objects of `ipaddress` and come back as the latter.
Exceptions are in `lvs_py.exceptions`, the words of IPVS as enumerations in `lvs_py.enums`; both are found here, too.
"""

from __future__ import annotations

from collections.abc import Mapping as _Mapping
from collections.abc import Sequence as _Sequence

from ._batch import Batch
from ._connections import read_connections, sum_connections
from ._director import Director, EmbeddedDirector, KernelDirector
from ._live import LiveServices, Sysctls
from ._lvs import (
    Balancer,
    BatchReport,
    Columns,
    Connection,
    Connections,
    ConnectionSums,
    Counters,
    Daemon,
    Destination,
    DestinationEntry,
    DestinationKey,
    Destinations,
    Drain,
    DrainProgress,
    Event,
    Events,
    Health,
    HealthChange,
    HealthPolicy,
    Info,
    Operation,
    Outcome,
    Plan,
    Rates,
    Refusal,
    Remaining,
    SchedulerInfo,
    Scope,
    Script,
    Service,
    ServiceEntry,
    ServiceKey,
    Services,
    Snapshot,
    StateCounts,
    Stats,
    Step,
    Table,
    TableService,
    Timeouts,
    Tunnel,
    Verdict,
    Watcher,
    __version__,
    lint,
    schedulers,
)
from .enums import (
    AddressFamily,
    ConnectionOrigin,
    ConnectionState,
    DaemonRole,
    ForwardingMethod,
    Protocol,
    ServiceFlags,
    TunnelFlags,
    TunnelKind,
)
from .exceptions import (
    AlreadyExistsError,
    BatchError,
    ClosedError,
    DecodeError,
    Diagnostic,
    InvalidInputError,
    KernelError,
    LvsError,
    NotFoundError,
    OperationError,
    PermissionDeniedError,
    PlanError,
    RulesSyntaxError,
    SystemCallError,
    UnsupportedError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import aio as aio
    from . import listing as listing
    from . import plot as plot
    from . import procfs as procfs
    from . import rules as rules
    from . import simulation as simulation
else:

    def __getattr__(name):
        # `import lvs_py` costs as little as it can, and `lvs_py.rules.parse` works without another
        # import.
        if name in ("aio", "listing", "plot", "procfs", "rules", "simulation", "typing"):
            import importlib

            return importlib.import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return [*__all__, "aio", "listing", "plot", "procfs", "rules", "simulation", "typing"]


_Mapping.register(Services)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
_Mapping.register(Destinations)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
_Sequence.register(Connections)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
_Sequence.register(Events)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
# Columns are no Mapping: polars, pandas and others would take that way instead of Arrow's.

__all__ = [
    "AddressFamily",
    "AlreadyExistsError",
    "Balancer",
    "Batch",
    "BatchError",
    "BatchReport",
    "ClosedError",
    "Columns",
    "Connection",
    "ConnectionOrigin",
    "ConnectionState",
    "ConnectionSums",
    "Connections",
    "Counters",
    "Daemon",
    "DaemonRole",
    "DecodeError",
    "Destination",
    "DestinationEntry",
    "DestinationKey",
    "Destinations",
    "Diagnostic",
    "Director",
    "Drain",
    "DrainProgress",
    "EmbeddedDirector",
    "Event",
    "Events",
    "ForwardingMethod",
    "Health",
    "HealthChange",
    "HealthPolicy",
    "Info",
    "InvalidInputError",
    "KernelDirector",
    "KernelError",
    "LiveServices",
    "LvsError",
    "NotFoundError",
    "Operation",
    "OperationError",
    "Outcome",
    "PermissionDeniedError",
    "Plan",
    "PlanError",
    "Protocol",
    "Rates",
    "Refusal",
    "Remaining",
    "RulesSyntaxError",
    "SchedulerInfo",
    "Scope",
    "Script",
    "Service",
    "ServiceEntry",
    "ServiceFlags",
    "ServiceKey",
    "Services",
    "Snapshot",
    "StateCounts",
    "Stats",
    "Step",
    "Sysctls",
    "SystemCallError",
    "Table",
    "TableService",
    "Timeouts",
    "Tunnel",
    "TunnelFlags",
    "TunnelKind",
    "UnsupportedError",
    "Verdict",
    "Watcher",
    "__version__",
    "lint",
    "read_connections",
    "schedulers",
    "sum_connections",
]
