#!/bin/sh
# Makes connections of every kind in this network namespace (root, ip_vs, iptables) and copies /proc/net/ip_vs* to $1.
# linux-6.1: Debian 6.1.192; linux-6.12: Debian 6.12.117.
ip link set lo up
for module in ip_vs_ftp ip_vs_pe_sip fou; do modprobe $module; done
for addr in 192.0.2.1 198.51.100.7; do ip addr add $addr/32 dev lo; done
for addr in 2001:db8::1 2001:db8::9; do ip -6 addr add $addr/128 dev lo nodad; done
ipvsadm -A -t 192.0.2.1:80 -s rr
ipvsadm -a -t 192.0.2.1:80 -r 127.0.0.1:8080 -m -w 3
ipvsadm -a -t 192.0.2.1:80 -r 198.51.100.7:8081 -m -x 100 -y 50
ipvsadm -A -t 192.0.2.1:81 -s wrr -p 60 -M 255.255.255.0
ipvsadm -a -t 192.0.2.1:81 -r 198.51.100.7:8081 -m
ipvsadm -A -u 192.0.2.1:53 -s rr
ipvsadm -a -u 192.0.2.1:53 -r 198.51.100.7:5353 -m
ipvsadm -A -u 192.0.2.1:54 -s rr --ops
ipvsadm -a -u 192.0.2.1:54 -r 198.51.100.7:5353 -m
ipvsadm -A -u 192.0.2.1:5060 -s rr -p 100 --pe sip
ipvsadm -a -u 192.0.2.1:5060 -r 198.51.100.7:5060 -m
ipvsadm -A --sctp-service 192.0.2.1:90 -s rr
ipvsadm -a --sctp-service 192.0.2.1:90 -r 198.51.100.7:91 -m
ipvsadm -A -t [2001:db8::1]:80 -s sh -p 100 -M 64 -b sh-port
ipvsadm -a -t [2001:db8::1]:80 -r [2001:db8::9]:80 -m
ipvsadm -a -t [2001:db8::1]:80 -r 198.51.100.7:80 -i --tun-type gue --tun-port 6080 --tun-csum
ipvsadm -A -f 77 -s rr -p 60 -M 255.255.0.0
ipvsadm -a -f 77 -r 198.51.100.7 -m
ipvsadm -A -f 4294967295 -6 -s rr -p 60 -M 96
ipvsadm -a -f 4294967295 -6 -r [2001:db8::9]:0 -m
iptables -t mangle -A OUTPUT -d 198.51.100.7 -p tcp --dport 7777 -j MARK --set-mark 77
ip6tables -t mangle -A OUTPUT -d 2001:db8::1 -p tcp --dport 7777 -j MARK --set-mark 4294967295
python3 - <<'PYTHON'
import socket
keep = []
def send(family, addr, kind=socket.SOCK_STREAM, protocol=0, data=b"x"):
    s = socket.socket(family, kind, protocol)
    s.setblocking(False)
    keep.append(s)
    try:
        s.sendto(data, addr) if kind == socket.SOCK_DGRAM else s.connect(addr)
    except OSError:
        pass
invite = b"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nCall-ID: aGVsbG8@192.0.2.1\r\n\r\n"
for _ in range(3):
    for port in 80, 81:
        send(socket.AF_INET, ("192.0.2.1", port))
    for port in 53, 54:
        send(socket.AF_INET, ("192.0.2.1", port), socket.SOCK_DGRAM)
    send(socket.AF_INET, ("192.0.2.1", 5060), socket.SOCK_DGRAM, 0, invite)
    send(socket.AF_INET, ("192.0.2.1", 90), socket.SOCK_STREAM, socket.IPPROTO_SCTP)
    send(socket.AF_INET6, ("2001:db8::1", 80))
    send(socket.AF_INET, ("198.51.100.7", 7777))
    send(socket.AF_INET6, ("2001:db8::1", 7777))
PYTHON
sleep 3
for file in ip_vs ip_vs_conn ip_vs_conn_sync ip_vs_stats ip_vs_stats_percpu ip_vs_app; do
    cat /proc/net/$file > "$1/$file"
done
