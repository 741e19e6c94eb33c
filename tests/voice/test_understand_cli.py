"""`anbu voice understand`: what a text is taken for and why, as hearing would; no model needed."""

import io
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hub.__main__ import main
from hub.shared.command_line import CLOSED
from tests.layout import REPO
from voice.hearing.engines import Engines
from voice.hearing.hearing import Hearing
from voice.understand_cli import Told
from voice.understanding.intents import Expecting
from voice.understanding.likeness import Evidence, Guess
from voice.understanding.phrases import load
from voice.understanding.understand import Reason

Run = Callable[..., list[dict[str, Any]]]
SENTENCES = (
    "도와주세요", "네", "아니요", "괜찮아요", "으음", "아이고", "오늘의 요리였습니다",
    "안녕하세요", "또 와 주세요", "낫에 손을 베었는데 피가 안 멈춰",
    "무릎이 시큰시큰 쑤시고 그래요", "취소해 줘", "속이 안 좋아요",
)  # fmt: skip


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command without any model; return its lines of JSON."""
    monkeypatch.setenv("ANBU_MODELS", str(tmp_path / "none"))

    def run(*args: str) -> list[dict[str, Any]]:
        assert main(["voice", "understand", "--json", *args]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_it_says_what_a_text_is_taken_for_and_by_which_phrase(ask: Run) -> None:
    (told,) = ask("도와주세요")
    assert {*told} == set(Told.__struct_fields__)
    assert (told["intent"], told["reason"], told["phrase"]) == ("help", "phrase", "도와주세요")
    assert told["likeness"] == told["sure"] == 1.0
    assert told["nearest"][0].keys() == {"intent", "phrase", "likeness", "needs", "lead"}


def test_a_sign_is_told_as_the_file_has_it(ask: Run) -> None:
    (told,) = ask("낫에 손을 베었는데 피가 안 멈춰")
    assert (told["intent"], told["what"], told["reason"]) == ("help", "blood", "sign")
    assert "안 멈춰" in told["sign"]


@pytest.mark.parametrize(
    ("options", "text", "why"),
    [
        ((), "낫에 손을 베었는데 피가 안 멈춰", ""),
        (("--log-prob", "-0.9"), "낫에 손을 베었는데 피가 안 멈춰", "log_prob"),
        (("--no-speech", "0.4"), "낫에 손을 베었는데 피가 안 멈춰", "no_speech"),
        (("--around", "0.4"), "낫에 손을 베었는데 피가 안 멈춰", "around"),
        ((), "작년에 낫에 손을 베었는데 피가 안 멈춰", "elsewhere"),
        ((), "자전거가 넘어졌어요", "phrase"),
        ((), "안녕하세요", ""),
    ],
)
def test_why_a_sign_was_not_believed_is_told(
    ask: Run, options: tuple[str, ...], text: str, why: str
) -> None:
    (told,) = ask(*options, text)
    assert told["sign_refused"] == why
    assert (told["reason"] == "sign") is (why == "" and "피가" in text)
    assert bool(told["sign"]) is (text != "안녕하세요")


@pytest.mark.parametrize(
    ("options", "reason", "limit", "refused"),
    [
        (("--question", "checkin"), "phrase", None, None),
        (("--question", "checkin", "--log-prob", "-1.5"), "log_prob", -1.3, "yes"),
        (("--question", "checkin", "--no-speech", "0.3"), "no_speech", 0.3, "yes"),
        (("--question", "help", "--no-speech", "0.5"), "no_speech", 0.3, "yes"),
        ((), "unasked", None, "yes"),
    ],
)
def test_the_limit_that_refused_it_is_told(
    ask: Run, options: tuple[str, ...], reason: str, limit: float | None, refused: str | None
) -> None:
    (told,) = ask(*options, "네")
    assert (told["reason"], told["limit"], told["refused"]) == (reason, limit, refused)
    assert (told["intent"] == "yes") is (refused is None)


def test_what_is_like_nothing_enough_is_told_with_what_the_nearest_needs(ask: Run) -> None:
    for text in ("강아지풀", "열두 명이 실종됐습니다"):
        (told,) = ask(text)
        assert (told["intent"], told["reason"]) == ("unclear", "nothing")
        assert told["limit"] == told["nearest"][0]["needs"]


def test_beside_a_television_more_is_asked_of_a_call(ask: Run) -> None:
    quiet, loud = (ask("--around", around, "도아주")[0] for around in ("0.0", "0.6"))
    assert (quiet["intent"], loud["intent"]) == ("help", "unclear")


@pytest.mark.parametrize("expecting", [Expecting.NOTHING, Expecting.CHECKIN, Expecting.HELP])
def test_it_is_just_what_the_ears_would_understand(ask: Run, expecting: Expecting) -> None:
    hearing = Hearing(Engines(lambda _: 1.0), load())
    for log_prob, no_speech, around in ((0.0, 0.0, 0.0), (-0.9, 0.2, 0.0), (-1.4, 0.4, 0.5)):
        options = (f"--log-prob={log_prob}", f"--no-speech={no_speech}", f"--around={around}")
        told = ask("--question", expecting, *options, *SENTENCES)
        for one, text in zip(told, SENTENCES, strict=True):
            evidence = Evidence((Guess(text, log_prob),), no_speech, around=around)
            meant = structs.asdict(hearing.conclude(evidence, expecting))
            assert {name: one[name] for name in meant} == meant


def test_lines_of_standard_input_are_told_one_by_one(
    ask: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "\ufeff도와주세요\n\n  네 \r\n".encode() + "머리가 아파요".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert [one["text"] for one in ask("--question", "checkin")] == [
        "도와주세요", "네", "머리가 아파요",
    ]  # fmt: skip


def test_a_file_from_a_mac_is_understood_as_any_other(ask: Run) -> None:
    (told,) = ask("도와주세요")  # its letters apart
    assert (told["text"], told["intent"]) == ("도와주세요", "help")


@pytest.mark.parametrize(
    ("language", "said"), [("ko", "사람에게 알립니다"), ("en", "Not understood. There are sounds")]
)
def test_people_read_it_in_their_language(
    capsys: pytest.CaptureFixture[str], language: str, said: str
) -> None:
    words = ["voice", "understand", "--question", "checkin", "--lang", language]
    assert main([*words, *SENTENCES]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * len(SENTENCES)
    assert said in lines[SENTENCES.index("으음") * 2 + 1]


def test_every_reason_has_its_sentence() -> None:
    for language in ("ko", "en"):
        file = REPO / "voice" / "messages" / f"{language}.toml"
        said = tomllib.loads(file.read_text(encoding="utf-8"))["understand"]
        assert {f"because_{reason}" for reason in Reason} <= {*said}
        signs = ("sensitivity", "around", "no_speech", "log_prob", "elsewhere", "phrase")
        assert {f"sign_{why}" for why in signs} <= {*said}


def test_the_countys_phrases_and_settings_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[phrases]]\nintent = "help"\nsay = ["동동구리무"]\n', encoding="utf-8")
    config = tmp_path / "voice.toml"
    config.write_text('phrases = "own.toml"\nspoken_sos = false\n', encoding="utf-8")
    arguments = ["voice", "--config", str(config), "understand"]
    assert main([*arguments, "--json", "동동구리무"]) == 0
    assert main([*arguments, "--json", "--question", "help", "동동구리무"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["intent"], one["reason"]) for one in told] == [
        ("unclear", "switched_off"), ("help", "phrase"),
    ]  # fmt: skip


def test_phrases_that_cannot_be_used_are_told_and_ours_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "voice.toml"
    config.write_text('phrases = "none.toml"\n', encoding="utf-8")
    assert main(["voice", "--config", str(config), "understand", "--json", "도와주세요"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["intent"] == "help"
    assert "none" in said.err or "phrases" in said.err


@pytest.mark.parametrize(
    "wrong",
    [("--log-prob", "0.5"), ("--no-speech", "2"), ("--around", "x"), ("--question", "moon")],
)
def test_what_cannot_be_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["voice", "understand", *wrong, "네"])
    assert caught.value.code == 2


def test_no_engine_and_no_sound_library_is_loaded_for_it() -> None:
    """It answers at once, on a machine that can neither hear nor speak."""
    look = "from hub.__main__ import main; main(['voice', 'understand', 'x']); import sys;"
    heavy = "{'ctranslate2', 'vosk', 'pyaudio', 'onnxruntime', 'tokenizers'}"
    command = [sys.executable, "-c", f"{look} sys.exit(bool({heavy} & {{*sys.modules}}))"]
    assert subprocess.run(command, cwd=REPO, capture_output=True, check=False).returncode == 0


def test_who_has_seen_enough_ends_it_without_a_word() -> None:
    """As `anbu voice understand ... | head -1`."""
    command = [sys.executable, "-m", "hub", "voice", "understand", "--json"]
    with subprocess.Popen(
        command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write("네\n".encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["text"] == "네"
        process.stdout.close()
        process.stdin.write("도와주세요\n".encode())
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == CLOSED
