"""One talk with the resident, pure: what happened comes in, the acts to be done go out.

begin -> Chime, Pause, Speak, Listen --clear--> Tell, Speak, the next question ... -> End
                               |--silence, unclear--> asked once more, slower, then as planned
                               '--"help", at any time--> Tell(help), End: the hub goes on
"""

from collections.abc import Sequence
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.voice import Meaning
from voice.dialogue.acts import (
    Act,
    Chime,
    End,
    Finished,
    Happening,
    Listen,
    Listened,
    Pause,
    Silence,
    Speak,
    Tell,
    doubtful,
    speech_s,
)
from voice.dialogue.plan_files import HELP, OTHER, SILENCE, START, Branch
from voice.dialogue.plans import Plan, heard_as, spoken
from voice.understanding.intents import Intent, Understood, words_of

MOST_S = 180.0  # of speaking and listening: a talk must not tire
MOST_QUESTIONS = 16  # with all repetitions
BEFORE_S = 1.0  # between chime and question
GOOD = {Meaning.FINE, Meaning.YES}
AGAIN = {Intent.REPEAT, Intent.SLOWER, Intent.LOUDER, Intent.TIME}
UNCLEAR = str(Intent.UNCLEAR)
HUBS_OWN = {  # the hub has its own words for these, whatever was asked
    Intent.COUNSEL: Meaning.COUNSEL,
    Intent.AWAY: Meaning.AWAY,
    Intent.HOME: Meaning.HOME,
}


class Talk(Struct, frozen=True):
    """The state of a talk; `left_s` and `left` bound what is still to come.

    Bad news is told as soon as it is known; good news is `held` until the end, since worse may come
    after it. So a crash during a talk loses no need, and reports nobody as fine.
    """

    plan: Plan
    slow: bool
    step: str = START
    tries: int = 0  # how often the present question was asked anew
    said: tuple[str, ...] = ()  # what "say that again" means
    heard: bool = False  # anything at all
    wordless: int = 0  # answers without a word in them
    told: bool = False
    held: Tell | None = None
    left_s: float = MOST_S
    left: int = MOST_QUESTIONS
    over: bool = False


Step = tuple[Talk, list[Act]]


def begin(plan: Plan, *, slow: bool) -> Step:
    """Begin a talk: its first acts end with `Listen`."""
    talk, acts = _ask(Talk(plan, slow), [], slow=slow)
    return talk, [Chime(), Pause(BEFORE_S), *acts] if plan.chime else acts


def step(talk: Talk, happening: Happening) -> Step:
    """Go on after what happened; the acts end with `Listen` or `End`.

    After the end only a call for help counts.
    """
    match happening:
        case Listened(understood=Understood(intent=Intent.HELP, what=what)):
            return replace(talk, over=True), [Tell(Meaning.HELP, what=what), End()]
        case Finished():
            return talk, []
        case _ if talk.over:
            return talk, []
        case Silence():
            return _not_answered(talk, [], (SILENCE, UNCLEAR) if talk.heard else (SILENCE,))
        case Listened(understood=understood):
            wordless = talk.wordless + understood.wordless
            return _heard(replace(talk, heard=True, wordless=wordless), understood)
        case _:
            assert_never(happening)


def _heard(talk: Talk, understood: Understood) -> Step:
    """Choose what follows: what is urgent, else what the plan says, else what every talk does."""
    intent, common = understood.intent, talk.plan.common
    if intent in AGAIN:
        return _say_again(talk, intent)
    if intent is Intent.UNWELL and understood.what in common.urgent:
        return _urgent(talk, Tell(Meaning.UNWELL, what=understood.what, closes=True))
    branch = None
    if intent is not Intent.UNCLEAR:
        branch = talk.plan.steps[talk.step].branch(*heard_as(understood)) or common.branch(intent)
    if branch is not None and not (branch.tell in GOOD and doubtful(understood)):
        return _follow(talk, branch, understood)
    if intent in HUBS_OWN:
        return _end(*_tell(talk, Tell(HUBS_OWN[intent])))
    return _not_answered(talk, [common.not_understood], (UNCLEAR,))


