#!/bin/sh
# Install the hub from the cargo disk as an installer would: wheels, user, settings, unit.
set -eu
cargo=/run/cargo
mkdir -p "$cargo" && mount -o ro /dev/vdb "$cargo"
/usr/lib/anbu/hub/bin/python -m pip install --quiet --disable-pip-version-check --no-index \
    --find-links "$cargo/wheels" -r "$cargo/wanted.txt"
install -Dm644 "$cargo/systemd/anbu-hub.sysusers" /usr/lib/sysusers.d/anbu-hub.conf
install -Dm644 "$cargo/systemd/anbu-hub.tmpfiles" /usr/lib/tmpfiles.d/anbu-hub.conf
install -Dm644 "$cargo/systemd/anbu-hub.service" /etc/systemd/system/anbu-hub.service
mkdir -p /etc/anbu && cp -r "$cargo/etc/." /etc/anbu/
systemd-sysusers
systemd-tmpfiles --create anbu-hub.conf
# A Pi's model lies in /proc/device-tree; here it lies in a bind mount that ProtectProc would hide.
mkdir -p /etc/systemd/system/anbu-hub.service.d
cat > /etc/systemd/system/anbu-hub.service.d/pi.conf <<'UNIT'
[Service]
BindReadOnlyPaths=/opt/pi/cpuinfo:/proc/cpuinfo
UNIT
systemctl daemon-reload
systemctl enable --quiet anbu-hub.service
umount "$cargo"
sync
