"""Every snippet of the documentation runs."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import lvs_py

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets() -> list[tuple[str, str]]:
    """The snippets of pages (one program a page), and of docstrings (one program each)."""
    found = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        # Blank lines keep the numbers of the lines.
        text = page.read_text()
        program, end = "", 0
        for match in FENCE.finditer(text):
            program += "\n" * text.count("\n", end, match.start(1)) + match.group(1)
            end = match.end(1)
        found.append((str(page.relative_to(ROOT)), program))
    for info in pkgutil.iter_modules(lvs_py.__path__, "lvs_py."):
        if info.name in ("lvs_py._lvs", "lvs_py.__main__"):
            continue
        module = importlib.import_module(info.name)
        objects: list[tuple[str, object]] = [(info.name, module)]
        objects += [(f"{info.name}.{name}", value) for name, value in inspect.getmembers(module, inspect.isclass)]
        objects += [(f"{info.name}.{name}", value) for name, value in inspect.getmembers(module, inspect.isfunction)]
        for name, value in list(objects):
            if inspect.isclass(value) and value.__module__ == info.name:
                objects += [(f"{name}.{part}", member) for part, member in inspect.getmembers(value, inspect.isroutine)]
        for name, value in objects:
            if getattr(value, "__module__", info.name) == info.name:
                for match in FENCE.finditer(inspect.getdoc(value) or ""):
                    found.append((name, match.group(1)))
    for match in FENCE.finditer(lvs_py.__doc__ or ""):
        found.append(("lvs_py", match.group(1)))
    return found


@pytest.mark.parametrize(("where", "program"), snippets(), ids=lambda value: value if "\n" not in value else "")
def test_a_snippet_runs(where: str, program: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(program, where, "exec"), {"__name__": "snippet"})


def test_there_are_snippets_to_run() -> None:
    names = {where for where, program in snippets() if program.strip()}
    assert {"README.md", "docs/guide.md", "docs/cookbook.md", "lvs_py", "lvs_py.rules", "lvs_py.aio"} <= names


def test_every_public_name_has_its_place_in_the_reference() -> None:
    pages = ROOT.parent / "docs" / "pages" / "reference" / "python"
    shown = re.findall(r"^::: lvs_py\.(\w+)$", "".join(page.read_text() for page in pages.glob("*.md")), re.MULTILINE)
    assert len(shown) == len(set(shown))
    modules = {info.name for info in pkgutil.iter_modules(lvs_py.__path__) if not info.name.startswith("_")}
    # Enumerations and exceptions are on the pages of their modules.
    elsewhere = {*lvs_py.enums.__all__, *lvs_py.exceptions.__all__, "__version__"}
    assert set(shown) == modules | (set(lvs_py.__all__) - elsewhere)
