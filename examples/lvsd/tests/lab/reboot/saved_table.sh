# A table comes back after a reboot: from what `lvsctl save` has printed, from what `ipvsadm -S` has, and from the
# cluster's file.
set -euo pipefail
kept=/out/saved_table

# Services are listed by a hash that differs from boot to boot; the servers of each one in the order that round robin takes.
saved() { lvsctl save | sort; }
ipvsadm_saved() { ipvsadm -S -n | sort; }
listed() {
  ipvsadm -L -n -t 192.0.2.1:80
  ipvsadm -L -n -u '[2001:db8::1]:53'
  ipvsadm -L -n -f 7
}

same() { # WHAT FILE: standard input is what the file holds
  diff -u "$kept/$2" - || { echo "$1 is another one than before the reboot"; exit 1; }
}

case $1 in
before)
  mkdir -p $kept
  cat >$kept/web.toml <<'TOML'
[timeouts]
tcp = 901
tcp_fin = 121
udp = 301

[[service]]
address = "tcp://192.0.2.1:80"
scheduler = "wrr"
persistent = 360
netmask = "255.255.255.0"
forwarding = "masquerade"
[[service.server]]
address = "198.51.100.7:8080"
weight = 3
upper_threshold = 100
lower_threshold = 50
[[service.server]]
address = "198.51.100.8:8080"
weight = 0
[[service.server]]
address = "198.51.100.9"
forwarding = "direct"

[[service]]
address = "udp://[2001:db8::1]:53"
scheduler = "rr"
one_packet = true
[[service.server]]
address = "[2001:db8:2::7]"
[[service.server]]
address = "[2001:db8:2::8]"
weight = 65535

[[service]]
address = "fwmark:7"
scheduler = "sh"
flags = ["sh-port", "sh-fallback"]
forwarding = "tunnel"
tunnel = { kind = "gue", port = 6080, checksum = true }
[[service.server]]
address = "198.51.100.7"
[[service.server]]
address = "198.51.100.8"
TOML
  lvsctl --state $kept/state apply $kept/web.toml
  lvsctl save >$kept/lvsctl.rules
  ipvsadm -S -n >$kept/ipvsadm.rules
  saved >$kept/lvsctl.sorted
  ipvsadm_saved >$kept/ipvsadm.sorted
  listed >$kept/listing
  [ "$(grep -c . $kept/lvsctl.rules)" = 11 ] || { cat $kept/lvsctl.rules; exit 1; }
  cp /proc/sys/kernel/random/boot_id $kept/
  sync
  ;;
after)
  cmp -s $kept/boot_id /proc/sys/kernel/random/boot_id && { echo "this is the same kernel still"; exit 1; }
  [ -z "$(ipvsadm -S -n)" ] || { echo "the table is not empty after a reboot"; exit 1; }

  lvsctl restore $kept/lvsctl.rules
  saved | same "the table that lvsctl restored" lvsctl.sorted
  ipvsadm_saved | same "what ipvsadm saves of it" ipvsadm.sorted
  listed | same "the order that lvsctl restored" listing
  [ "$(lvsctl restore <$kept/lvsctl.rules)" = "nothing to do: the table is as it should be" ]

  # What `ipvsadm -S` prints lacks the thresholds.
  sed 's/ -x 100 -y 50//' $kept/lvsctl.sorted >$kept/no_thresholds.sorted
  ipvsadm -C
  ipvsadm -R <$kept/ipvsadm.rules
  saved | same "the table that ipvsadm restored" no_thresholds.sorted

  ipvsadm -C
  lvsctl restore $kept/ipvsadm.rules
  saved | same "the table that lvsctl restored from ipvsadm's rules" no_thresholds.sorted

  ipvsadm -C
  lvsctl --state $kept/state apply $kept/web.toml
  saved | same "the table that lvsctl started" lvsctl.sorted
  listed | same "the order that lvsctl started" listing
  ;;
esac
