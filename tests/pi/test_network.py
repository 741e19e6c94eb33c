"""The network without a screen, under a real NetworkManager; the tests follow one another.

The cores are emulated: facts and their order are judged; seconds are printed.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pi.figures import say
from tests.pi.guestlink import wait_until
from tests.pi.network_home import FORM, PATIENCE_S, UNIT, NetworkHome

pytestmark = pytest.mark.pi

HOME, PASSWORD, WRONG = "homenet", "correct horse", "wrong horse"
CODED = HOME.encode().hex()
PROBES = (  # what phones ask for, to find out whether they have to sign in
    "connectivitycheck.gstatic.com/generate_204",
    "captive.apple.com/hotspot-detect.html",
    "www.msftconnecttest.com/connecttest.txt",
)


@pytest.fixture(scope="module")
def home(lab: Path) -> Iterator[NetworkHome]:
    folder = lab / "network"
    folder.mkdir(exist_ok=True)
    with NetworkHome(folder) as home:
        home.start()
        home.point(HOME, "psk", PASSWORD)
        yield home


def test_a_new_hub_opens_its_hotspot_and_a_phone_finds_the_form(home: NetworkHome) -> None:
    began = time.monotonic()
    found = home.open_form()
    say(f"hotspot and phone {time.monotonic() - began:.0f} s after the start of the process")
    assert re.fullmatch(r"Anbu-\d{4}", found["name"])
    assert re.fullmatch(r"\d{10}", found["password"])
    assert home.pi.must("cat /run/phone.lease").split()[1:] == ["10.42.0.1"] * 2
    for probe in PROBES:
        host, _, path = probe.partition("/")
        assert "10.42.0.1" in home.pi.run(f"ip netns exec phone busybox nslookup {host}").out
        words = f"curl -s -o /dev/null -w '%{{http_code}} %{{redirect_url}}' -H 'Host: {host}'"
        assert home.phone(f"{words} {FORM}/{path}") == f"302 {FORM}/"
    report = home.pi.must(f"systemd-analyze security --no-pager {UNIT}")
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", report)
    assert exposure
    assert float(exposure[1]) < 2.0


def test_only_the_form_and_dnsmasq_listen_on_the_hotspot(home: NetworkHome) -> None:
    shown = home.pi.must("ss -Htuln").splitlines()
    ours = {(line.split()[0], line.split()[4]) for line in shown if "10.42.0.1" in line}
    assert ours == {("tcp", "10.42.0.1:80"), ("tcp", "10.42.0.1:53"), ("udp", "10.42.0.1:53")}


def test_wifi_is_heard_while_the_hotspot_is_open(home: NetworkHome) -> None:
    home.list_with(HOME)
    home.point("another", "psk", PASSWORD)
    home.list_with("another")
    home.point(HOME, "psk", PASSWORD)
    home.list_with(HOME)


def test_a_wrong_password_is_told_and_leaves_nothing_that_spoils_the_right_one(
    home: NetworkHome,
) -> None:
    password = home.network()["password"]
    began = time.monotonic()
    assert f"“{HOME}”에 연결하는 중" in home.send("join", network=CODED, password=WRONG)
    home.wait_for(trouble="wrong_password")
    say(f"wrong password told {time.monotonic() - began:.0f} s after it was sent")
    assert home.open_form()["password"] == password, "the phone would not come back by itself"
    assert home.profiles() == ["anbu-hotspot"]
    assert "비밀번호가 맞지 않습니다" in home.phone(f"curl -s {FORM}/")
    home.list_with(HOME)
    home.send("join", network=CODED, password=PASSWORD)
    found = home.wait_for(way="wifi", name=HOME)
    assert found["signal_dbm"] < 0
    assert home.profiles() == ["anbu-wifi"]


def test_only_root_reads_the_password_of_the_wifi(home: NetworkHome) -> None:
    folder = "/etc/NetworkManager/system-connections"
    assert home.pi.must(f"stat -c '%a %U' {folder}/anbu-wifi.nmconnection") == "600 root\n"
    assert home.pi.run(f"runuser -u anbu -- cat {folder}/anbu-wifi.nmconnection").code


def test_after_a_power_cut_the_wifi_is_joined_again_and_no_hotspot_opens(
    home: NetworkHome,
) -> None:
    home.pi.cut_power()
    home.pi.boot()
    home.start()
    home.point(HOME, "psk", PASSWORD)
    home.wait_for(way="wifi", name=HOME)
    assert not [fact for fact in home.facts() if fact["way"] == "hotspot"]


def test_a_call_takes_the_wifi_back_from_the_buttons_hotspot(home: NetworkHome) -> None:
    home.order(900)
    home.open_form()
    began = time.monotonic()
    home.order(0)
    home.wait_for(way="wifi", name=HOME)
    say(f"the Wi-Fi is back {time.monotonic() - began:.0f} s after the call")
    assert home.profiles() == ["anbu-wifi"]


def test_wpa3_is_taken_and_a_companys_wifi_is_refused_with_a_sentence(home: NetworkHome) -> None:
    home.point("office", "eap")
    home.order(900)
    home.open_form()
    page = home.list_with("office")
    assert "쓸 수 없음" in page
    assert "802.1X" in home.send("join", network=b"office".hex(), password=PASSWORD)
    assert home.network()["way"] == "hotspot", "nothing was tried"
    home.point("new", "sae", PASSWORD)
    assert "WPA3" in home.list_with("new")
    home.send("join", network=b"new".hex(), password=PASSWORD)
    home.wait_for(way="wifi", name="new")
    wait_until(lambda: home.profiles() == ["anbu-wifi"], PATIENCE_S, "the older one goes")
