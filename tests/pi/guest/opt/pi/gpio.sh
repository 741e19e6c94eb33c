# Make one simulated chip with a Pi's 54 lines; the help and cancel contacts rest on pull-up.
set -eu
modprobe gpio-sim-hub
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
hub=/sys/kernel/config/gpio-sim/hub
mkdir -p "$hub/bank0"
echo 54 > "$hub/bank0/num_lines"
echo pinctrl-bcm2711 > "$hub/bank0/label"
echo 1 > "$hub/live"
for line in 17 27; do
    echo pull-up > "/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio$line/pull"
done
mount --bind /opt/pi/cpuinfo /proc/cpuinfo
udevadm settle --timeout=20
