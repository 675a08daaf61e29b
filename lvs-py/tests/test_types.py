"""Type checkers find the mistakes of callers, and nothing in what is right."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

import lvs_py
from lvs_py import typing as names

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "types"
MISTAKES = re.compile(r"# mistake: ")


def run(*command: str) -> str:
    environment = {**os.environ, "MYPYPATH": str(ROOT / "python")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done
    return done.stdout


def mypy() -> set[tuple[str, int]]:
    """The lines that mypy objects to, by file."""
    said = run(sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", *map(str, sorted(CASES.glob("*.py"))))
    return {(Path(file).name, int(line)) for file, line in re.findall(r"^(.*?):(\d+): error", said, re.MULTILINE)}


def pyright() -> set[tuple[str, int]]:
    """The same of pyright."""
    said = run(sys.executable, "-m", "pyright", "--outputjson", "-p", str(CASES), "--pythonpath", sys.executable)
    found = json.loads(said)["generalDiagnostics"]
    return {(Path(item["file"]).name, item["range"]["start"]["line"] + 1) for item in found}


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_every_planted_mistake_is_found_and_nothing_else(checker: Callable[[], set[tuple[str, int]]]) -> None:
    lines = (CASES / "planted.py").read_text().splitlines()
    planted = {("planted.py", number) for number, line in enumerate(lines, 1) if MISTAKES.search(line)}
    assert len(planted) >= 18
    assert checker() == planted


def test_pyright_finds_nothing_in_the_package_and_the_examples() -> None:
    said = run(sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable)
    assert not [item for item in json.loads(said)["generalDiagnostics"] if item["severity"] == "error"]


@pytest.mark.parametrize(
    ("alias", "taken"),
    [
        (names.ForwardingLike, lvs_py.ForwardingMethod),
        (names.FamilyLike, lvs_py.AddressFamily),
        (names.RoleLike, lvs_py.DaemonRole),
    ],
    ids=["forwarding", "family", "role"],
)
def test_the_words_that_types_allow_are_those_that_are_taken(alias: object, taken: Callable[[str], object]) -> None:
    words = [word for part in get_args(alias) for word in get_args(part)]
    assert {taken(word) for word in words} == set(taken)  # type: ignore[call-overload]


def test_the_words_that_types_promise_are_those_that_come() -> None:
    assert {method for method in vars(lvs_py.Operation) if method in get_args(names.OperationAction)} == set(
        get_args(names.OperationAction)
    )
    for profile in get_args(names.Profile):
        with lvs_py.Director.embedded(profile=profile) as director:
            assert director.profile() == profile
