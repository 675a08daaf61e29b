"""What the site adds to MkDocs: pages that live elsewhere in the repository, and the ways of writing used in them."""

from __future__ import annotations

import hashlib
import posixpath
import re
import shutil
import sys
import tarfile
import tomllib
import urllib.request
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
from reference import linked  # noqa: E402 - hooks are no package

ROOT = Path(__file__).parent.parent
# Pages that are kept beside what they describe, where tests run them or readers of the repository look for them.
ELSEWHERE = {
    "tutorial/nat.md": "examples/lvsd/guides/nat.md",
    "tutorial/direct-routing.md": "examples/lvsd/guides/direct-routing.md",
    "tutorial/tunnel.md": "examples/lvsd/guides/tunnel.md",
    "tutorial/persistence.md": "examples/lvsd/guides/persistence.md",
    "tutorial/failover.md": "examples/lvsd/guides/failover.md",
    "tutorial/fleet.md": "examples/lvsd/guides/fleet.md",
    "howto/cluster.md": "examples/lvsd/guides/README.md",
    "howto/from-libipvs.md": "examples/c/migrating-from-libipvs.md",
    "howto/python.md": "lvs-py/docs/guide.md",
    "howto/cookbook.md": "lvs-py/docs/cookbook.md",
    "howto/ansible.md": "examples/ansible/ansible_collections/lvs/director/README.md",
    "concepts/architecture.md": "ARCHITECTURE.md",
    "reference/ipvsadm.md": "examples/ipvsadm/DIFFERENCES.md",
    "reference/changelog.md": "lvs-core/CHANGELOG.md",
}
REPOSITORY = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["repository"]
SITE = {source: page for page, source in ELSEWHERE.items()}
FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(\]\()(?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
# Lets the search work in pages that were opened as files (MIT). Without it MkDocs' theme would ask another host at each look.
SHIM = "https://registry.npmjs.org/iframe-worker/-/iframe-worker-1.0.4.tgz"
SHIM_SHA256 = "e8c5d12d87829c503afba01d67772ea9f4aba5b7ae57a0c98e1917711030efbb"
# In a translation: the next block of the page that is translated. Commands are written once.
BLOCK = re.compile(r"^ *<!-- block -->$", re.MULTILINE)


def on_pre_build(config: MkDocsConfig) -> None:
    """Puts the pages beside what `cargo xtask docs` has generated."""
    pages = Path(config.docs_dir)
    shutil.copytree(Path(__file__).parent / "pages", pages, dirs_exist_ok=True)
    for page, source in ELSEWHERE.items():
        shutil.copyfile(ROOT / source, pages / page)
    (pages / config.extra["polyfills"][0]).write_bytes(shim())


def shim() -> bytes:
    """The script itself, fetched once for an environment."""
    kept = Path(sys.prefix) / "iframe-worker.tgz"
    if not kept.exists():
        with urllib.request.urlopen(SHIM, timeout=60) as answer:
            kept.write_bytes(answer.read())
    if hashlib.sha256(kept.read_bytes()).hexdigest() != SHIM_SHA256:
        kept.unlink()
        raise PluginError(f"{SHIM} is not what it was")
    with tarfile.open(kept) as archive:
        return archive.extractfile("package/shim/index.js").read()


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fills translations, points links to the site's pages, and says whose a block is."""
    name = page.file.src_uri
    if name.endswith(".zh.md"):
        markdown = translated(markdown, name)
    markdown = markdown.replace("<!-- instructions -->", instructions())
    source = ELSEWHERE.get(name)
    if source is not None and source.startswith("lvs-py/docs/"):
        markdown = linked(markdown)
    if source is not None:
        markdown = LINK.sub(lambda link: link[1] + target(link[2], source, name) + (link[3] or "") + ")", markdown)
    return re.sub(r"^```(\w+) (\S+)$", r'```\1 title="\2"', markdown, flags=re.MULTILINE).replace("```output", "```text")


def instructions() -> str:
    """What named paths cost, as the tests hold them."""
    record = (ROOT / "lvs-core/benches/instructions.txt").read_text(encoding="utf-8")
    rows = [line.split()[:2] for line in record.splitlines() if line and not line.startswith(("#", "rust "))]
    costs = dict(rows)  # A later line for the same path replaces the first one.
    table = "".join(f"| `{name}` | {int(cost):,} |\n" for name, cost in costs.items())
    return "| path | instructions |\n|---|---:|\n" + table


def translated(markdown: str, name: str) -> str:
    """A translation with the blocks of its original, each of which must have its place."""
    original = name.removesuffix(".zh.md") + ".md"
    path = ROOT / ELSEWHERE[original] if original in ELSEWHERE else ROOT / "docs/pages" / original
    blocks = [found[0] for found in FENCE.finditer(path.read_text(encoding="utf-8"))]
    places = len(BLOCK.findall(markdown))
    if places != len(blocks):
        raise PluginError(f"{name} has {places} places for the {len(blocks)} blocks of {original}")
    rest = iter(blocks)
    return BLOCK.sub(lambda _: next(rest), markdown)


def target(link: str, source: str, page: str) -> str:
    """Where a link of a file in the repository leads on the site: to its page, or to the file in the repository."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    if path in SITE:
        return posixpath.relpath(SITE[path], posixpath.dirname(page))
    if not (ROOT / path).exists():
        raise PluginError(f"{source} links to {link}, which is not there")
    return f"{REPOSITORY}/blob/main/{path}"
