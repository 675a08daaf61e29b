"""`snapshot.py write` writes a table of its own as JSON, `snapshot.py read` what it reads as JSON."""

import sys

from lvs_py import Director, Snapshot, rules

RULES = """\
--set 60 30 10
-A -t 192.0.2.1:80 -s wrr -p 300
-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 9 -y 7
-A -u [2001:db8::1]:53 -s sh -b sh-port
-a -u [2001:db8::1]:53 -r [2001:db8::8]:53 -i --tun-type gue --tun-port 6080
--start-daemon master --mcast-interface eth0 --syncid 7
"""


def made() -> Snapshot:
    with Director.embedded() as director:
        assert director.apply(rules.parse(RULES).operations()).complete
        director.connect("203.0.113.9:40000", "192.0.2.1:80")
        director.advance(4)
        return director.snapshot()


snapshot = made() if sys.argv[1:] == ["write"] else Snapshot.from_json(sys.stdin.read())
sys.stdout.write(snapshot.to_json())
