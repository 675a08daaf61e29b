"""Tables for notebooks: what `_repr_html_` returns."""

from __future__ import annotations

from html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._lvs import Connections, DestinationEntry, Report, ServiceEntry, Snapshot, Table

# A notebook that shows more rows than this is slower than anyone reads.
_MOST_ROWS = 200

_HEAD = ("service / destination", "scheduler / forwarding", "weight", "active", "inactive", "conns/s", "bytes in/s")


def _row(cells: Iterable[object], *, strong: bool = False) -> str:
    tag = "th" if strong else "td"
    out: list[str] = []
    for number, cell in enumerate(cells):
        align = "left" if number < 2 else "right"
        out.append(f'<{tag} style="text-align:{align}">{escape(str(cell))}</{tag}>')
    return "<tr>" + "".join(out) + "</tr>"


def _table(head: Iterable[str], rows: list[str], hidden: int) -> str:
    more = f"<caption>and {hidden} more rows</caption>" if hidden else ""
    return f"<table>{more}<thead>{_row(head, strong=True)}</thead><tbody>{''.join(rows)}</tbody></table>"


def _destination(entry: DestinationEntry) -> str:
    rates = entry.statistics.rates
    return _row(
        (
            f"\u2192 {entry.key}",
            entry.forwarding,
            entry.weight,
            entry.active,
            entry.inactive,
            rates.connections,
            rates.bytes_in,
        )
    )


def _service(entry: ServiceEntry) -> list[str]:
    rates = entry.statistics.rates
    scheduler = entry.scheduler
    if entry.service.persistence is not None:
        scheduler += f", persistent {entry.service.persistence} s"
    head = _row(
        (entry.key, scheduler, "", entry.active, entry.inactive, rates.connections, rates.bytes_in), strong=True
    )
    return [head, *(_destination(destination) for destination in entry.destinations.values())]


def service(entry: ServiceEntry) -> str:
    """A service with its destinations."""
    rows = _service(entry)
    return _table(_HEAD, rows[:_MOST_ROWS], max(0, len(rows) - _MOST_ROWS))


def snapshot(value: Snapshot) -> str:
    """All services with their destinations."""
    rows: list[str] = []
    hidden = 0
    for entry in value.services.values():
        if len(rows) < _MOST_ROWS:
            rows += _service(entry)
        else:
            hidden += 1 + len(entry.destinations)
    hidden += max(0, len(rows) - _MOST_ROWS)
    return _table(_HEAD, rows[:_MOST_ROWS], hidden)


def table(value: Table) -> str:
    """A configuration."""
    rows: list[str] = []
    for item in value.services:
        rows.append(_row((item.key, item.service.scheduler, ""), strong=True))
        rows += [_row((f"\u2192 {d.key}", d.forwarding, d.weight)) for d in item.destinations]
    return _table(_HEAD[:3], rows[:_MOST_ROWS], max(0, len(rows) - _MOST_ROWS))


def connections(value: Connections) -> str:
    """Connections, one a row."""
    rows: list[str] = []
    for connection in value:
        if len(rows) == _MOST_ROWS:
            break
        target = connection.target if connection.mark is None else f"fwmark:{connection.mark}"
        cells = (connection.protocol, connection.client, target, connection.destination, connection.state)
        rows.append(_row((*cells, connection.expires)))
    head = ("protocol", "client", "target", "destination", "state", "expires")
    return _table(head, rows, len(value) - len(rows))


def report(value: Report) -> str:
    """What became of a workload: its servers, and what each event did."""
    rows: list[str] = []
    for server in value.servers:
        share = "" if server.relative_share is None else f"{server.relative_share:.2f}"
        rows.append(_row((server.key, server.weight, server.connections, share, server.peak, server.broken)))
    head = ("server", "weight", "connections", "of its fair part", "most at once", "broken")
    text = _table(head, rows[:_MOST_ROWS], max(0, len(rows) - _MOST_ROWS))
    if value.changes:
        rows = [
            _row(
                (
                    f"{change.kind} of {change.server}" + ("" if change.weight is None else f" to {change.weight}"),
                    f"{change.time.total_seconds():g} s",
                    change.broken,
                    change.returning,
                    change.moved_of_necessity,
                    change.moved_without_need,
                )
            )
            for change in value.changes
        ]
        head = ("event", "at", "broken", "clients returning", "had to move", "moved without need")
        text += _table(head, rows[:_MOST_ROWS], max(0, len(rows) - _MOST_ROWS))
    return text
