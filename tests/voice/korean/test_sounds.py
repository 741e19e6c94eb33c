"""How alike texts sound: what recognisers mistake is near, what people mean differently is not."""

import pytest

from voice.korean.sounds import Table, distance, sounds, sounds_of, weight

PHRASES = ("도와주세요", "넘어졌어요", "괜찮아요", "네")


@pytest.mark.parametrize(
    ("written", "heard"),
    [("넘어졌어요", "너머저써요"), ("못 일어나겠어요", "몬 니러나게써요"), ("119", "일일구")],
)
def test_spelling_counts_only_as_it_sounds(written: str, heard: str) -> None:
    assert distance(written, heard) <= 0.15


def test_a_mistake_of_the_recogniser_is_nearer_than_another_phrase() -> None:
    assert distance("괜찮아", "권찬아") < distance("괜찮아", "귀찮아") + 0.2
    assert distance("도와주세요", "더 아주세요") < distance("도와주세요", "들어오세요")
    assert distance("네", "도와주세요") > 0.8


def test_many_texts_sound_as_each_of_them_does() -> None:
    texts = ["밥을 먹었어요", "못 일어나겠어요", "119"]
    assert sounds_of(texts) == [sounds(text) for text in texts]


@pytest.mark.parametrize(
    ("heard", "first", "before", "after"),
    [
        ("도와주세요", "도와주세요", False, False),
        ("아버지 도와주세요", "도와주세요", True, False),
        ("괜찮아요 아버지", "괜찮아요", False, True),
    ],
)
def test_a_phrase_is_found_as_a_part(heard: str, first: str, before: bool, after: bool) -> None:  # noqa: FBT001
    table = Table([sounds(phrase) for phrase in PHRASES], [0, 0, 0, 1])
    rows = table.nearest(sounds(heard), [0], 2)
    assert PHRASES.index("네") not in rows
    fits = dict(zip((PHRASES[row] for row in rows), table.fit(rows, sounds(heard)), strict=True))
    assert fits[first].cost == pytest.approx(0, abs=0.02)
    assert (fits[first].lead > 0.5, fits[first].tail > 0.5) == (before, after)


def test_what_is_easily_mistaken_costs_less() -> None:
    table = Table([sounds("살려줘")], [0])
    costs = [
        table.fit([0], sounds(heard))[0].cost for heard in ("쌀려줘", "살료줘", "알려줘", "커피")
    ]
    assert costs == sorted(costs)
    assert costs[0] < 0.5 < costs[2]
    assert costs[-1] <= weight(sounds("살려줘"))
