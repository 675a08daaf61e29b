"""The kernel's text files, as recorded by the core's tests."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

import lvs_py
from lvs_py import procfs

STATS = b"""\
   Total Incoming Outgoing         Incoming         Outgoing
   Conns  Packets  Packets            Bytes            Bytes
       A       64       3C             1F40             12C0

 Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
       1        5        3              190               F0
"""
CPUS = b"""\
       Total Incoming Outgoing         Incoming         Outgoing
CPU    Conns  Packets  Packets            Bytes            Bytes
  0        6       32       1E              FA0              960
  1        4       32       1E              FA0              960
  ~        A       64       3C             1F40             12C0

     Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
           1        5        3              190               F0
"""
TABLE = b"""\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0000201:0050 wlc  persistent 75000 FFFFFF00
  -> C6336407:1F90      Masq    1      2          3
UDP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0035 rr
FWM  00000007 wrr
  -> C6336408:0050      Route   5      0          0
"""


def test_totals() -> None:
    stats = procfs.read_stats(STATS)
    assert stats.counters == lvs_py.Counters(
        connections=10, packets_in=100, packets_out=60, bytes_in=8000, bytes_out=4800
    )
    assert stats.rates == lvs_py.Rates(connections=1, packets_in=5, packets_out=3, bytes_in=400, bytes_out=240)


def test_totals_by_processor() -> None:
    cpus, total = procfs.read_cpu_stats(CPUS)
    assert {cpu: counters.connections for cpu, counters in cpus.items()} == {0: 6, 1: 4}
    assert total == procfs.read_stats(STATS)


def test_helpers() -> None:
    [helper] = procfs.read_helpers(b"prot port    usecnt name\nTCP  21      3      ftp              \n")
    assert helper == procfs.Helper(lvs_py.Protocol.TCP, 21, "ftp", 3)


def test_the_table() -> None:
    web, dns, mark = procfs.read_table(TABLE)
    assert web.key == lvs_py.ServiceKey("tcp://192.0.2.1:80") and web.mark is None and web.scheduler == "wlc"
    assert web.persistence(hz=250) == 300 and web.netmask == ip_address("255.255.255.0") and not web.one_packet
    [server] = web.destinations
    assert server == (lvs_py.DestinationKey("198.51.100.7:8080"), lvs_py.ForwardingMethod.MASQUERADE, 1, 2, 3)
    assert str(dns.key) == "udp://[2001:db8::1]:53" and dns.destinations == [] and dns.persistence(hz=250) is None
    assert mark.key is None and mark.mark == 7 and mark.destinations[0].forwarding is lvs_py.ForwardingMethod.DIRECT


def test_a_file_is_read_and_what_is_wrong_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs_stats"
    path.write_bytes(STATS)
    assert procfs.read_stats(path) == procfs.read_stats(str(path)) == procfs.read_stats(STATS)
    with pytest.raises(lvs_py.DecodeError, match="line 3"):
        procfs.read_stats(STATS.replace(b"64", b"x"))
    with pytest.raises(lvs_py.DecodeError):
        procfs.read_table(b"nothing of the kind")
    with pytest.raises(FileNotFoundError):
        procfs.read_table(tmp_path / "none")


def test_a_director_has_totals(lvs_director: lvs_py.EmbeddedDirector) -> None:
    lvs_director.reconcile({"tcp://192.0.2.1:80": ["198.51.100.7:80"]})
    lvs_director.connect("203.0.113.9:40000", "192.0.2.1:80")
    lvs_director.advance(2)
    assert lvs_director.totals().counters.connections == 1


def test_how_full_the_tables_are_is_read_from_copies() -> None:
    text = b"Conns:\t3\nConn buckets:\t256 (8 bits, lfactor -4)\nConn buckets empty:\t253 (98%)\n"
    text += b"Conn buckets len-1:\t3 (100%)\n"
    status = procfs.read_status(text)
    assert status.connections == (3, 256, 8, -4, (253, 3, 0, 0, 0, 0, 0, 0))
    assert status.services.lengths is None and status.estimator.max_threads == 0


def test_an_embedded_director_has_a_status_and_a_profile() -> None:
    with lvs_py.Director.embedded(profile="linux7") as director:
        assert director.profile() == "linux7"
        assert director.status().connections.buckets == 0
        director.add_service(lvs_py.Service.tcp("192.0.2.1", 80))
        assert director.status().connections.buckets == 256
        assert director.status().services == (1, 16, 4, -3, (15, 1, 0, 0, 0, 0, 0, 0))


def test_an_unknown_state_keeps_the_kernels_word() -> None:
    [row] = lvs_py.read_connections(b"TCP CB007105 EC70 C0000201 0050 C6336407 1F90 NEWSTATE        899\n")
    assert row.state is lvs_py.ConnectionState.UNKNOWN and row.state_name == row.unknown_state == "NEWSTATE"
    [mark] = lvs_py.read_connections(b"IP  CB007101 0000 00000007 0000 0A020001 FFFF NONE             99\n")
    assert (mark.mark, mark.mark_port, mark.is_invalid_template) == (7, 0, True)
