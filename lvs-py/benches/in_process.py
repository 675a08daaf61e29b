"""Times what needs no kernel: the import, a call, a million connections filtered and summed.

python in_process.py [CONNECTIONS]
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter

import lvs_py


def best(function: object, times: int = 5) -> float:
    """The shortest of some runs, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        function()  # type: ignore[operator]
        taken.append(time.perf_counter() - start)
    return min(taken)


def table(rows: int) -> bytes:
    """A connection table as the kernel writes it."""
    head = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
    states = (b"ESTABLISHED", b"FIN_WAIT   ", b"TIME_WAIT  ", b"SYN_RECV   ")
    lines = [
        b"TCP %08X %04X C0000201 0050 C63364%02X 0050 %b %7d\n"
        % (0x0A000000 | i >> 4, 1024 + i % 60000, i % 8, states[i % 4], i % 900)
        for i in range(rows)
    ]
    return head + b"".join(lines)


def plain(text: bytes) -> Counter[bytes]:
    """The same sum in plain Python."""
    counts: Counter[bytes] = Counter()
    for line in text.split(b"\n")[1:]:
        words = line.split()
        if words and words[7] == b"ESTABLISHED" and words[3] == b"C0000201":
            counts[words[5]] += 1
    return counts


def main() -> None:
    run = [sys.executable, "-S", "-c"]
    path = f"import sys; sys.path[:0] = {sys.path!r}; "
    bare = best(lambda: subprocess.run([*run, path], check=True), 9)
    ours = best(lambda: subprocess.run([*run, path + "import lvs_py"], check=True), 9)
    print(f"import lvs_py: {(ours - bare) * 1e3:.1f} ms over an interpreter's start of {bare * 1e3:.1f} ms")

    with lvs_py.Director.embedded() as director:
        key = lvs_py.ServiceKey("tcp://192.0.2.1:80")
        director.add_service(key)

        def calls() -> None:
            for _ in range(10_000):
                director.timeouts()

        def reads() -> None:
            for _ in range(10_000):
                director.services[key]

        print(f"a call (timeouts): {best(calls) * 1e2:.2f} us; a service by its key: {best(reads) * 1e2:.2f} us")

    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    text = table(rows)
    counts = plain(text)
    sums = lvs_py.sum_connections(text, service="tcp://192.0.2.1:80", state="ESTABLISHED")
    assert sorted(counts.values()) == sorted(s.connections for s in sums.destinations.values())
    condition = {"service": "tcp://192.0.2.1:80", "state": "ESTABLISHED"}
    print(f"{rows} connections filtered and summed: {best(lambda: lvs_py.sum_connections(text, **condition), 3):.3f} s")
    print(f"the same, plain Python: {best(lambda: plain(text), 1):.3f} s")
    print(f"all read as objects to come: {best(lambda: lvs_py.read_connections(text), 3):.3f} s")
    found = lvs_py.read_connections(text)
    print(f"columns of them: {best(found.columns, 3):.3f} s")


if __name__ == "__main__":
    main()
