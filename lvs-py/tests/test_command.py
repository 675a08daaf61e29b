"""`python -m lvs_py`, listings, Arrow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars
import pytest

import lvs_py
from lvs_py import listing
from lvs_py.__main__ import main

WEB = "tcp://192.0.2.1:80"
RULES = """\
-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r 198.51.100.7:80 -g -w 3
-a -t 192.0.2.1:80 -r 198.51.100.8:80 -g -w 1
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "shop.rules"
    path.write_text(RULES)
    return str(path)


def test_list_prints_what_ipvsadm_prints(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rules", file, "list"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[3] == "TCP  192.0.2.1:80 wrr" and "198.51.100.7:80" in out
    assert main(["--rules", file, "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["services"]
    assert main(["--rules", file, "list", "-c"]) == 0
    assert capsys.readouterr().out.startswith("IPVS connection entries")


def test_where_to_work_is_said_before_the_command_or_after(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rules", file, "list"]) == 0
    before = capsys.readouterr().out
    assert main(["list", "--rules", file]) == 0
    assert capsys.readouterr().out == before
    assert main(["--rules", file, "list", "--namespace", "blue"]) == 1
    assert main(["top", "--rules", file, "--count", "1"]) == 0


def test_save_and_restore(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = str(tmp_path / "saved")
    assert main(["--rules", file, "save", saved]) == 0
    assert main(["--rules", file, "save"]) == 0
    assert capsys.readouterr().out == Path(saved).read_text()
    assert main(["diff", saved, saved]) == 0
    Path(saved).write_text(RULES.replace("-w 3", "-w 5"))
    assert main(["diff", file, saved]) == 1
    assert capsys.readouterr().out == "~ tcp://192.0.2.1:80 -> 198.51.100.7:80 weight 3 -> 5\n"
    assert main(["--rules", file, "restore", "--dry-run", saved]) == 0
    assert main(["--rules", file, "restore", saved]) == 0


def test_mistakes_end_with_a_status_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.rules"
    bad.write_text("-A -t 192.0.2.1:80 -s\n")
    assert main(["check", str(bad)]) == 1
    assert "line 1, column 22" in capsys.readouterr().out
    assert main(["--rules", str(bad), "list"]) == 2
    assert "bad.rules" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "nosuch")]) == 1
    assert capsys.readouterr().err.startswith("lvs-py: ")


def test_watch_and_drain(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rules", file, "watch", "--count", "2", "--interval", "0"]) == 0
    assert capsys.readouterr().out.count("1 services, 0 active connections") == 2
    assert main(["--rules", file, "drain", WEB, "198.51.100.7:80"]) == 0


def test_a_reader_that_has_seen_enough_is_no_mistake(file: str) -> None:
    command = [sys.executable, "-m", "lvs_py", "simulate", file, "--csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_the_module_runs() -> None:
    done = subprocess.run([sys.executable, "-m", "lvs_py", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"lvs-py {lvs_py.__version__}"


def test_listings_of_everything(lvs_director: lvs_py.EmbeddedDirector) -> None:
    lvs_director.reconcile(lvs_py.rules.parse(RULES).to_table())
    lvs_director.connect("203.0.113.9:40000", "192.0.2.1:80")
    snapshot = lvs_director.snapshot()
    for mode in ("default", "stats", "rate", "thresholds", "persistent", "tunnel"):
        assert "192.0.2.1:80" in listing.table(snapshot, mode)
    lvs_director.add_service("fwmark:4294967295")
    # ipvsadm prints marks with a sign.
    assert "FWM  -1 wlc" in listing.table(lvs_director.snapshot())
    assert "FWM  4294967295 wlc" in listing.table(lvs_director.snapshot(), style="fixed")
    assert "ESTABLISHED" in listing.connections(lvs_director.connections())
    assert json.loads(listing.json_lines(lvs_director.connections()))
    assert "900" in listing.timeouts(snapshot.timeouts) and listing.daemons(()) == ""
    with pytest.raises(lvs_py.InvalidInputError):
        listing.table(snapshot, "nosuch")  # type: ignore[arg-type]


def test_arrow_capsules_are_made_and_freed(lvs_director: lvs_py.EmbeddedDirector) -> None:
    lvs_director.reconcile(lvs_py.rules.parse(RULES).to_table())
    columns = lvs_director.snapshot().destination_columns()
    for _ in range(1000):
        assert type(columns.__arrow_c_stream__()).__name__ == "PyCapsule"
        assert type(columns.__arrow_c_schema__()).__name__ == "PyCapsule"


def test_arrow_is_read_by_polars(lvs_director: lvs_py.EmbeddedDirector) -> None:
    lvs_director.reconcile(lvs_py.rules.parse(RULES).to_table())
    columns = lvs_director.snapshot().destination_columns()
    frame = polars.DataFrame(columns)
    del columns
    assert frame["weight"].to_list() == [1, 3]
    assert frame["address"].to_list() == ["198.51.100.8", "198.51.100.7"]
