"""The hub's orders in the words of the voice's socket."""

from collections.abc import Callable
from typing import assert_never

from hub.contract import voice
from hub.contract.voice import Phrase
from hub.core.model.effects import Ask, Order, Say, Show

URGENT = {
    Phrase.RAISED, Phrase.UNDELIVERED, Phrase.RECEIVED, Phrase.ACCEPTED, Phrase.PRESENT,
    Phrase.CANCELLED, Phrase.CANCEL_ASKED, Phrase.HELP_NOT_NEEDED, Phrase.WARNING_OVER,
}  # fmt: skip


def word(order: Order, words: Callable[[Phrase], str]) -> voice.Order | None:
    """Give what to order of the voice, None where it is no matter of its; `words` gives texts."""
    match order:
        case Show():
            return None
        case Say(phrase=phrase, text=more, receipt=receipt, urgent=urgent):
            text = " ".join(filter(None, (words(phrase), more)))
            return voice.Say(phrase, text, receipt, urgent or phrase in URGENT)
        case Ask(phrase=phrase, slow=slow):
            return voice.Ask(phrase, words(phrase), slow)
        case _:
            assert_never(order)
