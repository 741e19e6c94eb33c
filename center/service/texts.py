"""The console's texts, from the message files `*.ko.toml` and, in English, `*.en.toml`.

Korean is the default in any browser; the page has a link to English.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from hub.shared.language import Language
from hub.shared.messages import messages


class Texts:
    """One language's sentences by key, such as `board.waiting`."""

    def __init__(self, lang: Language, sentences: Mapping[str, str]) -> None:
        self.lang = lang
        self.sentences = sentences

    def __call__(self, key: str, **values: object) -> str:
        """Return the sentence with its `{values}` filled in; an unknown key is a `KeyError`.

        For a value that only a newer program knows, the group's `other` is used, with `{raw}`.
        """
        sentence = self.sentences.get(key)
        if sentence is None:
            group, _, values["raw"] = key.rpartition(".")
            sentence = self.sentences[f"{group}.other"]
        return sentence.format_map(values)

    def word(self, group: str, name: str) -> str:
        """Return the word for a value of an open list (a kind, a fault), or the value itself."""
        known = self.sentences.get(f"{group}.{name}") or self.sentences.get(f"{group}.other")
        return known.format_map({"raw": name}) if known else name


@cache
def of_file(name: str, lang: Language) -> Texts:
    """Return the sentences of one file, `messages/<name>.<lang>.toml`."""
    return Texts(lang, dict(_flat(messages("center", lang, name), "")))


@cache
def texts(lang: Language) -> Texts:
    """Return the sentences of a language."""
    sentences: dict[str, str] = {}
    for name in ("", "homes", "tasks", "announcing", "vitals", "claiming", "leases", "installing"):
        sentences |= _flat(messages("center", lang, name), "")
    return Texts(lang, sentences)


def chosen(asked: str | None, remembered: str | None) -> Language:
    """Return the language asked for now, else the remembered one, else Korean."""
    for wish in (asked, remembered):
        if wish in set(Language):
            return Language(wish)
    return Language.KOREAN


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)
