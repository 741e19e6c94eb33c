"""The file of phrases: what it may say, and that each mistake is told with its line."""

import pytest

from hub.shared.settings import Problem, SettingsError
from voice.understanding.intents import Expecting, Intent
from voice.understanding.phrases import load

RIGHT = """\
fillers = ["아이고"]

[[phrases]]
intent = "help"
what = "fall"
say = ["(넘어졌|쓰러졌)어(요|)", "나 좀 일으켜 줘"]

[[phrases]]
intent = "yes"
after = ["checkin"]
say = ["네"]
"""


def test_alternatives_are_written_out() -> None:
    phrases = load(RIGHT)
    texts = {phrase.text for phrase in phrases.all}
    assert texts == {
        "넘어졌어요", "넘어졌어", "쓰러졌어요", "쓰러졌어", "나 좀 일으켜줘", "네",
    }  # fmt: skip
    assert {phrase.text: phrase.entry.what for phrase in phrases.all}["쓰러졌어"] == "fall"
    assert phrases.groups == ((Intent.HELP, ()), (Intent.YES, (Expecting.CHECKIN,)))


@pytest.mark.parametrize(
    ("wrong", "right", "line", "problem", "meant"),
    [
        ('intent = "hlep"', 'intent = "help"', 4, Problem.CHOICE, "help"),
        ('after = ["chekin"]', 'after = ["checkin"]', 10, Problem.CHOICE, "checkin"),
        ('whta = "fall"', 'what = "fall"', 5, Problem.UNKNOWN_KEY, "what"),
        ("say = []", 'say = ["네"]', 11, Problem.LENGTH, ""),
        ('say = ["(네|예"]', 'say = ["네"]', 11, Problem.INVALID, ""),
        ('say = ["yes"]', 'say = ["네"]', 11, Problem.INVALID, ""),
    ],
)
def test_a_mistake_is_told_with_its_line(
    wrong: str, right: str, line: int, problem: Problem, meant: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(RIGHT.replace(right, wrong), "county.toml")
    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line, mistake.problem) == ("county.toml", line, problem)
    assert mistake.did_you_mean == meant


def test_a_slip_of_the_pen_does_not_become_a_million_phrases() -> None:
    many = "".join("(가|나|다|라|마|바|사|아|자|차)" for _ in range(7))
    with pytest.raises(SettingsError, match="invalid"):
        load(RIGHT.replace('"네"', f'"{many}"'))


def test_our_own_phrases_have_no_mistake_and_every_meaning() -> None:
    phrases = load()
    assert {phrase.entry.intent for phrase in phrases.all} == {*Intent}
    scores = {p.entry.score for p in phrases.all if p.entry.intent is Intent.OFTEN}
    assert scores == {0, 1, 2, 3}
    assert all(phrases.named.values())
