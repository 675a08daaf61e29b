#!/bin/bash
# Upstream's ipvsadm, once with its own libipvs as Debian has it, once linked with examples/c/libipvs: what the one does, the
# other sees, and both list and save the same.
set -eu
theirs=/usr/sbin/ipvsadm
ours=$1
work=$(mktemp -d)
compared=0

fail() {
  echo "$*" >&2
  exit 1
}

# Both say the same to a command that changes nothing.
both() {
  "$theirs" "$@" > "$work/theirs" 2> "$work/theirs.err" && status=0 || status=$?
  "$ours" "$@" > "$work/ours" 2> "$work/ours.err" && own=0 || own=$?
  [ "$status" = "$own" ] || fail "$*: $status, ours $own: $(cat "$work/ours.err")"
  diff "$work/theirs" "$work/ours" || fail "$*: another output"
  compared=$((compared + $(wc -l < "$work/ours")))
}

everything() {
  for format in "" --stats --rate --thresholds --persistent-conn --tun-info "--stats --exact" "--rate --exact" --sort; do
    both -L -n $format
  done
  both -S -n
  both -L -n --timeout
  both -L -n --daemon
  both -L -n -t 192.0.2.1:80
  both -L -n -u '[2001:db8::1]:53'
  both -L -n -f 7
  both -L -n -f 7 -6
  both -L -n -t 192.0.2.99:80
}

changed() {
  both -L -n
  both -L -n --stats --exact
  both -S -n
}

ip link add lvs0 type dummy
ip address add 192.0.2.254/24 dev lvs0
ip link set lvs0 up
cat > "$work/rules" <<'END'
-A -t 192.0.2.200:80 -s rr
-A -t 192.0.2.1:8080 -s wlc -p 300 -M 255.255.255.0
-A -t 192.0.2.1:80 -s wrr
-A -u [2001:db8::1]:53 -s sh -b sh-port,sh-fallback -o
-A --sctp-service 192.0.2.1:9899 -s mh -b mh-port
-A -t [2001:db8::1]:5060 -s rr -p 60 -M 64
-A -u 192.0.2.1:5060 -s wlc -p 360 --pe sip
-A -f 7 -s lc
-A -f 7 -6 -s lc -p 10
-a -t 192.0.2.1:80 -r 198.51.100.200:8080 -m -w 3
-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 0 -x 100 -y 50
-a -t 192.0.2.1:80 -r 198.51.100.8 -g -w 65535
-a -t 192.0.2.200:80 -r 198.51.100.1 -i --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.0.2.200:80 -r 198.51.100.2 -i --tun-type gre --tun-csum
-a -u [2001:db8::1]:53 -r [2001:db8::53]:53 -g -w 1
-a -f 7 -r 198.51.100.1:0 -g -w 1
-a -f 7 -6 -r [2001:db8::7]:0 -i -w 5
END

# One builds, both look: first ours, then theirs, from the same rules.
"$theirs" -C
both -L -n
for one in "$ours" "$theirs"; do
  "$ours" -C
  "$one" -R < "$work/rules"
  "$one" --set 900 120 300
  "$one" --start-daemon master --mcast-interface lvs0 --syncid 3
  "$one" --start-daemon backup --mcast-interface lvs0 --syncid 4 --sync-maxlen 1000 --mcast-port 9000 --mcast-ttl 2 \
    --mcast-group 224.0.1.9
  # The other one has made the same, which is compared below.
  if [ "$one" = "$ours" ]; then everything; else changed; fi
  "$theirs" -S -n > "$work/saved-${one##*/}"
  "$one" -E -t 192.0.2.1:80 -s lc -p 120
  "$one" -e -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 7 -x 0
  "$one" -d -t 192.0.2.1:80 -r 198.51.100.8
  "$one" -D -u '[2001:db8::1]:53'
  "$one" -Z
  "$one" -Z -f 7
  "$one" --stop-daemon backup
  changed
  "$theirs" -S -n > "$work/edited-${one##*/}"
  "$one" --stop-daemon master
  # A server of the other family; the kernel allows none while a daemon runs.
  "$one" -a -t 192.0.2.200:80 -r '[2001:db8::7]:80' -i
  changed
  # Refusals: nothing changes, the status is the same, and the error is printed.
  for refused in "-A -t 192.0.2.1:80" "-D -t 192.0.2.99:80" "-a -t 192.0.2.99:80 -r 198.51.100.1" \
    "-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m" "-d -t 192.0.2.1:80 -r 198.51.100.99" "-E -t 192.0.2.1:80 -s nosuch" \
    "--stop-daemon master" "-Z -t 192.0.2.99:80"; do
    both $refused
    [ -s "$work/theirs.err" ] && [ -s "$work/ours.err" ] || fail "$refused: no error is printed"
  done
done
cmp "$work/saved-${ours##*/}" "$work/saved-${theirs##*/}"
cmp "$work/edited-${ours##*/}" "$work/edited-${theirs##*/}"
"$ours" -C
both -S -n
[ "$compared" -ge 400 ] || fail "only $compared lines were compared"
echo "$compared lines, each alike"
rm -r "$work"
