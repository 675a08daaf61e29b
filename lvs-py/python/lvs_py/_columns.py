"""What libraries that are not always there make of `lvs_py.Columns`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._lvs import Columns


def to_pandas(columns: Columns) -> Any:
    """A `pandas.DataFrame`: through Arrow without a copy where pandas reads that, else a column at a time."""
    import importlib

    # Whoever has no pandas calls something else.
    pandas: Any = importlib.import_module("pandas")
    if hasattr(pandas.DataFrame, "from_arrow"):
        try:
            return pandas.DataFrame.from_arrow(columns)
        except ImportError:  # pandas reads Arrow with pyarrow, which it does not depend on
            pass
    return pandas.DataFrame(columns.to_numpy())


def structured(columns: Columns, dtype: Any = None) -> Any:
    """A structured array of NumPy: numbers as they are, all else as objects."""
    import numpy

    formats = columns.formats()
    kinds = numpy.dtype([(name, form or object) for name, form in formats.items()])
    array = numpy.empty(columns.rows, kinds)
    for name in formats:
        array[name] = columns[name]
    return array if dtype is None else array.astype(dtype)
