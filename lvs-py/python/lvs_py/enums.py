"""The words of IPVS as enumerations.

Wherever a function takes one of these it takes the name as text, too, in any spelling that users of ``ipvsadm``
know: ``"tcp"``, ``"masq"``, ``"nat"``, ``"dr"``. Numbers that the kernel stores but nobody has named yet survive as
members without a name of their own, such as ``Protocol(47)``.

```python
import lvs_py

assert lvs_py.Protocol("tcp") is lvs_py.Protocol.TCP
assert lvs_py.ForwardingMethod("nat") is lvs_py.ForwardingMethod.MASQUERADE
assert str(lvs_py.Protocol.TCP) == "tcp" and lvs_py.Protocol(47).value == 47
assert lvs_py.ServiceFlags.MH_PORT | lvs_py.ServiceFlags.MH_FALLBACK == lvs_py.ServiceFlags(0x18)
```
"""

from __future__ import annotations

import enum

from lvs_py import _lvs

from .exceptions import InvalidInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, TypeVar

    _E = TypeVar("_E", bound="_Named")
    _W = TypeVar("_W", bound="_Words")

__all__ = [
    "AddressFamily",
    "ConnectionOrigin",
    "ConnectionState",
    "DaemonRole",
    "ForwardingMethod",
    "Protocol",
    "ServiceFlags",
    "TunnelFlags",
    "TunnelKind",
]

# The largest number that may come without a name.
_LARGEST = {"Protocol": 0xFFFF, "ForwardingMethod": 7, "TunnelKind": 0xFF}


def _unknown(kind: type[enum.Enum], value: object) -> InvalidInputError:
    names = ", ".join(str(member) for member in kind)
    return InvalidInputError(f"{value!r} is no {kind.__name__}: expected {names}")


class _Named(enum.IntEnum):
    """Members are found by their names, and print as them."""

    if TYPE_CHECKING:

        def __new__(cls, value: int | str) -> Self: ...

    @classmethod
    def _missing_(cls: type[_E], value: object) -> Any:
        if isinstance(value, str):
            return cls(_lvs.enum_number(cls.__name__, value))
        if isinstance(value, int) and 0 <= value <= _LARGEST.get(cls.__name__, -1):
            unnamed = int.__new__(cls, value)
            unnamed._name_ = f"{cls.__name__.upper()}_{value}"
            unnamed._value_ = value
            return cls._value2member_map_.setdefault(value, unnamed)
        raise _unknown(cls, value)

    def __str__(self) -> str:
        return _lvs.enum_name(type(self).__name__, self._value_)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __repr__(self) -> str:
        if self._name_ in type(self).__members__:
            return f"{type(self).__name__}.{self._name_}"
        return f"{type(self).__name__}({self._value_})"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # By value: some releases of Python 3.11 pickle the name, by which an unnamed member cannot
        # be found.
        return type(self), (self._value_,)


class Protocol(_Named):
    """The transport protocol of a virtual service or a connection.

    The kernel stores any other number (it just never matches a packet), so ``Protocol(47)`` exists, too.
    """

    TCP = 6
    UDP = 17
    SCTP = 132


class AddressFamily(_Named):
    """IPv4 or IPv6; equal to ``socket.AF_INET`` and ``socket.AF_INET6`` of Linux."""

    IPV4 = 2
    IPV6 = 10


class ForwardingMethod(_Named):
    """How packets reach a destination."""

    MASQUERADE = 0
    """LVS-NAT: addresses are rewritten and replies pass the director."""
    LOCAL = 1
    """The director itself."""
    TUNNEL = 2
    """LVS-TUN: packets travel inside a tunnel, see `lvs_py.Tunnel`."""
    DIRECT = 3
    """LVS-DR: packets go unchanged to the real server on the same link. The default, as in ``ipvsadm``."""
    BYPASS = 4
    """The kernel's internal method for ``cache_bypass``."""


class TunnelKind(_Named):
    """The encapsulation of a tunnel."""

    IPIP = 0
    GUE = 1
    GRE = 2


class DaemonRole(_Named):
    """The part a sync daemon plays."""

    MASTER = 1
    BACKUP = 2


class _Flags(enum.IntFlag):
    @classmethod
    def _missing_(cls, value: object) -> Any:
        if isinstance(value, int):
            return super()._missing_(value)
        raise _unknown(cls, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self):#x})"

    def __str__(self) -> str:
        known = [m for m in type(self).__members__.values() if m.name and m & self == m and m]
        names: list[str] = []
        rest = int(self)
        for member in known:
            if rest & member == member:
                names.append(str(member._name_).lower())
                rest &= ~int(member)
        if rest:
            names.append(f"{rest:#x}")
        return "|".join(names)


class ServiceFlags(_Flags):
    """The flag bits of a virtual service; bits without a name are kept."""

    PERSISTENT = 0x1
    """Connections of one client network stick to one destination."""
    HASHED = 0x2
    """The kernel's bookkeeping; never seen in what this library reads."""
    ONE_PACKET = 0x4
    """Every UDP datagram is scheduled by itself."""
    SCHED1 = 0x8
    SCHED2 = 0x10
    SCHED3 = 0x20
    SH_FALLBACK = 0x8
    """``sh``: choose another destination when the hashed one is unavailable."""
    SH_PORT = 0x10
    """``sh``: hash the client's port, too."""
    MH_FALLBACK = 0x8
    """``mh``: choose another destination when the hashed one is unavailable."""
    MH_PORT = 0x10
    """``mh``: hash the client's port, too."""


class TunnelFlags(_Flags):
    """Checksums of GUE and GRE tunnels."""

    CHECKSUM = 0x1
    """A checksum over the payload."""
    REMOTE_CHECKSUM = 0x2
    """Remote checksum offload (GUE only)."""


class _Words(str, enum.Enum):
    """Members are their names."""

    @classmethod
    def _missing_(cls: type[_W], value: object) -> Any:
        if not isinstance(value, str):
            raise _unknown(cls, value)
        return cls.__members__.get(value.upper()) or cls(_lvs.enum_word(cls.__name__, value))

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class ConnectionOrigin(_Words):
    """Where a connection entry came from."""

    LOCAL = "local"
    SYNC = "sync"


class ConnectionState(_Words):
    """The state of a connection, by the names that the kernel and ``ipvsadm`` print."""

    NONE = "NONE"
    """No packet has moved it yet; of a template: not confirmed."""
    ESTABLISHED = "ESTABLISHED"
    SYN_SENT = "SYN_SENT"
    SYN_RECV = "SYN_RECV"
    FIN_WAIT = "FIN_WAIT"
    TIME_WAIT = "TIME_WAIT"
    CLOSE = "CLOSE"
    CLOSE_WAIT = "CLOSE_WAIT"
    LAST_ACK = "LAST_ACK"
    LISTEN = "LISTEN"
    SYN_ACK = "SYNACK"
    UDP = "UDP"
    INIT1 = "INIT1"
    INIT = "INIT"
    COOKIE_SENT = "C-SENT"
    COOKIE_REPLIED = "C-REPLIED"
    COOKIE_WAIT = "C-WAIT"
    COOKIE = "COOKIE"
    COOKIE_ECHOED = "C-ECHOED"
    SHUTDOWN_SENT = "S-SENT"
    SHUTDOWN_RECEIVED = "S-RECEIVED"
    SHUTDOWN_ACK_SENT = "S-ACK-SENT"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"
    ASSURED = "ASSURED"
    """A template that a completed connection has confirmed."""
    UNKNOWN = "ERR!"
    """A name that this library does not know."""
