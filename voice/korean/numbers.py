"""Figures, units and Latin letters as the Hangul in which they are read; the fitting particle.

Korean has two rows of numbers: Sino-Korean (일, 이, 삼) and native (하나, 둘; before a counter 한,
두). Single digits, as in a telephone number, are Sino-Korean with 공 for zero. The tables of
counters, units and signs are in `readings.toml`.
"""

import re
import tomllib

from msgspec import Struct, convert

from hub.shared.files import shipped_file
from voice.korean.hangul import coda_of

DIGITS = "영일이삼사오육칠팔구"
PHONE_DIGITS = "공" + DIGITS[1:]
SMALL_PLACES = ("", "십", "백", "천")
GREAT_PLACES = ("", "만", "억", "조")
LARGEST = 10 ** (4 * len(GREAT_PLACES)) - 1
NATIVE_ONES = ("", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
BEFORE_COUNTER = {"하나": "한", "둘": "두", "셋": "세", "넷": "네", "스물": "스무"}
_BOTH = (
    "를 을",
    "는 은",
    "가 이",
    "와 과",
    "야 아",
    "로 으로",
    "나 이나",
    "랑 이랑",
    "예요 이에요",
)
JOSA = {form: pair.split() for pair in _BOTH for form in pair.split()}  # after open, after closed


class Readings(Struct, frozen=True):
    """The tables of `readings.toml`; `native_to`: the last number counted in native words."""

    patterns: dict[str, str]
    native_to: dict[str, int]
    units: dict[str, str]
    signs: dict[str, str]
    letters: dict[str, str]


_BOOK = convert(
    tomllib.loads(shipped_file("voice", "readings.toml").read_text(encoding="utf-8")), Readings
)
MONTHS = {6: "유", 10: "시"}
HALF_DAY, DAY, NATIVE_END = 12, 24, 99
_COUNTERS = "".join(_BOOK.patterns["native"].split())
_UNIT = "|".join(sorted(map(re.escape, _BOOK.units), key=len, reverse=True))
_FREE = r"(?<![\d\w가-힣)])"  # a sign before a number, not one between two things
_N = r"(\d{1,3}(?:,\d{3})+|\d+)"

NOTHING_TO_SPELL = re.compile(r"[가-힣 \n.,!?]*")
PHONE = re.compile(
    r"(?<![\d-])(0\d{1,2}[-. ]\d{3,4}[-. ]\d{4}|1[5-9]\d\d-\d{4}|0\d{8,10})(?![\d-])"
)
DATE = re.compile(r"(?<!\d)(\d{4})[-./]\s?(\d{1,2})[-./]\s?(\d{1,2})(?!\d)\.?")
CLOCK = re.compile(r"(오전|오후|낮|밤|새벽|아침|저녁)?(\s?)(?<!\d)(\d{1,2}):(\d{2})(?!\d)")
PRESSURE = re.compile(r"(?<![\d/])(\d{2,3})/(\d{2,3})(?![\d/])")
CALL = re.compile(
    rf"(?<![\d.,-])({_BOOK.patterns['emergency']})"
    r"(?![\d.,]*\d|\s?(?:명|개|원|호|번지|동|퍼센트|%|도|세|km|kg|년|일|분|시간))"
)
RANGE = re.compile(r"(\d)(\s?[가-힣㎏%℃]{0,2}\s?)[~\u223c\u301c-](?=\s?\d)")
BELOW_ZERO = re.compile(rf"{_FREE}-(?=\d+(?:\.\d+)?\s?(?:도|℃|°))")
MINUS = re.compile(rf"{_FREE}-(?=\d)")
MONTH = re.compile(r"(?<!\d)(\d{1,2})월")
DECIMAL = re.compile(rf"(?<![\d.,]){_N}\.(\d+)(?![\d.])")
COUNTED = re.compile(rf"(?<![\d.]){_N}\s?({_COUNTERS})(?!\d)")
PLAIN = re.compile(rf"{_N}(?=([가-힣])?)")
UNIT = re.compile(rf"(?<=[가-힣])\s?({_UNIT})(?![A-Za-z])", re.IGNORECASE)
LATIN = re.compile(r"[A-Za-z]")
SIGN = re.compile("|".join(map(re.escape, _BOOK.signs)))
EITHER = re.compile(
    r"(?<=([가-힣]))(?:([을를은는이가과와])\(([을를은는이가과와])\)|\((으|이)\)(로|나|랑|에요))"
)


def spell(text: str) -> str:
    """Return `text` with every figure, unit and Latin letter as the Hangul in which it is read."""
    if NOTHING_TO_SPELL.fullmatch(text):
        return text
    text = PHONE.sub(lambda f: digit_by_digit(f[1]), text)
    text = CLOCK.sub(_clock, DATE.sub(_date, text))
    text = PRESSURE.sub(lambda f: f"{sino(int(f[1]))}에 {sino(int(f[2]))}", text)
    text = CALL.sub(lambda f: digit_by_digit(f[1]), text)
    text = BELOW_ZERO.sub("영하 ", RANGE.sub(r"\1\2에서 ", text))
    text = MINUS.sub("마이너스 ", text)
    text = MONTH.sub(lambda f: _month(int(f[1])) + "월", text)
    text = COUNTED.sub(_counted, DECIMAL.sub(_decimal, text))
    text = PLAIN.sub(_plain, text)
    text = UNIT.sub(lambda f: " " + _BOOK.units[f[1].lower()], text)
    text = LATIN.sub(lambda f: _BOOK.letters[f[0].lower()], text)
    text = SIGN.sub(lambda f: f" {_BOOK.signs[f[0]]} ", text)
    return EITHER.sub(lambda f: josa(f[1], f[2] or f[4] + f[5]), text)


def _number(digits: str) -> int:
    return int(digits.replace(",", ""))


def _month(month: int) -> str:
    return MONTHS.get(month) or sino(month)


def _date(found: re.Match[str]) -> str:
    year, month, day = (int(part) for part in found.groups())
    return f"{sino(year)}년 {_month(month)}월 {sino(day)}일"


def _clock(found: re.Match[str]) -> str:
    half, gap, hour, minute = found[1], found[2], int(found[3]), int(found[4])
    told = f"{half} " if half else gap
    if not half and hour < DAY:
        told += "오전 " if hour < HALF_DAY else "오후 "
        hour -= HALF_DAY if hour > HALF_DAY else 0
    hours = native(hour) if 1 <= hour <= HALF_DAY else sino(hour)
    return f"{told}{hours} 시" + (f" {sino(minute)} 분" if minute else "")


def _decimal(found: re.Match[str]) -> str:
    return f"{sino(_number(found[1]))}점 " + "".join(DIGITS[int(digit)] for digit in found[2])


def _counted(found: re.Match[str]) -> str:
    counter = found[2]
    onwards = found.string[found.start(2) : found.start(2) + 4]
    in_tens = counter == "대" and onwards.startswith("대 ") and _number(found[1]) % 10 == 0
    if re.match(_BOOK.patterns["sino"], onwards) or found[1][0] == "0" or in_tens:
        return f"{_said(found[1])} {counter}"
    number = _number(found[1])
    if number > _BOOK.native_to.get(counter, NATIVE_END):
        return f"{sino(number)} {counter}"
    return f"{native(number)} {counter}"


def _said(digits: str) -> str:
    leading = len(digits) > 1 and digits[0] == "0"
    return digit_by_digit(digits) if leading else sino(_number(digits))


def _plain(found: re.Match[str]) -> str:
    gap = " " if found[2] and found[2] in "분초도원층호동회차점" else ""
    return _said(found[1]) + gap


def sino(number: int) -> str:
    """Return 0 to 10^16 - 1 in Sino-Korean; beyond, its digits. Raises ValueError below 0."""
    if number < 0:
        message = f"a number below zero: {number}"
        raise ValueError(message)
    if number == 0 or number > LARGEST:
        return "".join(DIGITS[int(digit)] for digit in str(number))
    words, place = "", 0
    while number:
        number, four = divmod(number, 10_000)
        words = _great(four, place) + words
        place += 1
    return words


def _great(four: int, place: int) -> str:
    if not four:
        return ""
    alone = four == 1 and place == 1  # 만, not 일만
    return ("" if alone else _four(four)) + GREAT_PLACES[place]


def _four(number: int) -> str:
    words = ""
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            words += ("" if digit == 1 and place else DIGITS[digit]) + SMALL_PLACES[place]
    return words


def native(number: int, *, counting: bool = True) -> str:
    """Return 1 to 99 in native words, `counting` as before a counter (한, 두); else Sino-Korean."""
    if not 1 <= number <= 99:  # noqa: PLR2004 - native numbers end at 99
        return sino(number)
    tens, ones = NATIVE_TENS[number // 10], NATIVE_ONES[number % 10]
    if not counting:
        return tens + ones
    return tens + BEFORE_COUNTER.get(ones, ones) if ones else BEFORE_COUNTER.get(tens, tens)


def digit_by_digit(digits: str) -> str:
    """Return digits as in a telephone number; what is no digit becomes a short pause."""
    words = "".join(PHONE_DIGITS[int(d)] if d in "0123456789" else " " for d in digits)
    return ", ".join(words.split())


def josa(word: str, particle: str) -> str:
    """Return the form of `particle` that fits the last sound of `word`, which is in Hangul.

    A word that does not end in Hangul counts as open; an unknown particle stays as it is.
    """
    if particle not in JOSA:
        return particle
    after_open, after_closed = JOSA[particle]
    coda = coda_of(word) or ""
    as_open = not coda or (coda == "ㄹ" and after_open == "로")
    return after_open if as_open else after_closed
