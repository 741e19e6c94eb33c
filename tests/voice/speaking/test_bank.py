"""The phrase bank: every fixed sentence has its sound; a county's recordings go first."""

import argparse
import shutil
from pathlib import Path

import pytest

from tests.voice.sound.test_loudness import padded, tone
from voice.korean.sounds import error_rate
from voice.recording.build import Way, build, gaps, prune
from voice.recording.command import bank_arguments, record_arguments, run_bank, run_record
from voice.recording.review import Fault, fault, store
from voice.sound.loudness import SPEECH_DB, measured
from voice.sound.pcm import SPEECH_HZ, Audio
from voice.speaking.bank import (
    INDEX,
    SHIPPED,
    Bank,
    Entry,
    file_name,
    fixed,
    fixed_sentences,
    read_index,
    read_sound,
    write_index,
    write_sound,
)
from voice.speaking.mouth import Mouth, MouthError


def test_every_fixed_sentence_of_the_product_has_its_file() -> None:
    found = gaps(SHIPPED, fixed_sentences())
    assert not found.missing, "anbu voice bank build"
    assert not found.orphaned, "anbu voice bank build --prune"


def test_the_index_tells_every_file() -> None:
    index = read_index(SHIPPED)
    assert index.keys() == {path.name for path in SHIPPED.glob("*.ogg")}
    assert all(file_name(entry.text) == name for name, entry in index.items())


def test_one_person_speaks_all_sentences() -> None:
    assert len({entry.made.split("+")[0].split()[0] for entry in read_index(SHIPPED).values()}) == 1


def test_the_bank_is_small_and_even() -> None:
    size = sum(path.stat().st_size for path in SHIPPED.iterdir())
    assert size < 14_000 * len(read_index(SHIPPED))  # some 3 s of speech for each sentence
    for name in read_index(SHIPPED):
        loudness = measured(read_sound(SHIPPED / name))
        assert SPEECH_DB - 4 < loudness.speech_db < SPEECH_DB + 2, name
        assert loudness.clipped == 0, name
        assert loudness.before_s < 0.15, name


def test_the_hubs_prompts_and_the_plans_are_among_the_fixed_sentences() -> None:
    texts = fixed_sentences()
    assert "도움을 요청하고 있습니다." in texts
    assert "가슴이 불편하시군요." in texts
    assert len(texts) == len(set(texts)) > 100


def test_what_has_a_gap_is_not_fixed() -> None:
    assert fixed("지금은 {time}입니다. 안녕히 주무세요.") == ["안녕히 주무세요."]
    assert fixed("{heard} 말씀해 주셔서 고맙습니다.") == ["말씀해 주셔서 고맙습니다."]


def test_a_sound_comes_back_as_it_was(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.ogg", tone(1.0))
    back = read_sound(tmp_path / "a.ogg")
    assert back.rate_hz == SPEECH_HZ
    assert back.seconds == pytest.approx(1.0, abs=0.02)
    assert measured(back).speech_db == pytest.approx(measured(tone(1.0)).speech_db, abs=0.5)


def test_a_countys_recording_goes_before_ours(tmp_path: Path) -> None:
    ours, own = tmp_path / "ours", tmp_path / "own"
    store(ours, "안녕하세요.", tone(1.0), "ours")
    store(own, "안녕하세요.", tone(2.0), "county")
    assert (found := Bank([own, ours]).find("안녕하세요."))
    assert found.seconds == pytest.approx(2.0, abs=0.15)


def test_a_damaged_or_missing_file_falls_to_the_next(tmp_path: Path) -> None:
    store(tmp_path / "ours", "안녕하세요.", tone(1.0), "ours")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / file_name("안녕하세요.")).write_bytes(b"OggS nonsense")
    assert Bank([tmp_path / "own", tmp_path / "none", tmp_path / "ours"]).find("안녕하세요.")
    assert Bank([tmp_path / "own"]).find("안녕하세요.") is None
    assert Mouth(Bank([tmp_path / "own"]), [], None).render("안녕하세요.").pcm == b""


def test_writing_a_sentence_another_way_finds_the_same_sound() -> None:
    assert file_name(" 안녕하세요.  ") == file_name("안녕하세요.")
    assert file_name("안녕하세요.") != file_name("안녕하세요?")


