"""What leaves a home in free text: no key, number or address of a person, in whatever form."""

import pytest

from provisioning.support import redact

REVEALING = {  # text of a log -> what must not be left of it
    'psk="my home wifi pass"': ("my", "home", "wifi pass"),
    '"psk": "secret12"': ("secret12",),
    '{"password":"geheim77"}': ("geheim77",),
    '{"wifi_password":"geheim77","n":1}': ("geheim77",),
    r"{\"psk\": \"two words\"}": ("two", "words"),
    "비밀번호: 우리집 1234": ("우리집", "1234"),
    "ssid: Kim Family": ("Kim", "Family"),
    'ssid="김영희 집"': ("김영희", "집"),
    "SSID '김영희 집'": ("김영희", "집"),
    "wlan0: connect to SSID KimHome": ("KimHome",),
    "password is abc": ("abc",),
    "token=abc": ("abc",),
    "Bearer abcdefghijklmnop": ("abcdefghijklmnop",),
    "eyJhbGciOi.abc.def": ("eyJhbGciOi", "abc", "def"),
    "call 010.1234.5678": ("010", "1234", "5678"),
    "call 010-1234-5678.": ("010", "1234", "5678"),
    "tel.010-1234-5678": ("010", "1234", "5678"),
    "tel 1544-1234": ("1544", "1234"),
    "tel:+821012345678": ("8210", "1234"),
    "+82 10 1234 5678": ("1234", "5678"),
    "+82-(0)10-1234-5678": ("1234", "5678"),
    "02)123-4567": ("123", "4567"),
    "(033) 560-1234": ("560", "1234"),
    "010 1234 5678": ("1234", "5678"),
    "010-1234-5678번": ("1234", "5678"),
    "T010-12345678": ("12345678",),
    "tel010-1234-5678": ("1234", "5678"),
    "digits 1234 5678": ("1234", "5678"),
    "12345678": ("12345678",),
    "C0:FF:EE:12:34:56": ("12:34:56",),
    "C0-FF-EE-12-34-56": ("12-34-56",),
    "dev_C0_FF_EE_12_34_56": ("12_34_56",),
    "C0FFEE123456": ("123456",),
    "fe80::c2ff:eeff:fe12:3456": ("fe12", "3456"),
    "2001:db8:1:2:c2ff:eeff:fe12:3456%wlan0": ("fe12", "3456"),
    "900101-1234567": ("900101", "1234567"),
    "9001011234567": ("900101", "1234567"),
    "900101 1234567": ("900101", "1234567"),
    "home.kim@naver.com": ("kim", "naver"),
}


@pytest.mark.parametrize("said", REVEALING)
def test_nothing_is_left_of_what_names_a_person_or_opens_a_home(said: str) -> None:
    shown = redact.text(f"06:00 wlan0 {said}")
    assert not [part for part in REVEALING[said] if part in shown], shown
    assert shown.startswith("06:00 wlan0 ")


@pytest.mark.parametrize(
    "said",
    [
        "press 12 took 0.012 s at 10.0.2.100:8883",
        "2026-11-30T05:00:00+0900 pi anbu[1234]: started in 1234.5678 s",
        "fe80::1 answers, 2001:db8::10 does not",
        "kernel 6.1.0-rpi7-rpi-v8, BlueZ 5.66, 0x12345678",
        "the password of the Wi-Fi was refused",
        "MQTT 5 at tls://broker.example:8883, code 0x87",
    ],
)
def test_what_helps_stays(said: str) -> None:
    assert redact.text(said) == said


def test_a_name_beside_a_sentence_is_withheld_and_the_sentence_stays() -> None:
    values = {"name": "kim-bed", "fault": "silent", "ko": "소식이 없습니다.", "en": "not heard"}
    assert redact.finding("hub_device", "fault", values) == values | {"name": redact.WITHHELD}
