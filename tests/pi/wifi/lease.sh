#!/bin/sh
# What udhcpc of the phone calls: it takes the address and writes down what it was told.
[ "$1" = bound ] || exit 0
ip addr replace "$ip/24" dev "$interface"
ip route replace default via "$router"
mkdir -p /etc/netns/phone && echo "nameserver $dns" >/etc/netns/phone/resolv.conf
echo "$ip $router $dns" >/run/phone.lease
