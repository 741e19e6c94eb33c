#!/bin/bash
# What the package brings for the network, from the cargo disk: code and libraries, the unit, and the
# files for polkit, NetworkManager and dnsmasq. The hub itself is `stand_in.py`.
set -eu
mkdir -p /run/cargo && mount -o ro /dev/vdb /run/cargo
cd /run/cargo
mkdir -p /usr/lib/anbu /opt/wifi /etc/anbu
cp -r code site /usr/lib/anbu/
cp wifi/* /opt/wifi/
dpkg --force-confold -i hostapd/*.deb
cp -r package/etc/NetworkManager /etc/
cp -r package/usr/share package/usr/lib /usr/
cp systemd/anbu-hub.sysusers /usr/lib/sysusers.d/anbu-hub.conf
cp systemd/anbu-provision.service /etc/systemd/system/
mkdir -p /etc/systemd/system/anbu-provision.service.d
cat >/etc/systemd/system/anbu-provision.service.d/wifi.conf <<'UNIT'
[Service]
ExecStart=
ExecStart=/usr/bin/python3 -m hub provision run
Environment=PYTHONPATH=/usr/lib/anbu/code:/usr/lib/anbu/site PYTHONDONTWRITEBYTECODE=1
UNIT
cat >/etc/systemd/system/anbu-stand-in.service <<'UNIT'
[Service]
ExecStart=/usr/bin/python3 /opt/wifi/stand_in.py
Environment=PYTHONPATH=/usr/lib/anbu/code:/usr/lib/anbu/site PYTHONDONTWRITEBYTECODE=1
User=anbu
RuntimeDirectory=anbu
UNIT
echo mac80211_hwsim >/etc/modules-load.d/wifi.conf
echo 'options mac80211_hwsim radios=3' >/etc/modprobe.d/wifi.conf
cd / && umount /run/cargo
systemd-sysusers
systemctl daemon-reload
modprobe mac80211_hwsim
systemctl restart polkit.service NetworkManager.service
sync
