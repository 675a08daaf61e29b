"""The whole package: documented, exported, quick to import."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys

import pytest

import lvs
from lvs import enums, exceptions


def test_all_names_what_there_is() -> None:
    assert lvs.__all__ == sorted(lvs.__all__)
    for name in lvs.__all__:
        assert hasattr(lvs, name), name
    for module in (enums, exceptions):
        assert set(module.__all__) <= set(lvs.__all__), module


def public_members() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in lvs.__all__:
        value = getattr(lvs, name)
        if not inspect.isclass(value):
            continue
        found.append((name, value))
        for member, inner in vars(value).items():
            if (
                not member.startswith("_")
                and (callable(inner) or isinstance(inner, (property, staticmethod, classmethod)))
            ) or (type(inner).__name__ == "getset_descriptor" and not member.startswith("_")):
                found.append((f"{name}.{member}", inner))
    return found


@pytest.mark.parametrize(
    ("name", "member"), public_members(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_public_name_is_documented(name: str, member: object) -> None:
    assert (getattr(member, "__doc__", None) or "").strip(), name


def test_every_exception_derives_from_one() -> None:
    for name in exceptions.__all__:
        value = getattr(exceptions, name)
        if name != "Diagnostic":
            assert issubclass(value, lvs.LvsError), name


def test_exceptions_survive_pickle() -> None:
    with lvs.Director.embedded() as director, pytest.raises(lvs.NotFoundError) as caught:
        director.remove_service("fwmark:7")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is lvs.NotFoundError and str(again) == str(caught.value)
    assert again.errno == caught.value.errno and again.operation == lvs.Operation.remove_service("fwmark:7")


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "asyncio,dataclasses,inspect,json,logging,typing,ipaddress,socket,argparse,matplotlib,numpy,pytest"
    code = f"import sys; import lvs; print([m for m in {heavy.split(',')!r} if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-S", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert out.stdout.strip() == "[]"


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert version("lvs-py") == lvs.__version__
