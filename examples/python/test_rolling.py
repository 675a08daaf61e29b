"""The tests of `rolling.py`: no root, no kernel; hours pass in a moment. Run them with pytest."""

from __future__ import annotations

from rolling import roll

import lvs_py

WEB = "tcp://192.0.2.1:80"


def test_new_servers_come_before_old_ones_go(lvs_director: lvs_py.EmbeddedDirector) -> None:
    lvs_director.reconcile({WEB: ["198.51.100.7:80"]})
    assert roll(lvs_director, WEB, ["198.51.100.8:80"]) == []
    assert [str(key) for key in lvs_director.destinations(WEB)] == ["198.51.100.8:80"]


def test_connections_are_waited_for(lvs_director: lvs_py.EmbeddedDirector) -> None:
    lvs_director.reconcile({WEB: ["198.51.100.7:80"]})
    lvs_director.connect("203.0.113.9:40000", "192.0.2.1:80")
    assert roll(lvs_director, WEB, ["198.51.100.8:80"]) == []
    # Nobody sent a packet any more: the connection ended by the kernel's timeout of fifteen
    # minutes.
    assert 900 <= lvs_director.now().total_seconds() < 930


def test_what_is_left_at_the_deadline_is_cut_and_told(lvs_director: lvs_py.EmbeddedDirector) -> None:
    lvs_director.reconcile({WEB: ["198.51.100.7:80"]})
    lvs_director.connect("203.0.113.9:40000", "192.0.2.1:80")
    assert roll(lvs_director, WEB, ["198.51.100.8:80"], deadline=60) == ["198.51.100.7:80: 1 active"]
    assert lvs_director.now().total_seconds() == 60
