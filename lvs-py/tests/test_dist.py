"""What is handed out: the contents of the wheel and of the source distribution, and that the latter builds.

Takes a compiler, so it runs with `-m dist`. It builds without optimisation, where the tests have built before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import lvs_py

pytestmark = pytest.mark.dist
ROOT = Path(__file__).parents[1]
BUILD = ["--profile", "dev", "--target-dir", str(ROOT.parent / "target" / "maturin")]
PACKAGE = {
    f"lvs_py/{path.name}" for path in (ROOT / "python" / "lvs_py").iterdir() if path.suffix in (".py", ".pyi", ".typed")
}
LICENCES = {"LICENSE-APACHE", "LICENSE-MIT"}


def run(*command: str, **variables: str) -> str:
    # Build backends call their programs by name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python(*arguments: str, **variables: str) -> str:
    return run(sys.executable, *arguments, **variables)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    python("-m", "maturin", "build", "--quiet", *BUILD, "--out", str(out))
    [path] = out.iterdir()
    return path


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdist")
    python("-m", "maturin", "sdist", "--out", str(out))
    [path] = out.iterdir()
    return path


def test_one_wheel_is_for_all_versions_of_python(wheel: Path) -> None:
    name, version, tag, abi, platform = wheel.stem.split("-")
    assert (name, version) == ("lvs_py", lvs_py.__version__)
    assert (tag, abi) == ("cp311", "abi3") and "linux" in platform


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    files = set(zipfile.ZipFile(wheel).namelist())
    about = f"lvs_py-{lvs_py.__version__}.dist-info/"
    package = {file for file in files if not file.startswith(about)}
    assert package == PACKAGE | {"lvs_py/_lvs.abi3.so"}
    assert {"lvs_py/py.typed", "lvs_py/_lvs.pyi"} <= package
    described = {file[len(about) :] for file in files - package}
    assert {"METADATA", "WHEEL", "RECORD", "entry_points.txt", *(f"licenses/{name}" for name in LICENCES)} <= described
    # maturin would add a list of the crates with paths of this machine.
    assert {PurePosixPath(file).parts[0] for file in described} == {
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
        "licenses",
    }


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        about = f"lvs_py-{lvs_py.__version__}.dist-info/"
        metadata = archive.read(about + "METADATA").decode().splitlines()
        entry_points = archive.read(about + "entry_points.txt").decode()
    for line in ("Name: lvs-py", "Requires-Python: >=3.11", "License-Expression: MIT OR Apache-2.0"):
        assert line in metadata
    assert {line.removeprefix("License-File: ") for line in metadata if line.startswith("License-File")} == LICENCES
    # Nothing is needed at run time; plots are an extra.
    needs = [line for line in metadata if line.startswith("Requires-Dist")]
    assert len(needs) == 1 and "extra == 'plot'" in needs[0]
    assert "lvs_py=lvs_py.pytest_plugin" in entry_points.replace(" ", "")


def test_the_source_distribution_holds_what_builds_it_and_no_results(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        files = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    assert {f"python/{file}" for file in PACKAGE} <= files
    assert {"PKG-INFO", "pyproject.toml", "Cargo.toml", "Cargo.lock", "README.md", *LICENCES} <= files
    assert {"lvs-core/Cargo.toml", "lvs-core/src/lib.rs", "lvs-py/Cargo.toml", "lvs-py/src/lib.rs"} <= files
    tops = {PurePosixPath(file).parts[0] for file in files if file != "."}
    assert tops == {
        "PKG-INFO",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "examples",
        "lvs-core",
        "lvs-py",
        "pyproject.toml",
        "python",
    }
    for file in files:
        path = PurePosixPath(file)
        assert not {"target", "__pycache__", ".venv"} & set(path.parts), file
        assert path.suffix not in (".so", ".pyc", ".whl", ".o"), file


def test_pypi_would_take_both(wheel: Path, sdist: Path) -> None:
    python("-m", "twine", "check", "--strict", str(wheel), str(sdist))


def test_the_source_distribution_builds_a_wheel_that_is_imported(sdist: Path, tmp_path: Path) -> None:
    arguments = f"{' '.join(BUILD)} --quiet"
    wheels, place = tmp_path / "wheels", tmp_path / "place"
    pip = ("-m", "pip", "--disable-pip-version-check")
    python(
        *(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", str(sdist), "--wheel-dir", str(wheels)),
        MATURIN_PEP517_ARGS=arguments,
    )
    [wheel] = wheels.iterdir()
    python(*pip, "install", "--quiet", "--no-deps", "--no-index", "--target", str(place), str(wheel))
    code = (
        "import lvs_py\n"
        "with lvs_py.Director.embedded() as director:\n"
        "    director.reconcile({'tcp://192.0.2.1:80': ['198.51.100.7:80']})\n"
        "    print(lvs_py.__file__, director.connect('203.0.113.9:40000', '192.0.2.1:80').destination)\n"
    )
    out = python("-c", code, PYTHONPATH=str(place))
    assert out.split() == [str(place / "lvs_py" / "__init__.py"), "198.51.100.7:80"]