def test_the_way_that_is_understood_best_is_kept(tmp_path: Path) -> None:
    seconds = {"mumbled": 0.5, "clear": 1.0, "shouted": 2.0}
    heard = {0.5: "고먹시니다.", 1.0: "고맙씁니다.", 2.0: "먹자."}
    tried: list[str] = []

    def way(name: str) -> Way:
        def speak(_text: str) -> Audio:
            tried.append(name)
            return tone(seconds[name])

        return Way(name, speak)

    def judge(audio: Audio) -> str:
        return heard[min(heard, key=lambda s: abs(s - audio.seconds))]

    told = list(build(tmp_path, ["고맙습니다."], map(way, seconds), judge))
    assert [built.made for built in told] == ["mumbled", "clear"]
    assert tried == ["mumbled", "clear"]  # what is understood whole needs no other way
    assert read_index(tmp_path)[file_name("고맙습니다.")].made == "clear"


def test_a_sentence_that_cannot_be_said_stays_missing(tmp_path: Path) -> None:
    def speak(_text: str) -> Audio:
        raise MouthError

    assert not list(build(tmp_path, ["네."], [Way("mute", speak)], lambda _: ""))
    assert gaps(tmp_path, ["네."]).missing == ("네.",)


def test_old_files_are_found_and_removed(tmp_path: Path) -> None:
    store(tmp_path, "옛 문장입니다.", tone(1.0), "x")
    store(tmp_path, "새 문장입니다.", tone(1.0), "x")
    assert prune(tmp_path, ["새 문장입니다."]) == (file_name("옛 문장입니다."),)
    assert [entry.text for entry in read_index(tmp_path).values()] == ["새 문장입니다."]
    write_index(tmp_path, {"a": Entry("b", "c", "d")})
    assert read_index(tmp_path) == {"a": Entry("b", "c", "d")}
    assert read_index(tmp_path / "none") == {}


def test_errors_are_counted_as_said_not_as_spelt() -> None:
    assert error_rate("같이 가요.", "가치가요") == 0
    assert error_rate("119에 전화", "일일구에 전화") == 0
    assert error_rate("고맙습니다.", "고맙스미다.") == pytest.approx(2 / 5)
    assert error_rate("네.", "") == 1
    assert error_rate("", "네") == 0


@pytest.mark.parametrize(
    ("recording", "wrong"),
    [
        (tone(2.0), None),
        (padded(tone(2.0), 1.0, 1.0), None),
        (Audio(bytes(96_000), SPEECH_HZ), Fault.EMPTY),
        (tone(2.0, amplitude=0.005), Fault.QUIET),
        (tone(2.0, amplitude=3.0), Fault.CLIPPED),
        (tone(0.6), Fault.FAST),
        (tone(20.0), Fault.SLOW),
        (tone(70.0), Fault.LONG),
    ],
)
def test_a_recording_is_looked_over(recording: Audio, wrong: Fault | None) -> None:
    assert fault("센터에 전달되었습니다.", recording) is wrong


def parsed(words: list[str], *, bank: bool) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    (bank_arguments if bank else record_arguments)(parser)
    return parser.parse_args(words)


def test_check_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_bank(parsed(["check", "--folder", str(tmp_path)], bank=True)) == 1
    told = capsys.readouterr().out
    assert "없음: 도움을 요청하고 있습니다." in told
    assert "missing: " not in told
    assert run_bank(parsed(["check"], bank=True)) == 0


def test_a_county_records_some_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wavs, own = tmp_path / "wavs", tmp_path / "own"
    wavs.mkdir()
    write_sound(wavs / "a.ogg", tone(2.5))
    shutil.move(wavs / "a.ogg", wavs / "001.wav")  # it is the content that counts
    write_sound(wavs / "002.wav", tone(0.2))
    words = ["--from", str(wavs), "--to", str(own), "--speaker", "군청"]
    assert run_record(parsed(words, bank=False)) == 1  # one was refused
    told = capsys.readouterr().out
    assert "말소리가 없습니다." in told
    assert "There is no speech in it." not in told
    assert [e.text for e in read_index(own).values()] == fixed_sentences()[:1]
    assert run_record(parsed(["--list"], bank=False)) == 0
    assert f"001  {fixed_sentences()[0]}" in capsys.readouterr().out
    assert run_record(parsed(["--from", str(tmp_path / "no")], bank=False)) == 2


def test_an_index_that_a_spreadsheet_has_saved_is_read_or_named(tmp_path: Path) -> None:
    row = "a.ogg\t도움을 요청하고 있습니다.\t군청\t도움을 요청하고 있습니다\n"
    for encoding in ("utf-8-sig", "utf-16", "cp949"):
        (tmp_path / INDEX).write_bytes(row.encode(encoding))
        assert [entry.made for entry in read_index(tmp_path).values()] == ["군청"]
    (tmp_path / INDEX).write_bytes(b"\xff\xff\n")
    with pytest.raises(OSError, match=INDEX):
        read_index(tmp_path)
