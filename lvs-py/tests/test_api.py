"""The whole package: documented, exported, quick to import."""

from __future__ import annotations

import importlib
import inspect
import pickle
import subprocess
import sys

import pytest

import lvs_py
from lvs_py import enums, exceptions


def test_all_names_what_there_is() -> None:
    assert lvs_py.__all__ == sorted(lvs_py.__all__)
    for name in lvs_py.__all__:
        assert hasattr(lvs_py, name), name
    for module in (enums, exceptions):
        assert set(module.__all__) <= set(lvs_py.__all__), module


def public_members() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in lvs_py.__all__:
        value = getattr(lvs_py, name)
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


def members_of_modules() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in ("aio", "listing", "plot", "procfs", "pytest_plugin", "rules", "simulation", "typing"):
        module = importlib.import_module(f"lvs_py.{name}")
        found.append((name, module))
        for public in module.__all__:
            value = getattr(module, public)
            if inspect.isclass(value) or inspect.isfunction(value):
                found.append((f"{name}.{public}", value))
            if inspect.isclass(value) and value.__module__ in (module.__name__, "lvs_py.simulation"):
                found += [
                    (f"{name}.{public}.{member}", inner)
                    for member, inner in vars(value).items()
                    if not member.startswith("_") and (callable(inner) or isinstance(inner, (property, classmethod)))
                ]
    return found


@pytest.mark.parametrize(
    ("name", "member"), members_of_modules(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_public_name_of_a_module_is_documented(name: str, member: object) -> None:
    assert (getattr(member, "__doc__", None) or "").strip(), name


@pytest.mark.parametrize(
    ("name", "member"), public_members(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_public_name_is_documented(name: str, member: object) -> None:
    assert (getattr(member, "__doc__", None) or "").strip(), name


def test_every_exception_derives_from_one() -> None:
    for name in exceptions.__all__:
        value = getattr(exceptions, name)
        if name != "Diagnostic":
            assert issubclass(value, lvs_py.LvsError), name


def test_exceptions_survive_pickle() -> None:
    with lvs_py.Director.embedded() as director, pytest.raises(lvs_py.NotFoundError) as caught:
        director.remove_service("fwmark:7")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is lvs_py.NotFoundError and str(again) == str(caught.value)
    assert again.errno == caught.value.errno and again.operation == lvs_py.Operation.remove_service("fwmark:7")


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "asyncio,dataclasses,inspect,json,logging,typing,ipaddress,socket,argparse,matplotlib,numpy,pytest"
    code = f"import sys; import lvs_py; print([m for m in {heavy.split(',')!r} if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-S", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert out.stdout.strip() == "[]"


def test_modules_are_imported_when_asked_for() -> None:
    code = "import lvs_py as m; print(m.rules.parse('-A -t 192.0.2.1:80').to_table()); m.simulation.Workload; m.nosuch"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Table(") and "module 'lvs_py' has no attribute 'nosuch'" in done.stderr


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert version("lvs-py") == lvs_py.__version__
