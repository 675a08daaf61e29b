//! `-h` and `-v`.

/// What `-v` prints: scripts look for the version that we take the place of.
pub(crate) const VERSION: &str = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n";

/// What `-h` prints.
// DIFFERENCE: the text is ours; ipvsadm's own is part of its source.
pub(crate) fn help(program: &str) -> String {
    format!(
        "{VERSION}\
A drop-in for it, built on lvs-core.

Usage: {program} COMMAND [OPTION]...

Tables
  -L, -l, --list [SERVICE]         list (without any arguments, too)
  -C, --clear                      remove all services
  -R, --restore                    carry out the commands on standard input, one a line
  -S, --save [-n]                  write the commands that build the table
  -Z, --zero [SERVICE]             zero the counters
  --set TCP TCPFIN UDP             set timeouts in seconds; 0 leaves one as it is
Virtual services
  -A, --add-service SERVICE        add
  -E, --edit-service SERVICE       replace the options of
  -D, --delete-service SERVICE     remove
    -s, --scheduler NAME           wlc unless given
    -b, --sched-flags FLAG,...     flag-1 flag-2 flag-3, sh-fallback sh-port, mh-fallback mh-port
    -p, --persistent [SECONDS]     clients stick to a real server; 360 s unless given
    -M, --netmask MASK             how much of a client's address counts for that
    --pe NAME                      persistence engine
    -o, --ops                      schedule each datagram
Real servers
  -a, --add-server SERVICE -r ADDRESS[:PORT]
  -e, --edit-server SERVICE -r ADDRESS[:PORT]
  -d, --delete-server SERVICE -r ADDRESS[:PORT]
    -g, --gatewaying | -i, --ipip | -m, --masquerading
                                   how packets reach it: direct routing unless given
    -w, --weight N                 1 unless given; 0 takes no new connections
    -x, --u-threshold N, -y, --l-threshold N
                                   full at so many connections, usable again below so many
    --tun-type ipip|gue|gre, --tun-port PORT, --tun-nocsum | --tun-csum | --tun-remcsum
Synchronisation
  --start-daemon master|backup, --stop-daemon master|backup
    --mcast-interface NAME, --syncid N, --sync-maxlen BYTES,
    --mcast-group ADDRESS, --mcast-port PORT, --mcast-ttl N
A SERVICE is one of
  -t, --tcp-service ADDRESS[:PORT]
  -u, --udp-service ADDRESS[:PORT]
  --sctp-service ADDRESS[:PORT]
  -f, --fwmark-service MARK [-6, --ipv6]
Listings
  -c, --connection | --timeout | --daemon
  --stats | --rate | --thresholds | --persistent-conn | --tun-info
  -n, --numeric, -X, --exact, --nosort, --sort (does nothing)
Only here
  --embedded[=FILE]                no kernel: the table of a rules file, or an empty one
  --lossless                       -S writes everything, -R reads all or nothing
  --json                           -L as JSON
  --netns=NAME                     the table of a network namespace
"
    )
}
