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
for line in 17 27; do  # the help and cancel contacts rest open, on their pull-ups
    echo pull-up > "/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio$line/pull"
done
mount --bind /opt/pi/cpuinfo /proc/cpuinfo
# Until udev is done the chip is not the group's and the network card has not got its name.
udevadm settle --timeout=240
# The only other address that answers is 10.0.2.100: the host's broker, forwarded by QEMU.
card=$(basename "$(ls -d /sys/class/net/e*)")
ip link set "$card" up
ip addr add 10.0.2.15/24 dev "$card"
