"""``python -m lvs_py``: list, watch, save, restore, diff, drain and simulate, from a shell.

Works on the running kernel, or with ``--rules FILE`` on an embedded director that holds what the file says.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time

import lvs_py
from lvs_py import _files, listing, rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from . import simulation
    from .typing import ListingMode


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status = int(options.run(options) or 0)
        sys.stdout.flush()
        return status
    except lvs_py.RulesSyntaxError as error:
        print(f"{error.filename or 'rules'}:\n{error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read has seen enough. What is still in the buffer must not fail again when the
        # interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (lvs_py.LvsError, OSError) as error:
        print(f"lvs-py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lvs-py", description="The Linux Virtual Server from a shell.")
    parser.add_argument("--version", action="version", version=f"lvs-py {lvs_py.__version__}")
    _where(parser, None)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str, *aliases: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, aliases=aliases)
        # Before the command or after it; what is not said after it leaves alone what was said
        # before.
        _where(sub, argparse.SUPPRESS)
        sub.set_defaults(run=run)
        return sub

    sub = command("list", _list, "show the table as ipvsadm -L does")
    sub.add_argument("--stats", dest="mode", action="store_const", const="stats", help="sums")
    sub.add_argument("--rate", dest="mode", action="store_const", const="rate", help="rates")
    sub.add_argument("--thresholds", dest="mode", action="store_const", const="thresholds")
    sub.add_argument("--connections", "-c", action="store_true", help="the connection table")
    sub.add_argument("--json", action="store_true", help="as JSON")
    sub.add_argument("--names", action="store_true", help="names for addresses and ports")

    sub = command("watch", _watch, "show load and rates, again and again, as top does", "top")
    sub.add_argument("--interval", type=float, default=2.0, metavar="SECONDS")
    sub.add_argument("--count", type=int, metavar="N", help="stop after so many looks")

    sub = command("save", _save, "write the table as rules")
    sub.add_argument("file", nargs="?", help="standard output if none")
    sub.add_argument("--dialect", choices=["lossless", "ipvsadm"], default="lossless")

    sub = command("restore", _restore, "put a file of rules in force, without emptying the table on the way")
    sub.add_argument("file")
    sub.add_argument("--dry-run", "-n", action="store_true", help="say what would be done")
    sub.add_argument("--network", help="touch only services in this network")

    sub = command("diff", _diff, "what would turn one table into another; status 1 if anything")
    sub.add_argument("current", help="a file of rules, or - for the director")
    sub.add_argument("wanted", help="a file of rules")

    sub = command("check", _check, "look for errors in files of rules")
    sub.add_argument("file", nargs="+")

    sub = command("drain", _drain, "take a destination out when its connections have ended")
    sub.add_argument("service")
    sub.add_argument("destination", nargs="?")
    sub.add_argument("--deadline", type=float, metavar="SECONDS")
    sub.add_argument("--keep", action="store_true", help="leave it in the table with weight 0")

    sub = command("simulate", _simulate, "play a workload on the services of a file of rules, on an embedded director")
    sub.add_argument("file")
    sub.add_argument("--service", action="append", help="only this one; can be repeated")
    sub.add_argument("--scheduler", action="append", metavar="NAME", help="compare with this one; can be repeated")
    sub.add_argument("--duration", type=float, default=600.0, metavar="SECONDS", help="how long (%(default)g)")
    sub.add_argument("--rate", type=float, default=10.0, metavar="N", help="connections a second (%(default)g)")
    sub.add_argument("--length", type=float, default=10.0, metavar="SECONDS", help="their average length (%(default)g)")
    sub.add_argument("--clients", type=int, default=1000, metavar="N", help="how many clients (%(default)d)")
    sub.add_argument("--zipf", type=float, metavar="EXPONENT", help="some clients come more often; 1 is usual")
    for event in ("fail", "drain", "return"):
        text = f"servers that {event} then; can be repeated"
        sub.add_argument(f"--{event}", action="append", default=[], metavar="SECONDS=SERVER", help=text)
    sub.add_argument(
        "--weight", action="append", default=[], metavar="SECONDS=SERVER=WEIGHT", help="weights from then on"
    )
    sub.add_argument("--seed", type=int, default=1, metavar="N", help="of all that is drawn (%(default)d)")
    form = sub.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything, as JSON, one line a report")
    form.add_argument("--csv", action="store_true", help="the samples, to plot")
    return parser


def _where(parser: argparse.ArgumentParser, default: str | None) -> None:
    where = parser.add_mutually_exclusive_group()
    text = "work on an embedded director that holds these rules"
    where.add_argument("--rules", metavar="FILE", default=default, help=text)
    where.add_argument("--namespace", default=default, help="work in this network namespace")


def _open(options: argparse.Namespace) -> lvs_py.Director:
    if options.rules is not None and options.namespace is not None:
        raise lvs_py.InvalidInputError("--rules is an embedded director, which has no --namespace")
    if options.rules is None:
        return lvs_py.Director.kernel(options.namespace)
    director = lvs_py.Director.embedded()
    director.reconcile(rules.load(options.rules).to_table())
    return director


def _list(options: argparse.Namespace) -> None:
    with _open(options) as director:
        if options.connections:
            found = director.connections()
            text = listing.json_lines(found) if options.json else listing.connections(found, names=options.names)
        else:
            snapshot = director.snapshot()
            mode: ListingMode = options.mode or "default"
            text = listing.json(snapshot) + "\n" if options.json else listing.table(snapshot, mode, names=options.names)
    sys.stdout.write(text)


def _watch(options: argparse.Namespace) -> None:
    tty = sys.stdout.isatty()
    with _open(options) as director:
        looks = 0
        while options.count is None or looks < options.count:
            if looks:
                time.sleep(options.interval)
            width, height = shutil.get_terminal_size((100, 40))
            frame = _frame(director.snapshot(), width, height - 1 if tty else None)
            # Home, then each line cleared to its end, then what is left below: no flicker.
            sys.stdout.write("\x1b[H" + frame.replace("\n", "\x1b[K\n") + "\x1b[J" if tty else frame)
            sys.stdout.flush()
            looks += 1


def _frame(snapshot: lvs_py.Snapshot, width: int, height: int | None) -> str:
    services = sorted(snapshot.services.values(), key=lambda entry: (-entry.active, entry.key))
    active = sum(entry.active for entry in services)
    head = f"{len(services)} services, {active} active connections"
    lines = [
        head,
        "",
        f"{'':42}{'weight':>8}{'active':>9}{'inact':>9}{'conn/s':>9}{'kB/s in':>10}{'kB/s out':>10}  load",
    ]
    for service in services:
        rates = service.statistics.rates
        lines.append(
            f"{str(service.key) + ' ' + service.scheduler:42.42}{'':8}{service.active:9}{service.inactive:9}"
            f"{rates.connections:9}{rates.bytes_in / 1000:10.1f}{rates.bytes_out / 1000:10.1f}"
        )
        for entry in service.destinations.values():
            rates = entry.statistics.rates
            bar = "#" * round(entry.active / service.active * 20) if service.active else ""
            lines.append(
                f"  -> {entry.key!s:37.37}{entry.weight:8}{entry.active:9}{entry.inactive:9}"
                f"{rates.connections:9}{rates.bytes_in / 1000:10.1f}{rates.bytes_out / 1000:10.1f}  {bar}"
            )
    if height is not None and len(lines) > height:
        lines = [*lines[: height - 1], f"... and {len(lines) - height + 1} more lines"]
    return "".join(line[:width] + "\n" for line in lines)


def _save(options: argparse.Namespace) -> None:
    with _open(options) as director:
        snapshot = director.snapshot()
    for loss in rules.losses(snapshot, dialect=options.dialect):
        print(f"lvs-py: {loss}", file=sys.stderr)
    if options.file is None:
        sys.stdout.write(rules.format(snapshot, dialect=options.dialect))
    else:
        rules.save(options.file, snapshot, dialect=options.dialect)


def _restore(options: argparse.Namespace) -> None:
    wanted = rules.load(options.file).to_table()
    scope = None if options.network is None else lvs_py.Scope.network(options.network)
    with _open(options) as director:
        plan = director.plan(wanted, scope=scope)
        for step in plan:
            print(step)
        if not options.dry_run:
            director.apply_plan(plan, undo=True).raise_for_failures()


def _diff(options: argparse.Namespace) -> int:
    wanted = rules.load(options.wanted).to_table()
    if options.current == "-":
        with _open(options) as director:
            plan = director.plan(wanted)
    else:
        plan = lvs_py.Plan(rules.load(options.current).to_table(), wanted)
    for step in plan:
        print(step)
    return 1 if plan else 0


def _check(options: argparse.Namespace) -> int:
    found = 0
    for file in options.file:
        for diagnostic in rules.check(_files.read(file)):
            print(f"{file}: {diagnostic}")
            found += 1
    return 1 if found else 0


def _drain(options: argparse.Namespace) -> None:
    def show(progress: lvs_py.DrainProgress) -> None:
        for left in progress.waiting:
            print(f"waiting for {left.destination}: {left.active} active, {left.inactive} inactive", flush=True)

    import signal

    with _open(options) as director:
        # The signal of a service manager or of timeout(1) puts the weights back, as Ctrl-C does.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            progress = director.drain(
                options.service, options.destination, deadline=options.deadline, remove=not options.keep, progress=show
            )
        finally:
            signal.signal(signal.SIGTERM, before)
    for left in progress.cut:
        print(f"cut {left.destination}: {left.active} active, {left.inactive} inactive")
    for left in progress.left_behind:
        print(f"left behind {left.destination}: {left.inactive} inactive, dropped until they time out")


def _simulate(options: argparse.Namespace) -> None:
    import json

    from lvs_py import simulation

    table = rules.load(options.file).to_table()
    events = _events(options)
    wanted = {lvs_py.ServiceKey(name) for name in options.service or ()}
    for key in sorted(wanted):
        if key not in table:
            raise lvs_py.InvalidInputError(f"{options.file} has no service {key}")
    clients = simulation.Uniform(options.clients)
    for item in table:
        if wanted and item.key not in wanted:
            continue
        servers = {destination.key for destination in item.destinations}
        workload = simulation.Workload(
            item.service,
            item.destinations,
            duration=options.duration,
            arrivals=simulation.Poisson(options.rate),
            lengths=simulation.Exponential(options.length),
            clients=clients if options.zipf is None else simulation.Zipf(options.clients, options.zipf),
            events=[event for event in events if lvs_py.DestinationKey(event.server) in servers],
            seed=options.seed,
        )
        for report in simulation.compare(workload, dict.fromkeys([item.service.scheduler, *(options.scheduler or ())])):
            if options.json:
                print(json.dumps({"service": str(item.key), **report.to_dict()}))
            elif options.csv:
                head, *lines = report.to_csv().splitlines()
                if options.csv is True:
                    print(f"service,scheduler,{head}")
                    options.csv = "begun"
                for line in lines:
                    print(f"{item.key},{report.scheduler},{line}")
            else:
                print(f"{item.key} {report}")


def _events(options: argparse.Namespace) -> list[simulation.Event]:
    from lvs_py import simulation

    kinds = {"fail": simulation.Fail, "drain": simulation.Drain, "return": simulation.Return}
    events: list[simulation.Event] = []
    for name, kind in kinds.items():
        for text in getattr(options, name):
            time, _, server = text.partition("=")
            events.append(kind(_number(time, text), lvs_py.DestinationKey(server)))
    for text in options.weight:
        time, _, rest = text.partition("=")
        server, _, weight = rest.partition("=")
        events.append(
            simulation.SetWeight(_number(time, text), lvs_py.DestinationKey(server), int(_number(weight, text)))
        )
    return events


def _number(word: str, text: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise lvs_py.InvalidInputError(
            f"{text!r} is no event: write SECONDS=SERVER, or SECONDS=SERVER=WEIGHT"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
