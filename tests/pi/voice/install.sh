#!/bin/sh
# Install the voice as an installer would, but for what its disk brings ready: the environment that
# pip filled from requirements/voice.txt, and the models. Device: the disk; the hub's is /dev/vdb.
set -eu
disk=/opt/pi/voice cargo=/run/cargo
mkdir -p "$disk" "$cargo" /usr/lib/anbu/voice /var/lib/anbu-models
mount "$1" "$disk" && mount -o ro /dev/vdb "$cargo"
dpkg --force-unsafe-io -i "$disk"/debs/*.deb
mount --bind "$disk/environment" /usr/lib/anbu/voice
mount --bind "$disk/models" /var/lib/anbu-models
/usr/lib/anbu/voice/bin/python -m pip install --quiet --disable-pip-version-check --no-index \
    --no-deps --force-reinstall "$cargo"/wheels/anbu_hub-*.whl
/usr/lib/anbu/hub/bin/python -m pip install --quiet --disable-pip-version-check --no-index \
    --no-deps "$disk"/doctor/*.whl
install -Dm644 "$cargo/systemd/anbu-voice.service" /etc/systemd/system/anbu-voice.service
systemctl daemon-reload
systemctl enable --quiet anbu-voice.service
umount "$cargo"
