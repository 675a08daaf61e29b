"""The example programs run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=EXAMPLES, capture_output=True, text=True, check=False)


def test_the_controllers_own_tests_pass() -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_rolling.py")
    assert done.returncode == 0 and "3 passed" in done.stdout, done


def test_metrics_are_printed() -> None:
    done = run("metrics.py", "--demo")
    line = 'lvs_weight{destination="198.51.100.7:80",service="tcp://192.0.2.1:80"} 1.0'
    assert done.returncode == 0 and line in done.stdout.splitlines(), done
