#!/bin/sh
# The guest's first program (busybox): loads the modules, makes the host's files the root (read-only, by 9p), gives the
# NICs that the kernel command line names to a driver of DPDK's, and runs the agent.
#
#   steer.bind=uio_pci_generic:0000:00:03.0,0000:00:04.0    steer.pages=128 (hugepages)
mount -t proc p /proc
mount -t sysfs s /sys
mount -t devtmpfs d /dev
word() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

for module in $(cat /modules/order); do insmod "/modules/$module" || echo "init: insmod $module failed"; done
options=trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose
root=/host
mkdir -p $root
mount -t 9p -o $options host $root || { echo "init: the host's files cannot be mounted"; poweroff -f; }
mount -t tmpfs t $root/tmp
mount -t tmpfs t $root/run
mkdir -p $root/run/build $root/run/netns /dev/pts /dev/shm
mount -t 9p -o $options build $root/run/build
mount -t devpts x /dev/pts
mount -t tmpfs t /dev/shm
mount --bind /dev $root/dev
mount -t proc p $root/proc
mount -t sysfs s $root/sys
mount -t bpf b $root/sys/fs/bpf

pages=$(word steer.pages)
[ -z "$pages" ] || echo "$pages" >/proc/sys/vm/nr_hugepages
bind=$(word steer.bind)
driver=${bind%%:*}
for device in $(echo "${bind#*:}" | tr , ' '); do
    echo "$driver" >/sys/bus/pci/devices/$device/driver_override
    echo "$device" >/sys/bus/pci/devices/$device/driver/unbind 2>/dev/null
    echo "$device" >/sys/bus/pci/drivers/$driver/bind || echo "init: $driver does not take $device"
done
ip link set lo up
echo "init: up after $(cut -d' ' -f1 /proc/uptime) s"
cp /agent.sh $root/run/agent.sh
# (Not chroot: AppArmor sees paths as the first root has them.)
exec switch_root $root /bin/bash -c '/bin/bash /run/agent.sh; busybox poweroff -f'
