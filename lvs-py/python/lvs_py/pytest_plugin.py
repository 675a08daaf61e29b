"""Fixtures for testing programs that manage IPVS: no root, no kernel, and a clock that moves when told to.

pytest finds them as soon as the package is installed. A controller that takes a `lvs_py.Director` is tested with:

```python
from lvs_py import EmbeddedDirector

def test_a_new_server_is_added(lvs_director: EmbeddedDirector) -> None:
    lvs_director.add_service("tcp://192.0.2.1:80")
    ...  # call the controller with lvs_director
    assert "198.51.100.7:80" not in lvs_director.destinations("tcp://192.0.2.1:80")
```

See the guide for a whole controller with its tests.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._director import EmbeddedDirector

__all__ = ["lvs_director"]


@pytest.fixture
def lvs_director() -> Iterator[EmbeddedDirector]:
    """An empty embedded director for each test; `lvs_py.EmbeddedDirector.advance` moves its clock."""
    from ._director import Director

    with Director.embedded() as director:
        yield director
