"""Builds the documentation into a directory: the API by pdoc, the pages beside it, and checks every link.

python lvs-py/docs/make.py target/python-docs
"""

from __future__ import annotations

import re
import shutil
import sys
import warnings
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import markdown2
import pdoc

PAGES = Path(__file__).parent
MODULES = [
    "lvs_py",
    "lvs_py.enums",
    "lvs_py.exceptions",
    "lvs_py.rules",
    "lvs_py.listing",
    "lvs_py.aio",
    "lvs_py.plot",
    "lvs_py.procfs",
    "lvs_py.simulation",
    "lvs_py.typing",
    "lvs_py.pytest_plugin",
]
# Links to private bases, and to what is inherited from the standard library: pdoc makes them, and no page for them.
UNDOCUMENTED = re.compile(r'<a href="[^"]*#(?:_\w+[^"]*|[^"]*\.(?:lineno|offset|text|__init__))">(.*?)</a>', re.DOTALL)
STYLE = (
    "body{max-width:50rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 sans-serif}"
    "pre{background:#f5f5f5;padding:.8rem;overflow:auto}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3rem .6rem}"
)


class Links(HTMLParser):
    """Collects what a page links to, and what can be linked to in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes in a tag."""
        for name, value in attrs:
            if value and name == "id":
                self.anchors.add(value)
            if value and tag == "a" and name == "href":
                self.links.append(value)


def build(out: Path) -> None:
    """Writes all pages."""
    shutil.rmtree(out, ignore_errors=True)
    # Aliases of types name classes that a type checker knows and pdoc, at run time, does not: it shows them by name.
    warnings.filterwarnings("ignore", message="Error parsing type annotation")
    pdoc.render.configure(docformat="markdown", show_source=False, search=False)
    pdoc.pdoc(*MODULES, output_directory=out)
    for page in out.rglob("*.html"):
        page.write_text(UNDOCUMENTED.sub(r"\1", page.read_text()))
    links = "".join(
        f'<li><a href="{page.stem}.html">{page.stem.title()}</a></li>' for page in sorted(PAGES.glob("*.md"))
    )
    for page in PAGES.glob("*.md"):
        body = markdown2.markdown(page.read_text(), extras=["fenced-code-blocks", "tables", "header-ids"])
        text = re.sub(r"`(lvs(?:\.\w+)+)`", r"\1", body)
        nav = f'<ul>{links}<li><a href="lvs_py.html">Reference</a></li></ul>'
        (out / f"{page.stem}.html").write_text(
            f'<!doctype html><meta charset="utf-8"><title>lvs: {page.stem}</title><style>{STYLE}</style>{nav}{text}'
        )


def check(out: Path) -> list[str]:
    """All links that lead nowhere."""
    pages: dict[Path, Links] = {}
    for path in out.resolve().rglob("*.html"):
        pages[path] = Links()
        pages[path].feed(path.read_text())
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages.get(target)
            if known is None or (parts.fragment and unquote(parts.fragment) not in known.anchors):
                broken.append(f"{path.name}: {link}")
    return broken


if __name__ == "__main__":
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "target/python-docs")
    build(directory)
    found = check(directory)
    for line in found:
        sys.stderr.write(f"broken link in {line}\n")
    sys.exit(1 if found else 0)
