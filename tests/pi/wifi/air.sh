#!/bin/bash
# The air around a virtual Pi: of three simulated radios one is the Pi's own (wlan0); an access point
# and a phone have the others, each in a network namespace of its own.
#
#   air.sh set_up                     after each start
#   air.sh point NAME KIND [SECRET]   the access point; KIND: psk sae eap open
#   air.sh phone NAME SECRET          the phone joins; its address is then in /run/phone.lease
set -eu
here=$(dirname "$0")

inside() { ip netns exec "$@"; }

ended() {  # a supplicant, by its pid file
    [ ! -e "$1" ] || { kill "$(cat "$1")" && while [ -e "$1" ]; do sleep 0.1; done; }
}

supplicant() {  # NAMESPACE INTERFACE
    inside "$1" wpa_supplicant -B -P "/run/$1.pid" -i "$2" -D nl80211 -c "/run/$1.conf" -f "/run/$1.log"
}

case $1 in
set_up)
    for n in $(seq 100); do [ -e /sys/class/net/wlan2 ] && break; sleep 0.1; done
    for pair in point:1 phone:2; do
        ip netns add "${pair%:*}"
        iw phy "phy${pair#*:}" set netns name "${pair%:*}"
        ip -n "${pair%:*}" link set lo up
    done
    ;;
point)
    ended /run/point.pid
    printf '%s\n' interface=wlan1 driver=nl80211 "ssid=$2" hw_mode=g channel=6 >/run/point.conf
    case $3 in
    psk) printf '%s\n' wpa_key_mgmt=WPA-PSK "wpa_passphrase=$4" ;;
    sae) printf '%s\n' wpa_key_mgmt=SAE "sae_password=$4" ieee80211w=2 ;;
    eap) printf '%s\n' wpa_key_mgmt=WPA-EAP ieee8021x=1 eap_server=1 ;;
    esac >>/run/point.conf
    [ "$3" = open ] || printf '%s\n' wpa=2 rsn_pairwise=CCMP >>/run/point.conf
    inside point hostapd -B -P /run/point.pid -f /run/point.log /run/point.conf
    ip -n point addr replace 192.168.77.1/24 dev wlan1
    if [ ! -e /run/dhcp.pid ]; then
        inside point dnsmasq -C /dev/null -i wlan1 --bind-interfaces --no-resolv --no-hosts \
            --dhcp-range=192.168.77.10,192.168.77.50,1h --pid-file=/run/dhcp.pid \
            --dhcp-leasefile=/run/dhcp.leases
    fi
    ;;
phone)  # a busy host loses the frames of a try: mac80211 waits 200 ms for each
    rm -f /run/phone.lease
    printf 'network={\nssid="%s"\npsk="%s"\nscan_freq=%s\n}\n' "$2" "$3" \
        "$(seq -s ' ' 2412 5 2462)" >/run/phone.conf  # the hotspot has 2.4 GHz
    for try in $(seq 9); do
        ended /run/phone.pid
        supplicant phone wlan2
        end=$((SECONDS + 25))
        while [ $SECONDS -lt $end ]; do
            inside phone iw dev wlan2 link | grep -q ^Connected && break 2
            sleep 0.1
        done
    done
    inside phone busybox udhcpc -i wlan2 -q -n -t 20 -s "$here/lease.sh"
    ;;
esac
