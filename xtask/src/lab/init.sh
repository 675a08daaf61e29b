#!/bin/sh
# The first process of the lab's guest. It stays in the initramfs, where the kernel finds its modules, and runs the
# command in a root made of the host's files under a throw-away overlay. It speaks lines of "key=value" to the host:
#   ready=UPTIME   booted; a snapshot may be taken here, everything before it is the same for all runs
#   boot=UPTIME    the root is in place, the command starts
#   end=UPTIME     the command has ended        rc=STATUS   its exit status, said last
# LAB_ENGINE (qemu or uml) and LAB_MODULES come from the kernel's command line.
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
die() { echo "lab: $*" >/dev/console; poweroff -f; }

if [ "$LAB_ENGINE" = uml ]; then
  control=/dev/ttyS0 out_port=/dev/ttyS1 err_port=/dev/ttyS2
  exec 7<>$control 8>$out_port 6>$err_port
  for t in 7 8 6; do stty raw -echo <&$t; done
  mount_host() { mount -r -t hostfs none /lower -o /; }
  mount_out() { mount -t hostfs none /n/out -o "$LAB_OUT"; }
else
  modprobe -a -q virtio_pci virtio_console 9pnet_virtio 9p overlay
  for p in /sys/class/virtio-ports/*; do
    read name <$p/name
    case $name in
      control) control=/dev/${p##*/} ;;
      out) out_port=/dev/${p##*/} ;;
      err) err_port=/dev/${p##*/} ;;
    esac
  done
  plan9() { mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$3" "$1" "$2"; }
  mount_host() { plan9 hostroot /lower cache=loose,ro; }
  mount_out() { plan9 out /n/out cache=none; }
fi
[ -c "$control" ] || die "no control port"
exec 9<>$control
say() { echo "$*" >&9; }

for m in $(echo "$LAB_MODULES" | tr , ' '); do
  modprobe $m || say "warn=this kernel has no module $m"
done
hostname lvs-lab
ip link set lo up
read up rest </proc/uptime
say "ready=$up"

# A snapshot is taken here. From here on everything is this run's own.
read settings_size command_size now <&9
dd bs=$settings_size count=1 iflag=fullblock <&9 2>/dev/null >/run.env
dd bs=$command_size count=1 iflag=fullblock <&9 2>/dev/null >/command.sh
. /run.env
[ "$LAB_ENGINE" = uml ] || date -s @$now >/dev/null
# A snapshot resumes with the random state it was taken with.
echo "$now $LAB_SEED" >/dev/urandom

mkdir -p /lower /overlay /n
mount_host || die "cannot mount the host's files"
mount -t tmpfs -o size=90% overlay /overlay
mkdir /overlay/upper /overlay/work
mount -t overlay -o lowerdir=/lower,upperdir=/overlay/upper,workdir=/overlay/work root /n || die "cannot mount the overlay"
for d in proc sys dev; do
  mkdir -p /n/$d
  mount --rbind /$d /n/$d
done
mkdir -p /n/run /n/host /n/out /n/lib/modules
mount -t tmpfs run /n/run
mkdir /n/run/lock /n/run/netns
mount --bind /lower /n/host
mount --bind /lib/modules /n/lib/modules
if [ "$LAB_OUT" ]; then
  mount_out || die "cannot mount /out"
else
  mount -t tmpfs out /n/out
fi
# Programs to compare with, of the same release whatever the host's; libraries only where the host has none.
for f in "/lower$LAB_PROGRAMS"/sbin/*; do cp "$f" /n/usr/sbin/; done
for f in "/lower$LAB_PROGRAMS"/lib/*.so*; do
  [ -e "/n/usr/lib/x86_64-linux-gnu/${f##*/}" ] || cp -P "$f" /n/usr/lib/x86_64-linux-gnu/
done
cp /command.sh /n/run/lab-command
cd /n && mount --move . / || die "cannot move to the new root"
read up rest </proc/uptime
say "boot=$up"

if [ "$LAB_SHELL" ]; then
  chroot . /usr/bin/setsid -c /bin/bash /run/lab-command </dev/ttyS0 >/dev/ttyS0 2>&1
  rc=$?
  read end rest </proc/uptime
else
  mkfifo /out.pipe /err.pipe
  cat </out.pipe >$out_port & out_cat=$!
  cat </err.pipe >$err_port & err_cat=$!
  chroot . /bin/sh /run/lab-command </dev/null >/out.pipe 2>/err.pipe 9>&-
  rc=$?
  read end rest </proc/uptime
  # What the command left running would keep the pipes open for ever.
  for p in /proc/[0-9]*; do
    p=${p#/proc/}
    case $p in
      1 | $out_cat | $err_cat) ;;
      *) [ -e /proc/$p/exe ] && kill -9 $p 2>/dev/null ;;
    esac
  done
  wait $out_cat $err_cat
fi
umount ./out 2>/dev/null || { sync; umount -l ./out; }
say "end=$end"
say "rc=$rc"
sleep 5
poweroff -f
