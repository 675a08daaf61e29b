"""Calls at random, with arguments of all kinds: whatever comes, the answer is a value or one of our exceptions.

`LVS_RANDOM_CALLS` is how many sequences of calls are tried, each of up to 20 calls; with more than the default they
differ from run to run.
"""

from __future__ import annotations

import copy
import enum
import inspect
import operator
import os
import pickle
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lvs_py
from lvs_py import listing, procfs, rules

FEW = 100
SEQUENCES = int(os.environ.get("LVS_RANDOM_CALLS", FEW))

WEB = "tcp://192.0.2.1:80"


class Sabotage(Exception):  # noqa: N818 - not an error of the package
    """What a caller's own object raises: it comes through as it is."""


class Saboteur:
    """An object that answers no question."""

    def __getattr__(self, name: str) -> Any:
        raise Sabotage

    def _refuse(self, *_: Any) -> Any:
        raise Sabotage

    __index__ = __int__ = __float__ = __str__ = __repr__ = __len__ = __iter__ = __eq__ = __lt__ = _refuse
    __hash__ = object.__hash__


class Liar:
    """An object that says it is something else."""

    packed = b"\0" * 5
    network = ip = property(lambda self: self)
    total_seconds = staticmethod(lambda: "soon")
    to_table = staticmethod(lambda: 5)

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Any:
        return iter([self, None])


def member_of(kind: type[enum.Enum]) -> Callable[[object], enum.Enum]:
    return lambda key: kind(key)


def always(value: object) -> Callable[[], object]:
    return lambda: value


def recursive() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def sound() -> dict[str, list[Any]]:
    """What is right, by the names of parameters."""
    web = lvs_py.Service.tcp("192.0.2.1", 80, scheduler="wrr", persistence=300)
    server = lvs_py.Destination("198.51.100.7", 80, weight=2)
    wanted = lvs_py.Table({web: [server], "fwmark:7": [], "udp://[2001:db8::1]:53": ["[2001:db8::7]:53"]})
    director = lvs_py.Director.embedded()
    director.reconcile(wanted)
    director.connect("203.0.113.9:40000", WEB.removeprefix("tcp://"))
    snapshot = director.snapshot()
    plan = director.plan({web: ["198.51.100.8:80"]})
    health = lvs_py.Health()
    policy = lvs_py.HealthPolicy(rise=1, fall=1, slow_start=10, sorry_server="198.51.100.99:80")
    changes = health.watch(web, [server], policy) + health.report(web, server, False, 1)
    connections = director.connections()
    drain = lvs_py.Drain(WEB, "198.51.100.7:80")
    services = [WEB, web, web.key, "fwmark:7", snapshot.services[WEB], ("udp", "2001:db8::1", 53)]
    servers = [server, server.key, "198.51.100.7:80", ("198.51.100.8", 80), "[2001:db8::7]:53"]
    tables = [wanted, snapshot, {web: [server]}, [(WEB, servers[:1])], rules.parse("-A -t 192.0.2.1:80")]
    times = [0, 1.5, timedelta(seconds=3), timedelta(days=400)]
    return {
        "subject": [
            *(web, server, web.key, server.key, wanted, wanted.services[0], director, snapshot, plan, *plan.steps),
            *(health, policy, *changes, connections, connections[0], drain, drain.step(snapshot, 0)),
            *(snapshot.services, snapshot.services[WEB], snapshot.services[WEB].destinations, snapshot.timeouts),
            *(director.apply_plan(plan), director.connection_sums(), director.connection_sums().total),
            *(lvs_py.Watcher().observe(snapshot, 1)), director.totals(), director.totals().counters, director.info(),
            *(lvs_py.Watcher(), lvs_py.Balancer("wlc", [server]), snapshot.destination_columns(), director.services),
            *(director.sysctls, director.batch(), lvs_py.Scope.all(), lvs_py.Tunnel.gue(6080)),
            lvs_py.Daemon("master", "lo"),
            *(director.send("203.0.113.9:40000", "192.0.2.1:80"), plan.operations[0], lvs_py.schedulers()[0]),
        ],
        "service": services, "key": services, "services": [*tables, services],
        "destination": servers, "server": servers, "real_server": ["198.51.100.7", ip_address("2001:db8::7")],
        "destinations": [servers, []], "servers": [servers, [server]],
        "wanted": tables, "current": tables, "before": tables, "table": tables, "held": tables,
        "address": ["192.0.2.1", ip_address("2001:db8::1"), ip_interface("192.0.2.1/24")], "port": [0, 80, 65535],
        "client": ["203.0.113.9:40000", "203.0.113.0/24", ip_network("2001:db8::/32")],
        "source": ["203.0.113.9:40000"], "target": ["192.0.2.1:80", "[2001:db8::1]:53"],
        "protocol": ["tcp", 17, lvs_py.Protocol.SCTP], "mark": [0, 7, 2**32 - 1], "family": ["ipv4", 10],
        "scheduler": ["rr", "mh", "wlc"], "forwarding": ["dr", "nat", 2], "tunnel": ["gre", lvs_py.Tunnel.ipip()],
        "persistence": [300, True, timedelta(minutes=1)], "netmask": [24, "255.255.0.0"], "flags": ["mh-port", 8],
        "weight": [0, 1, 2**31 - 1], "now": times, "by": times, "deadline": times, "until": times, "away": times,
        "interval": times[:3], "up": [True, False, None], "forced": ["up", "down", 3], "reason": ["maintenance"],
        "snapshot": [snapshot], "plan": [plan], "policy": [policy], "scope": [None, lvs_py.Scope.ports(80)],
        "operation": list(plan.operations), "operations": [plan.operations, []], "connection": [connections[0]],
        "index": [0, -1, slice(0, 1)], "text": ["-A -t 192.0.2.1:80", wanted.to_json(), web.to_json(), b"{}"],
        "fields": [web.to_dict(), wanted.to_dict(), policy.to_dict(), server.to_dict()],
        "daemon": [lvs_py.Daemon("backup", "lo")],
        "role": ["master", 2], "state": ["ESTABLISHED"], "timeouts": [snapshot.timeouts],
        "name": ["weight", "drop_entry"],
        "undo": [False, True, "service"], "allow": [None, ["add_service"]], "connections": [connections],
    }  # fmt: skip


