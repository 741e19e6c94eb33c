"""Every fixed sentence of the product: what the phrase bank must have.

They stand in the hub's prompts (`hub/messages/hub.ko.toml`, [say]), in the plans (`plans/ko`) and
in the voice's own words (`messages/ko.toml`, [say]). What has a gap ({time}) is not fixed.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from voice.korean.sentences import sentences, tidy

HANGUL = re.compile("[가-힣]")
WHOLE = re.compile(r"\{heard\}")  # a gap that is filled with whole sentences
GAP = re.compile(r"\{\w*\}")


def fixed_sentences() -> list[str]:
    """Give the product's fixed sentences, each once, in a lasting order."""
    return list(dict.fromkeys(s for text in _texts() for s in fixed(text)))


def fixed(text: str) -> list[str]:
    """Give the sentences of one text that have no gap."""
    return [tidy(s) for s in sentences(WHOLE.sub("\n", text)) if not GAP.search(s)]


def _texts() -> Iterator[str]:
    voice = files("voice")
    for messages in (files("hub") / "messages" / "hub.ko.toml", voice / "messages" / "ko.toml"):
        yield from _strings(_table(messages).get("say", {}))
    for plan in sorted((voice / "plans" / "ko").iterdir(), key=lambda file: file.name):
        if plan.name.endswith(".toml"):
            yield from _strings(_table(plan))


def _table(file: Traversable) -> dict[str, object]:
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if HANGUL.search(value):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
