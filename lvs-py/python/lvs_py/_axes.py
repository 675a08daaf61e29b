"""Axes that a notebook shows: it asks what a cell returns for a picture, which plain axes do not have."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes

__all__ = ["ShownAxes"]


class ShownAxes(Axes):
    """Axes that are shown as the picture of their figure."""

    def _repr_png_(self) -> bytes:
        figure: Any = self.figure
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=110)
        return out.getvalue()