HOSTILE: list[Callable[[], Any]] = [
    *map(always, (
        None, True, -1, 2**16, 2**31, 2**32, 2**63, 2**64, 2**200, -(2**200), 0.5, -0.0, float("nan"), float("inf"),
        1e300, 1j, "", "\0", "\ud800", "é" * 300, "x" * 70_000, "tcp://", "192.0.2.1:99999", "fe80::1%lo",
        "01.2.3.4:80", b"", b"\xff\0", bytearray(b"x"), (), [], {}, set[int](), [None], {None: None}, {"key": 5},
        [[[]]], ("tcp",),
        timedelta.max, timedelta.min, timedelta(microseconds=1), Decimal("1.5"), range(3), Ellipsis, NotImplemented,
        object, int, len, lvs_py.ServiceFlags(0x18), lvs_py.Protocol(47), memoryview(b"ab"),
    )),
    Saboteur, Liar, recursive, object, lambda: iter([1]), lambda: (x for x in "ab"), lambda: [Saboteur()],
    lambda: {WEB: [Liar()]},
]  # fmt: skip

# What does more than answer: opens the machine's own table, reads or writes files, or waits.
_APART = {"kernel", "load", "save", "read_file", "watch", "drain"}
MODULES = (lvs_py, rules, listing)
FUNCTIONS: list[Callable[..., Any]] = []
for module in MODULES:
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) and issubclass(value, enum.Enum):
            # With more arguments than one it makes another enumeration.
            FUNCTIONS.append(member_of(value))
        elif inspect.isclass(value) and not issubclass(value, BaseException):
            FUNCTIONS.append(value)
            FUNCTIONS += [
                getattr(value, part)
                for part, kind in vars(value).items()
                if isinstance(kind, (staticmethod, classmethod)) and part not in _APART | {"__new__"}
            ]
            FUNCTIONS += [getattr(value, part) for part in ("from_dict", "from_json") if hasattr(value, part)]
        elif callable(value) and name not in _APART and not inspect.isclass(value):
            FUNCTIONS.append(value)
FUNCTIONS += [procfs.read_stats, procfs.read_status, procfs.read_table, procfs.read_cpu_stats, procfs.read_helpers]
OPERATORS: list[Callable[..., Any]] = [
    repr, str, hash, bool, len, iter, list, copy.copy, copy.deepcopy, dir, operator.invert, operator.neg,
    lambda value: pickle.loads(pickle.dumps(value)), lambda value: memoryview(value),
]  # fmt: skip
BINARY: list[Callable[..., Any]] = [
    operator.eq, operator.lt, operator.add, operator.sub, operator.or_, operator.and_, operator.getitem,
    operator.contains, operator.delitem, lambda a, b: a.get(b), lambda a, b: setattr(a, "weight", b),
]  # fmt: skip


def shown(value: object) -> str:
    """A value for messages, as far as it lets itself be shown."""
    try:
        return f"{value!r:.300}"
    except Exception:
        return f"<{type(value).__name__}>"


# What comes from the abstract classes of Python that a mapping or a view inherits from.
_INHERITED = {"update", "setdefault", "isdisjoint"}


