"""The Ansible collection, by ansible-playbook: check mode, diff, idempotence, scopes, refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lvs_py
from lvs_py import Director, rules

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(__file__).with_name("playbook.yml")


def play(home: Path, where: dict[str, str]) -> None:
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "examples" / "ansible"),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_LOCAL_TEMP": str(home / "local"),
        "ANSIBLE_REMOTE_TEMP": str(home / "remote"),
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "LC_ALL": "C.UTF-8",
    }
    variables = {"where": where, "ansible_python_interpreter": sys.executable, "ansible_connection": "local"}
    playbook = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [sys.executable, playbook, "-i", "localhost,", "-D", "-e", json.dumps(variables), PLAYBOOK],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+-A -t 192.0.2.1:80 -s wlc -p 300" in done.stdout


def test_a_playbook_keeps_a_file_of_rules(tmp_path: Path) -> None:
    file = tmp_path / "lvs.rules"
    play(tmp_path, {"file": str(file)})
    assert [str(service.key) for service in rules.load(file).to_table()] == ["tcp://192.0.2.65:25"]


@pytest.mark.kernel
@pytest.mark.slow
def test_a_playbook_keeps_the_table_of_the_kernel(director: Director, tmp_path: Path) -> None:
    if isinstance(director, lvs_py.EmbeddedDirector):
        return  # it is in this process alone
    director.add_service("fwmark:7")
    play(tmp_path, {})
    assert sorted(str(key) for key in director.services) == ["fwmark:7", "tcp://192.0.2.65:25"]
