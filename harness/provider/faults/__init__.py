"""The provider's faults, one file each."""

from harness.provider.faults.base import ProviderFault
from harness.provider.faults.brown_out import BrownOut
from harness.provider.faults.cut import Cut
from harness.provider.faults.duplicate_chunks import DuplicateChunks
from harness.provider.faults.empty_choices import EmptyChoices
from harness.provider.faults.error_event import ErrorEvent
from harness.provider.faults.huge_answer import HugeAnswer
from harness.provider.faults.inject import Inject
from harness.provider.faults.leak_pii import LeakPii
from harness.provider.faults.malformed_json import MalformedJson
from harness.provider.faults.missing_done import MissingDone
from harness.provider.faults.missing_usage import MissingUsage
from harness.provider.faults.outage import Outage
from harness.provider.faults.overload import Overload
from harness.provider.faults.rate_limit import RateLimit
from harness.provider.faults.refuse_content import RefuseContent
from harness.provider.faults.slow_first_token import SlowFirstToken
from harness.provider.faults.slow_headers import SlowHeaders
from harness.provider.faults.stall import Stall
from harness.provider.faults.status import Status
from harness.provider.faults.usage_above import UsageAbove
from harness.provider.faults.wrong_content_type import WrongContentType
from harness.provider.faults.wrong_model import WrongModel
from harness.provider.faults.wrong_usage import WrongUsage

KINDS: dict[str, type[ProviderFault]] = {
    "brown_out": BrownOut,
    "cut": Cut,
    "duplicate_chunks": DuplicateChunks,
    "empty_choices": EmptyChoices,
    "error_event": ErrorEvent,
    "huge_answer": HugeAnswer,
    "inject": Inject,
    "leak_pii": LeakPii,
    "malformed_json": MalformedJson,
    "missing_done": MissingDone,
    "missing_usage": MissingUsage,
    "outage": Outage,
    "overload": Overload,
    "rate_limit": RateLimit,
    "refuse_content": RefuseContent,
    "slow_first_token": SlowFirstToken,
    "slow_headers": SlowHeaders,
    "stall": Stall,
    "status": Status,
    "usage_above": UsageAbove,
    "wrong_content_type": WrongContentType,
    "wrong_model": WrongModel,
    "wrong_usage": WrongUsage,
}
"""Every kind by its name."""
