"""What kind of question it is, and which model answers it with how many tokens.

The workflows' files say which messages are whose; greeting, feedback and escalation are answered by rule. An FAQ of
low complexity goes to the small model, all else to the large one; whether 90 % of a budget is gone, and the cheap model
must do, is for the ledger to say (`reserve_budget`).
"""

import re

from reference_service.database import Database
from reference_service.errors import GuardUnavailable, StoreUnavailable
from reference_service.guards.validate import AUTO
from reference_service.pricing import count_tokens
from reference_service.sealing import Sealer
from reference_service.settings import Settings
from reference_service.turn import Answer, Intent, Turn, Usage
from reference_service.workflow import Workflow, Workflows

_HARD = re.compile(
    r"\b(?:explain|compare|analy[sz]e|summari[sz]e|describe|why|step by step|difference|exceptions?|trade-?offs?)\b",
    re.IGNORECASE,
)

_RECORD = (
    "insert into escalation (request_id, account_id, tenant, question_sealed) values ($1, $2, $3, $4) on conflict do nothing"
)
_SCORE = "insert into feedback (account_id, request_id, score) values ($1, $2, $3)"


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
    """Sets `intent`, `complexity`, `model`, `max_tokens`; answers itself what a workflow answers by rule."""

    def __init__(self, settings: Settings, database: Database, workflows: Workflows, sealer: Sealer) -> None:
        self._settings = settings
        self._database = database
        self._workflows = workflows
        self._sealer = sealer

    async def __call__(self, turn: Turn) -> None:
        """Raise GuardUnavailable when an escalation or a score cannot be recorded: a person who was promised must come."""
        s, text = self._settings, turn.asked.last
        turn.intent = self.intent_of(text)
        turn.complexity = complexity_of(text)
        workflow = self._workflows.of(turn.intent)
        if workflow.by_rule is not None:
            await self._record(turn, workflow)
            _by_rule(turn, workflow.by_rule)
            return
        turn.max_tokens = max_tokens_of(turn.intent, text, s, turn.asked.max_tokens)
        if turn.asked.model != AUTO:
            turn.model = turn.asked.model
        elif turn.intent == "faq" and turn.complexity < s.simple_complexity:
            turn.model = s.small_model
        else:
            turn.model = s.large_model

    def intent_of(self, text: str) -> Intent:
        """Return what kind of question it is."""
        return self._workflows.intent_of(text)

    async def _record(self, turn: Turn, workflow: Workflow) -> None:
        try:
            if workflow.name == "escalation":
                sealed = self._sealer.seal(turn.asked.last.encode(), f"escalation:{turn.uid}:question_sealed")
                await self._database.rows(_RECORD, turn.uid, turn.who.account_id, turn.who.tenant, sealed)
            elif workflow.name == "feedback":
                await self._database.rows(_SCORE, turn.who.account_id, turn.request_id, workflow.number_in(turn.asked.last) or 1)
        except StoreUnavailable as error:
            raise GuardUnavailable("route") from error


def _by_rule(turn: Turn, text: str) -> None:
    turn.source = "rule"
    turn.answer = Answer(text=text, finish_reason="stop", usage=Usage(prompt_tokens=0, completion_tokens=0))
