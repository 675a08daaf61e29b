"""``python -m lvs``: list, watch, save, restore, diff, drain and simulate, from a shell.

Works on the running kernel, or with ``--rules FILE`` on an embedded director that holds what the file says.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time

import lvs
from lvs import listing, rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .typing import ListingMode


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except lvs.RulesSyntaxError as error:
        print(f"{error.filename or 'rules'}:\n{error}", file=sys.stderr)
        return 2
    except (lvs.LvsError, OSError) as error:
        print(f"lvs: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lvs", description="The Linux Virtual Server from a shell.")
    parser.add_argument("--version", action="version", version=f"lvs {lvs.__version__}")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--rules", metavar="FILE", help="work on an embedded director that holds these rules")
    where.add_argument("--namespace", help="work in this network namespace")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    sub = command("list", _list, "show the table as ipvsadm -L does")
    sub.add_argument("--stats", dest="mode", action="store_const", const="stats", help="sums")
    sub.add_argument("--rate", dest="mode", action="store_const", const="rate", help="rates")
    sub.add_argument("--thresholds", dest="mode", action="store_const", const="thresholds")
    sub.add_argument("--connections", "-c", action="store_true", help="the connection table")
    sub.add_argument("--json", action="store_true", help="as JSON")
    sub.add_argument("--names", action="store_true", help="names for addresses and ports")

    sub = command("watch", _watch, "show load and rates, again and again")
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

    sub = command("check", _check, "look for mistakes in files of rules")
    sub.add_argument("file", nargs="+")

    sub = command("drain", _drain, "take a destination out when its connections have ended")
    sub.add_argument("service")
    sub.add_argument("destination", nargs="?")
    sub.add_argument("--deadline", type=float, metavar="SECONDS")
    sub.add_argument("--keep", action="store_true", help="leave it in the table with weight 0")

    sub = command("simulate", _simulate, "how a file of rules shares connections out, on an embedded director")
    sub.add_argument("file")
    sub.add_argument("--connections", type=int, default=10_000, metavar="N")
    sub.add_argument("--scheduler", action="append", metavar="NAME", help="compare with this one; can be repeated")
    sub.add_argument("--seed", type=int, default=0)
    return parser


def _open(options: argparse.Namespace) -> lvs.Director:
    if options.rules is None:
        return lvs.Director.kernel(options.namespace)
    director = lvs.Director.embedded()
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


def _frame(snapshot: lvs.Snapshot, width: int, height: int | None) -> str:
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
        print(f"lvs: {loss}", file=sys.stderr)
    if options.file is None:
        sys.stdout.write(rules.format(snapshot, dialect=options.dialect))
    else:
        rules.save(options.file, snapshot, dialect=options.dialect)


def _restore(options: argparse.Namespace) -> None:
    wanted = rules.load(options.file).to_table()
    scope = None if options.network is None else lvs.Scope.network(options.network)
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
        plan = lvs.Plan(rules.load(options.current).to_table(), wanted)
    for step in plan:
        print(step)
    return 1 if plan else 0


def _check(options: argparse.Namespace) -> int:
    found = 0
    for file in options.file:
        with open(file, "rb") as text:
            for diagnostic in rules.check(text.read()):
                print(f"{file}: {diagnostic}")
                found += 1
    return 1 if found else 0


def _drain(options: argparse.Namespace) -> None:
    def show(progress: lvs.DrainProgress) -> None:
        for left in progress.waiting:
            print(f"waiting for {left.destination}: {left.active} active, {left.inactive} inactive", flush=True)

    with _open(options) as director:
        progress = director.drain(
            options.service, options.destination, deadline=options.deadline, remove=not options.keep, progress=show
        )
    for left in progress.cut:
        print(f"cut {left.destination}: {left.active} active, {left.inactive} inactive")


def _simulate(options: argparse.Namespace) -> None:
    table = rules.load(options.file).to_table()
    for item in table:
        target = (
            "192.0.2.1:80" if item.key.address is None else str(lvs.DestinationKey(item.key.address, item.key.port))
        )
        shares: dict[str, dict[str, int]] = {}
        for scheduler in dict.fromkeys([item.service.scheduler, *(options.scheduler or [])]):
            shares[scheduler] = _share(item, scheduler, target, options.connections, options.seed)
        print(f"{item.key}: {options.connections} connections")
        print(f"  {'':30}{'weight':>8}" + "".join(f"{scheduler:>9}" for scheduler in shares))
        for destination in item.destinations:
            counts = "".join(f"{share.get(str(destination.key), 0):9}" for share in shares.values())
            print(f"  {destination.key!s:30}{destination.weight:8}{counts}")


def _share(item: lvs.TableService, scheduler: str, target: str, count: int, seed: int) -> dict[str, int]:
    """Connections of each destination, opened by clients of different addresses and never closed."""
    from ipaddress import IPv6Address, ip_address
    from random import Random

    key = item.key
    random = Random(seed)
    v6 = key.family is lvs.AddressFamily.INET6
    if key.mark is not None and v6:
        target = "[2001:db8::1]:80"
    protocol = key.protocol or lvs.Protocol.TCP
    share: dict[str, int] = {}
    with lvs.Director.embedded(seed=seed) as director:
        director.reconcile(lvs.Table([(item.service.replace(scheduler=scheduler), item.destinations)]))
        for _ in range(count):
            client = IPv6Address((0x20010DB8 << 96) | random.getrandbits(64)) if v6 else ip_address(
                0x0A000000 | random.getrandbits(24)
            )  # fmt: skip
            source = (client, random.randrange(1024, 65536))
            verdict = director.connect(source, target, protocol=protocol, mark=key.mark or 0)
            if verdict.destination is not None:
                name = str(verdict.destination)
                share[name] = share.get(name, 0) + 1
    return share


if __name__ == "__main__":
    sys.exit(main())
