#!/usr/bin/env python3
"""Records what Debian's ipvsadm and the running kernel say to each other, in the form that wire_golden.rs reads.

    cargo xtask lab --kernel 7.3 --out DIRECTORY -- unshare -n python3 lvs-core/tests/data/capture-wire.py /out

The commands, in order, are those of the recordings in wire/6.12, so that every kernel is asked the same.
"""

import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
SETUP = """
ip link set lo up
ip link add sync0 type dummy
ip addr add 10.9.9.1/24 dev sync0
ip link set sync0 up multicast on
ip route add default dev sync0
modprobe ip_vs
"""


def datagrams(trace: str):
    """The datagrams in strace's dumps, with their directions."""
    direction, data = None, bytearray()
    for line in trace.splitlines():
        call = re.match(r"(sendmsg|recvmsg)\(", line)
        dump = re.match(r" \| [0-9a-f]{5,}  (.{49})", line)
        if dump and direction:
            data += bytes.fromhex(dump.group(1).replace(" ", ""))
            continue
        if data:
            yield direction, bytes(data)
            data = bytearray()
        if call:
            # libnl looks at the length of a datagram first.
            peek = "MSG_PEEK" in line
            direction = None if peek else ">" if call.group(1) == "sendmsg" else "<"
    if data:
        yield direction, bytes(data)


def without_lookups(conversation):
    """The conversation without the exchanges with the controller, which ipvsadm repeats for each of its sockets."""
    sequence = None
    for direction, data in conversation:
        if direction == ">" and data[4:6] == b"\x10\x00":
            sequence = data[8:16]
        if data[8:16] != sequence:
            yield direction, data


def record(command: str, lookups: bool) -> str:
    with tempfile.NamedTemporaryFile() as trace:
        strace = ["strace", "-o", trace.name, "-e", "trace=sendmsg,recvmsg", "-e", "read=all", "-e", "write=all"]
        status = subprocess.run(strace + command.split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        text = Path(trace.name).read_text()
    release = platform.release()
    lines = [f"# kernel: {release}, {release.rsplit('-', 1)[-1]}", f"# command: {command}"]
    lines.append(f"# exit status: {status.returncode}")
    conversation = list(datagrams(text))
    # One lookup of the family by each kernel is enough: request, reply, acknowledgement.
    conversation = (conversation[:3] if lookups else []) + list(without_lookups(conversation))
    lines += [f"{direction} {data.hex()}" for direction, data in conversation]
    return "\n".join(lines) + "\n"


def main() -> None:
    out = Path(sys.argv[1])
    subprocess.run(["sh", "-ec", SETUP], check=True)
    for file in sorted((HERE / "wire" / "6.12").glob("*.hex")):
        command = re.search(r"^# command: (.*)$", file.read_text(), re.MULTILINE).group(1)
        if file.name.startswith("22-"):
            # Five connections of 35 bytes, and the time in which the kernel adds them up.
            for _ in range(5):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.sendto(b"1234567", ("192.0.2.200", 53))
            time.sleep(4)
        (out / file.name).write_text(record(command, lookups=file.name.startswith("11-")))


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main()