def _follow(talk: Talk, branch: Branch, understood: Understood) -> Step:
    """Follow a branch: tell, say back what was understood, and ask the next question or end."""
    talk, told = _tell(talk, _news(talk, branch, understood))
    if branch.then == HELP:
        return _urgent(talk, *told)
    known = talk.plan.common.heard
    says = spoken(branch.say, known.get(understood.what) or known.get(OTHER, ""))
    if not branch.then:
        return _end(talk, [*told, *(Speak(text, talk.slow) for text in says)])
    talk, more = _ask(replace(talk, step=branch.then, tries=0), says, slow=talk.slow)
    return talk, [*told, *more]


def _news(talk: Talk, branch: Branch, understood: Understood) -> Tell | None:
    guessed = branch.tell in GOOD and understood.intent not in {Intent.FINE, Intent.YES}
    if branch.tell is None or guessed:  # whatever a plan says: only who says "fine" is fine
        return None
    what, closes = branch.what or understood.what, bool(branch.say or branch.then)
    score = understood.score if understood.intent is Intent.OFTEN else 0
    if branch.tell is Meaning.UNCLEAR:
        return Tell(branch.tell, score, what, closes, wordless=talk.wordless)
    return Tell(branch.tell, score, what, closes, words_of(understood))


def _tell(talk: Talk, news: Tell | None) -> tuple[Talk, list[Tell]]:
    """Report bad news; hold good news back, unless there was bad news before."""
    if news is None:
        return talk, []
    if news.meaning not in GOOD:
        return replace(talk, told=True, held=None), [news]
    return talk if talk.told else replace(talk, held=news), []


def _urgent(talk: Talk, *told: Tell) -> Step:
    """End the talk and make the hub ask whether help is needed; on silence it raises the call."""
    what = told[0].what if told else ""
    talk, _ = _tell(talk, Tell(Meaning.HELP))
    return _end(talk, [*told, Tell(Meaning.HELP, what=what)])


def _not_answered(talk: Talk, first: list[str], heard: tuple[str, ...]) -> Step:
    """Ask once more, slower; then follow the plan's branch for no clear answer."""
    question = talk.plan.steps[talk.step]
    if talk.tries < question.again:
        return _ask(replace(talk, tries=talk.tries + 1), first, slow=True)
    if (branch := question.branch(*heard)) is not None:
        return _follow(talk, branch, Understood(Intent.UNCLEAR))
    return _end(talk, [] if talk.heard else [Speak(talk.plan.common.no_answer, talk.slow)])


def _say_again(talk: Talk, intent: Intent) -> Step:
    """Repeat the question as the resident asks. The stage has told the time itself before this."""
    common = talk.plan.common
    match intent:
        case Intent.REPEAT:
            return _speak(talk, talk.said, slow=True)
        case Intent.SLOWER:
            return _ask(replace(talk, slow=True), [common.slower], slow=True)
        case Intent.LOUDER:
            return _ask(talk, [common.louder], slow=talk.slow)
        case _:
            return _ask(talk, [], slow=talk.slow)


def _ask(talk: Talk, first: list[str], *, slow: bool) -> Step:
    return _speak(talk, (*first, talk.plan.asks(talk.step)), slow=slow)


def _speak(talk: Talk, texts: tuple[str, ...], *, slow: bool) -> Step:
    """Say the texts, of which the last is a question, and listen; end a talk that gets too long."""
    question, said = talk.plan.steps[talk.step], tuple(filter(None, texts))
    left_s = talk.left_s - question.listen_s - sum(speech_s(text, slow=slow) for text in said)
    if talk.left == 0 or (left_s < 0 and talk.said):
        return _end(talk, [Speak(talk.plan.common.enough, talk.slow)])
    talk = replace(talk, said=said, left=talk.left - 1, left_s=left_s)
    words = [Speak(text, slow) for text in said]
    return talk, [*words, Listen(question.expect, question.listen_s)]


def _end(talk: Talk, acts: Sequence[Tell | Speak]) -> Step:
    """End it: good news is told after its closing words; of any answer at least UNCLEAR is told."""
    last: list[Act] = [act for act in acts if act != Speak("", talk.slow)]
    if talk.held is not None:
        last.append(talk.held)
    elif talk.heard and not talk.told:
        last.append(Tell(Meaning.UNCLEAR, wordless=talk.wordless))
    return replace(talk, over=True, held=None), [*last, End()]
