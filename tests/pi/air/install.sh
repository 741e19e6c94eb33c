#!/bin/sh
# Install the radio as an installer would, but for its environment, which its disk brings ready.
# Device: that disk; the hub's is /dev/vdb.
set -eu
disk=/opt/pi/radio-disk cargo=/run/cargo
mkdir -p "$disk" "$cargo" /usr/lib/anbu/radio
mount "$1" "$disk" && mount -o ro /dev/vdb "$cargo"
mount --bind "$disk/environment" /usr/lib/anbu/radio
/usr/lib/anbu/radio/bin/python -m pip install --quiet --disable-pip-version-check --no-index \
    --no-deps --no-compile --force-reinstall "$cargo"/wheels/anbu_hub-*.whl "$cargo"/wheels/msgspec-*.whl
install -Dm644 "$cargo/systemd/bluetooth-main.conf" /usr/lib/anbu/bluetooth-main.conf
install -Dm644 "$cargo/systemd/bluetooth.service.d/anbu.conf" \
    /etc/systemd/system/bluetooth.service.d/anbu.conf
install -Dm644 "$cargo/systemd/anbu-radio.service" /etc/systemd/system/anbu-radio.service
systemctl daemon-reload
systemctl restart bluetooth.service
systemctl enable --quiet anbu-radio.service
umount "$cargo"
