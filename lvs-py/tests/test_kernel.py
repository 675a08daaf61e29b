"""What only the kernel has. Everything else is tested on both directors, with the fixture `director`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import kernel_director

import lvs_py
from lvs_py import procfs

pytestmark = pytest.mark.kernel
WEB = "tcp://192.0.2.1:80"


def test_both_transports_read_the_same_table() -> None:
    with kernel_director() as director:
        director.reconcile({WEB: ["198.51.100.7:80", "198.51.100.8:80"]})
        with lvs_py.Director.kernel(transport="sockopt") as other:
            assert other.snapshot().to_table().services == director.snapshot().to_table().services
        director.flush()


def test_a_namespace_has_a_table_of_its_own() -> None:
    subprocess.run(["ip", "netns", "add", "lvs-py"], check=True)
    try:
        with kernel_director() as here, lvs_py.Director.kernel("lvs-py") as there:
            here.add_service(WEB)
            assert not there.services
            there.add_service("fwmark:7")
            assert "fwmark:7" not in here.services
            here.flush()
        with lvs_py.Director.kernel(Path("/run/netns/lvs-py")) as again, lvs_py.Director.kernel(os.getpid()) as own:
            assert list(again.services) == [lvs_py.ServiceKey("fwmark:7")] and not own.services
        with pytest.raises(lvs_py.NotFoundError):
            lvs_py.Director.kernel("no-such-namespace")
    finally:
        subprocess.run(["ip", "netns", "delete", "lvs-py"], check=True)


def test_tunables_of_the_kernel() -> None:
    with kernel_director() as director:
        before = director.sysctls["expire_nodest_conn"]
        director.sysctls["expire_nodest_conn"] = True
        assert director.sysctls["expire_nodest_conn"] == 1
        assert Path("/proc/sys/net/ipv4/vs/expire_nodest_conn").read_text() == "1\n"
        director.sysctls["expire_nodest_conn"] = before
        assert "conn_reuse_mode" in set(director.sysctls)


def test_totals_helpers_and_tunables_are_those_of_the_directors_namespace() -> None:
    subprocess.run(["ip", "netns", "add", "lvs-py"], check=True)
    try:
        with kernel_director() as here, lvs_py.Director.kernel("lvs-py") as there:
            there.sysctls["sync_version"] = 0
            assert (here.sysctls["sync_version"], there.sysctls["sync_version"]) == (1, 0)
            assert isinstance(here, lvs_py.KernelDirector) and len(here.cpu_totals().cpus) >= (os.cpu_count() or 1)
            assert there.totals() == there.cpu_totals().total == lvs_py.Stats()
            # Other tests in this kernel may have loaded it, with other ports.
            subprocess.run(["modprobe", "--remove", "ip_vs_ftp"], check=True)
            assert there.helpers() == ()
            subprocess.run(["modprobe", "ip_vs_ftp", "ports=2121"], check=True)
            [helper] = there.helpers()
            assert (helper.protocol, helper.port, helper.name, helper.use_count) == (
                lvs_py.Protocol.TCP,
                2121,
                "ftp",
                0,
            )
            there.add_service(WEB)
            assert len(there.connections(origin="local")) == there.connection_sums(origin="sync").total.connections == 0
        assert [str(row.key) for row in procfs.read_table()] == []
    finally:
        subprocess.run(["ip", "netns", "delete", "lvs-py"], check=True)


def test_where_connections_came_from_is_told_when_asked_for() -> None:
    with kernel_director() as director:
        director.reconcile({"tcp://127.0.0.1:8080": [lvs_py.Destination("127.0.0.1:9", forwarding="nat")]})
        with socket.socket() as client:
            client.setblocking(False)
            assert client.connect_ex(("127.0.0.1", 8080)) != 0
            [plain] = director.connections()
            [told] = director.connections(origin="local")
        assert plain.origin is None and told.origin is lvs_py.ConnectionOrigin.LOCAL
        assert (plain.client, plain.destination) == (told.client, told.destination)
        assert not director.connections(origin="sync")
        assert director.connection_sums(origin="local").total.connections == 1
        director.flush()


def test_daemons_of_the_kernel() -> None:
    subprocess.run(["ip", "link", "add", "lvs-py0", "type", "dummy"], check=True)
    try:
        subprocess.run(["ip", "address", "add", "192.0.2.254/24", "dev", "lvs-py0"], check=True)
        subprocess.run(["ip", "link", "set", "lvs-py0", "up"], check=True)
        with kernel_director() as director:
            director.start_daemon(lvs_py.Daemon("backup", "lvs-py0", sync_id=3))
            [daemon] = director.daemons()
            assert daemon.interface == "lvs-py0" and daemon.sync_id == 3 and daemon.port == 8848
            director.stop_daemon("backup")
            assert director.daemons() == ()
    finally:
        subprocess.run(["ip", "link", "delete", "lvs-py0"], check=True)


def test_without_the_privilege_reading_is_a_permission_error() -> None:
    code = (
        "import lvs_py, os, sys\n"
        "os.setuid(65534)\n"
        "try:\n"
        "    lvs_py.Director.kernel().snapshot()\n"
        "except PermissionError as error:\n"
        "    assert isinstance(error, lvs_py.PermissionDeniedError), type(error)\n"
        "    sys.exit(0)\n"
        "sys.exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_child_of_fork_opens_its_own() -> None:
    with kernel_director() as director:
        child = os.fork()
        if child == 0:
            try:
                director.snapshot()
            except lvs_py.ClosedError:
                with lvs_py.Director.kernel() as own:
                    own.snapshot()
                os._exit(0)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        director.snapshot()