def is_ours(error: Exception, subject: object, method: str) -> bool:
    """Whether an exception is one that callers are told to expect."""
    if isinstance(error, (lvs_py.LvsError, TypeError, Sabotage)):
        return True
    if isinstance(error, ImportError):
        return method in ("to_pandas", "to_polars", "to_arrow")
    # What Python's own protocols ask for.
    if isinstance(error, IndexError):
        return method in ("__getitem__", "__delitem__")
    if isinstance(error, ValueError):
        inherited = method in _INHERITED or type(subject).__module__ == "lvs_py._views"
        return inherited or (method == "index" and isinstance(subject, lvs_py.Connections))
    if isinstance(error, AttributeError):
        return method in ("setattr", "get")
    return method == "pickle" and isinstance(error, (pickle.PicklingError, RecursionError))


class Caller:
    """Draws calls, makes them, and keeps what came of them for the next ones."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.sound = sound()
        self.calls = 0

    def one_of(self, values: list[Any]) -> Any:
        return values[self.data.draw(st.integers(0, len(values) - 1))]

    def argument(self, name: str) -> Any:
        known = self.sound.get(name)
        if known and self.data.draw(st.integers(0, 3)):
            return self.one_of(known)
        if not self.data.draw(st.integers(0, 3)):
            return self.one_of(self.sound["subject"])
        return self.one_of(HOSTILE)()

    def arguments(self, function: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
        positional: list[Any] = []
        named: dict[str, Any] = {}
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except ValueError:
            return [self.argument("") for _ in range(self.data.draw(st.integers(0, 2)))], {}
        for parameter in parameters:
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional += [self.argument("service") for _ in range(self.data.draw(st.integers(0, 2)))]
            elif parameter.kind is parameter.VAR_KEYWORD:
                for name in self.data.draw(
                    st.sets(st.sampled_from(["weight", "scheduler", "seconds", "state", "x"]), max_size=2)
                ):
                    named[name] = self.argument(name)
            elif parameter.default is parameter.empty or self.data.draw(st.booleans()):
                if parameter.kind is parameter.KEYWORD_ONLY:
                    named[parameter.name] = self.argument(parameter.name)
                else:
                    positional.append(self.argument(parameter.name))
            elif parameter.kind is not parameter.KEYWORD_ONLY:
                break
        return positional, named

    def call(self) -> None:
        kind = self.data.draw(st.integers(0, 9))
        subject: object = None
        method = ""
        positional: list[Any]
        named: dict[str, Any] = {}
        if kind < 4:
            function = self.one_of(FUNCTIONS)
            positional, named = self.arguments(function)
        elif kind < 8:
            subject = self.one_of(self.sound["subject"])
            members = [name for name in dir(type(subject)) if not name.startswith("_") and name not in _APART]
            method = self.one_of(members or ["__class__"])
            if method == "advance" and isinstance(subject, lvs_py.EmbeddedDirector):
                # A longer time takes longer.
                function, positional = subject.advance, [self.one_of([*self.sound["now"], -1, float("nan"), "x", None])]
            else:
                function = self.read(subject, method)
                positional, named = self.arguments(function) if callable(function) else ([], {})
        elif kind == 8:
            subject, function, positional = (
                (found := self.one_of(self.sound["subject"])),
                self.one_of(OPERATORS),
                [found],
            )
            method = "pickle"
        else:
            subject, function = self.one_of(self.sound["subject"]), self.one_of(BINARY)
            positional = [subject, self.argument(self.one_of(["index", "service", "destination", "name", ""]))]
            method = {
                operator.getitem: "__getitem__",
                operator.delitem: "__delitem__",
                BINARY[-1]: "setattr",
                BINARY[-2]: "get",
            }.get(function, "")
        if not callable(function):
            return
        self.calls += 1
        try:
            came = function(*positional, **named)
            if inspect.iscoroutine(came):
                came.close()
            repr(came)
        except Exception as error:
            if not is_ours(error, subject, method):
                where = f"{function!r} of {type(subject).__name__}" if subject is not None else f"{function!r}"
                arguments = f"{shown(positional)} {shown(named)}"
                raise AssertionError(f"{where} with {arguments}: {error!r}") from error
            return
        if came is not None and type(came).__module__.startswith("lvs_py") and len(self.sound["subject"]) < 100:
            self.sound["subject"].append(came)

    @staticmethod
    def read(subject: object, name: str) -> Any:
        try:
            return getattr(subject, name)
        except (lvs_py.LvsError, ImportError):
            return None


@settings(
    max_examples=SEQUENCES,
    derandomize=SEQUENCES == FEW,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
@pytest.mark.filterwarnings("ignore")
def test_any_call_is_answered_by_a_value_or_an_exception_of_ours(data: st.DataObject) -> None:
    caller = Caller(data)
    for _ in range(data.draw(st.integers(1, 20))):
        caller.call()
