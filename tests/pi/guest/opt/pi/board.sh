#!/bin/sh
# What a Pi has before any service starts: 54 GPIO lines, a model, and a network to the broker.
set -eu
modprobe gpio-sim-hub
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
hub=/sys/kernel/config/gpio-sim/hub
mkdir -p "$hub/bank0"
echo 54 > "$hub/bank0/num_lines"
echo pinctrl-bcm2711 > "$hub/bank0/label"
echo 1 > "$hub/live"
sh /opt/pi/contacts.sh
# A Pi's serial number may be read by everybody; QEMU gives one only to a machine that is given it.
serial=/sys/class/dmi/id/product_uuid
[ ! -e "$serial" ] || chmod a+r "$serial"
mount --bind /opt/pi/cpuinfo /proc/cpuinfo
# Until udev is done the chip is not the group's and the network card has not got its name.
udevadm settle --timeout=240
# The only other address that answers is 10.0.2.100: the host's broker, forwarded by QEMU.
# Where a card says how the network is reached, NetworkManager does it, as in a home.
! grep -q ds=nocloud /proc/cmdline || exit 0
card=$(ls /sys/class/net | grep ^e) || exit 0  # there is no cable
ip link set "$card" up
ip addr add 10.0.2.15/24 dev "$card"
