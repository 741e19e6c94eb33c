"""Korean number words, and the particle that fits a word.

Two rows of numbers live side by side: Sino-Korean (일, 이, 삼) and native (하나, 둘; before a
counter 한, 두). Digits by themselves, as in a telephone number, are Sino-Korean with 공 for zero.
"""

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


def sino(number: int) -> str:
    """Give a number of 0 to 10^16 - 1 in Sino-Korean; beyond, its digits. ValueError below 0."""
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
    """Give 1 to 99 in native words, `counting` as before a counter (한, 두); else Sino-Korean."""
    if not 1 <= number <= 99:  # noqa: PLR2004 - native numbers end at 99
        return sino(number)
    tens, ones = NATIVE_TENS[number // 10], NATIVE_ONES[number % 10]
    if not counting:
        return tens + ones
    return tens + BEFORE_COUNTER.get(ones, ones) if ones else BEFORE_COUNTER.get(tens, tens)


def digit_by_digit(digits: str) -> str:
    """Give digits as in a telephone number; what is no digit becomes a short pause."""
    words = "".join(PHONE_DIGITS[int(d)] if d in "0123456789" else " " for d in digits)
    return ", ".join(words.split())


def josa(word: str, particle: str) -> str:
    """Give the form of `particle` that fits the last sound of `word`, which is read in Hangul.

    A word that does not end in Hangul counts as open; an unknown particle stays as it is.
    """
    if particle not in JOSA:
        return particle
    after_open, after_closed = JOSA[particle]
    coda = coda_of(word) or ""
    as_open = not coda or (coda == "ㄹ" and after_open == "로")
    return after_open if as_open else after_closed
