#!/bin/sh
# The contacts at rest, as they are wired.
set -eu
. /opt/pi/wiring
pull() { echo "pull-$2" > "/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio$1/pull"; }
for line in $OPEN; do pull "$line" up; done
for line in $CLOSED; do pull "$line" down; done
