"""What kind of question it is, and which model answers it with how many tokens.

greeting and escalation are answered by rule. An FAQ of low complexity goes to the small model, all else to the large
one; whether 90 % of a budget is gone, and the cheap model must do, is for the ledger to say (`reserve_budget`).
"""

import re

from reference_service.database import Database
from reference_service.errors import GuardUnavailable, StoreUnavailable
from reference_service.guards.validate import AUTO
from reference_service.pricing import count_tokens
from reference_service.settings import Settings
from reference_service.turn import Answer, Intent, Turn, Usage

_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings|halo|hai)(?: there| all| team)?[\s!.,]*", re.IGNORECASE
)
_ESCALATION = re.compile(
    r"\b(?:(?:talk|speak|connect|transfer)\b.{0,40}\b(?:human|person|agent|representative|manager|someone)|"
    r"human agent|real person|file a complaint|lawyer|supervisor)\b",
    re.IGNORECASE,
)
_FAQ = re.compile(
    r"\b(?:opening hours|business hours|reset my password|payment methods?|invoice|cancel (?:my )?order|"
    r"track (?:my )?order|shipping cost|return policy|contact (?:number|details)|price list|where are you located)\b",
    re.IGNORECASE,
)
_HARD = re.compile(
    r"\b(?:explain|compare|analy[sz]e|summari[sz]e|describe|why|step by step|difference|exceptions?|trade-?offs?)\b",
    re.IGNORECASE,
)

_RECORD = "insert into escalation (request_id, account_id) values ($1, $2) on conflict do nothing"
GREETING = "Hello! How can I help you today?"
ESCALATION = "I am passing you on to a colleague, who will answer you in person."


def intent_of(text: str) -> Intent:
    """Return the intent by rules; what no rule knows is a knowledge question."""
    if _GREETING.fullmatch(text):
        return "greeting"
    if _ESCALATION.search(text):
        return "escalation"
    if _FAQ.search(text) and len(text.split()) <= 15:
        return "faq"
    return "knowledge"


def complexity_of(text: str) -> float:
    """Return 0..1: long questions, several clauses and words such as `compare` make it harder."""
    words = len(text.split())
    score = min(words / 60, 0.5) + 0.2 * min(len(_HARD.findall(text)), 2) + 0.05 * min(text.count(",") + text.count(";"), 2)
    return min(1.0, round(score, 3))


def max_tokens_of(intent: Intent, text: str, settings: Settings, asked: int | None) -> int:
    """Return the cap: 100 for an FAQ, else three times the user's own message, 16 to 500; a client may ask for less."""
    s = settings
    own = s.faq_max_tokens if intent == "faq" else max(s.answer_min_tokens, min(3 * count_tokens(text), s.answer_max_tokens))
    return own if asked is None else min(own, asked)


class Route:
    """Sets `intent`, `complexity`, `model`, `max_tokens`; answers greetings and escalations itself."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    async def __call__(self, turn: Turn) -> None:
        """Raise GuardUnavailable when an escalation cannot be recorded: a person who was promised must come."""
        s, text = self._settings, turn.asked.last
        turn.intent = intent_of(text)
        turn.complexity = complexity_of(text)
        if turn.intent == "greeting":
            _by_rule(turn, GREETING)
            return
        if turn.intent == "escalation":
            try:
                await self._database.rows(_RECORD, turn.uid, turn.who.account_id)
            except StoreUnavailable as error:
                raise GuardUnavailable("route") from error
            _by_rule(turn, ESCALATION)
            return
        turn.max_tokens = max_tokens_of(turn.intent, text, s, turn.asked.max_tokens)
        if turn.asked.model != AUTO:
            turn.model = turn.asked.model
        elif turn.intent == "faq" and turn.complexity < s.simple_complexity:
            turn.model = s.small_model
        else:
            turn.model = s.large_model


def _by_rule(turn: Turn, text: str) -> None:
    turn.source = "rule"
    turn.answer = Answer(text=text, finish_reason="stop", usage=Usage(prompt_tokens=0, completion_tokens=0))
