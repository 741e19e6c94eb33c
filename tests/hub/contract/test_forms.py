"""Texts of settings and records: kept in one form, or refused with what is wrong."""

# ruff: noqa: RUF001 - full-width signs are what is tried here

import unicodedata

import pytest
from msgspec import Meta

from hub.contract.addresses import Flaw, FlawError
from hub.contract.forms import Form, checked, form_of, of, phone


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("(033) 560-1234", "033-560-1234"),
        ("033)560-1234", "033-560-1234"),
        ("010 1234 5678", "010-1234-5678"),
        ("010.1234.5678", "010-1234-5678"),
        ("01012345678", "01012345678"),
        ("０１０－１２３４－５６７８", "010-1234-5678"),
        ("010ㅡ1234–5678", "010-1234-5678"),
        ("+82 (0)10-1234-5678", "+82-10-1234-5678"),
        ("+82-10-1234-5678", "+82-10-1234-5678"),
        ("1588-1234", "1588-1234"),
        ("560-1234", "560-1234"),
        ("119", "119"),
        (" ", ""),
        ("", ""),
    ],
)
def test_a_phone_number_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert phone(typed) == kept
    assert phone(kept) == kept


@pytest.mark.parametrize(
    ("typed", "flaw"),
    [
        ("1012345678", Flaw.PHONE_ZERO),
        ("335601234", Flaw.PHONE_ZERO),
        ("82-10-1234-5678", Flaw.PHONE_ZERO),
        ("12", Flaw.PHONE_LENGTH),
        ("-", Flaw.PHONE_LENGTH),
        ("+8210123456781234", Flaw.PHONE_LENGTH),
        ("010-1234-5678 (내선 3)", Flaw.PHONE_SIGN),
        ("1.01E+09", Flaw.PHONE_SIGN),
        ("010+1234+5678", Flaw.PHONE_SIGN),
    ],
)
def test_a_phone_number_that_cannot_be_called_is_refused(typed: str, flaw: Flaw) -> None:
    with pytest.raises(FlawError) as caught:
        phone(typed)
    assert caught.value.flaw is flaw


@pytest.mark.parametrize(
    ("form", "text", "flaw"),
    [
        (Form.PATH, "state\0", Flaw.PATH),
        (Form.PATH, "state\n", Flaw.PATH),
        (Form.PATH, "가" * 86, Flaw.PATH_LENGTH),
        (Form.PATH, "a/" * 2048, Flaw.PATH_LENGTH),
        (Form.SOCKET, "", Flaw.NO_SOCKET),
        (Form.SOCKET, "/run/" + "a" * 103, Flaw.SOCKET_LENGTH),
        (Form.BROKER, "tls://a:99999", Flaw.PORT),
        (Form.LISTEN, "a:99999", Flaw.PORT),
    ],
)
def test_what_the_system_would_refuse_later_is_refused_now(
    form: Form, text: str, flaw: Flaw
) -> None:
    with pytest.raises(FlawError) as caught:
        checked(form, text)
    assert caught.value.flaw is flaw


def test_what_is_right_stays_as_it_is() -> None:
    for form, text in {
        Form.PATH: "가" * 85 + "/" + "a" * 255,
        Form.SOCKET: "/run/" + "a" * 102,
        Form.BROKER: "tls://broker.example",
        Form.LISTEN: "127.0.0.1:8080",
        Form.TIME: "09:00",
    }.items():
        assert checked(form, text) == text


def test_a_name_typed_on_macos_is_the_same_name_but_a_path_is_left_alone() -> None:
    apart = unicodedata.normalize("NFD", "욕실")
    assert checked(None, apart) == "욕실"
    assert checked(Form.NAME, apart) == "욕실"
    assert checked(Form.PATH, apart) == apart


def test_a_mark_names_its_form() -> None:
    assert form_of(of(Form.TIME)) is Form.TIME
    assert form_of(Meta()) is None
    assert form_of(Meta(extra={"form": "time"})) is None


@pytest.mark.parametrize(
    ("form", "typed", "meant"),
    [
        (Form.BLUETOOTH, "c0-ff-ee-12-34-56", "C0:FF:EE:12:34:56"),
        (Form.BLUETOOTH, " C0:FF:EE:12:34:56 ", "C0:FF:EE:12:34:56"),
        (Form.BIND_KEY, "0123 4567 89AB CDEF 0123 4567 89ab cdef", "0123456789abcdef" * 2),
        (Form.ADAPTER, "00:1a:7d:da:71:13", "00:1A:7D:DA:71:13"),
        (Form.ADAPTER, "hci1", "hci1"),
    ],
)
def test_what_a_label_prints_is_taken_as_it_is_meant(form: Form, typed: str, meant: str) -> None:
    assert checked(form, typed) == meant
