"""What the tests share: directors to test on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import lvs_py


@pytest.fixture(params=["embedded", pytest.param("kernel", marks=pytest.mark.kernel)])
def director(request: pytest.FixtureRequest) -> Iterator[lvs_py.Director]:
    """An empty director of each kind: what holds for one must hold for the other."""
    with lvs_py.Director.embedded() if request.param == "embedded" else kernel_director() as director:
        yield director


def kernel_director() -> lvs_py.Director:
    """The running kernel's director, emptied. Fails where there is none: a test that was asked for must not vanish."""
    expected = os.environ.get("LVS_TEST_KERNEL")
    if expected is not None:
        assert os.uname().release.startswith(f"{expected}."), f"this is kernel {os.uname().release}, not {expected}"
    director = lvs_py.Director.kernel(load_module=True)
    director.flush()
    for daemon in director.daemons():
        director.stop_daemon(daemon.role)
    director.set_timeouts(tcp=900, tcp_fin=120, udp=300)
    return director


@pytest.fixture
def service() -> lvs_py.Service:
    """A TCP service."""
    return lvs_py.Service.tcp("192.0.2.1", 80)
