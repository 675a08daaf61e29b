"""What the tests share: directors to test on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lvs


@pytest.fixture
def director() -> Iterator[lvs.Director]:
    """An empty director."""
    with lvs.Director.embedded() as director:
        yield director


@pytest.fixture
def service() -> lvs.Service:
    """A TCP service."""
    return lvs.Service.tcp("192.0.2.1", 80)
