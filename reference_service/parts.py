"""The class of every part of the service: the seam at which a planted defect takes one part's place.

A healthy service is `Parts()`. A defect is a file in `reference_service/defects/` with a subclass that does one thing
wrong, and `plant`, which puts it into the parts (`plant_tool` for an operator's tool). No guard knows of defects.
"""

from dataclasses import dataclass

from reference_service.alerts import BudgetAlerts
from reference_service.audit import Audit
from reference_service.breaker import Breaker
from reference_service.database import Database
from reference_service.defects import planted
from reference_service.events import Events
from reference_service.guards.audit import AuditGuard
from reference_service.guards.authenticate import Authenticate
from reference_service.guards.cache import Cache
from reference_service.guards.call_provider import CallProvider
from reference_service.guards.log import Log
from reference_service.guards.rate_limit import RateLimit
from reference_service.guards.reserve_budget import ReserveBudget
from reference_service.guards.retrieve import Retrieve
from reference_service.guards.route import Route
from reference_service.guards.screen import Screen
from reference_service.guards.screen_answer import ScreenAnswer
from reference_service.guards.settle import Settle
from reference_service.guards.validate import Validate
from reference_service.health import Health
from reference_service.ledger import Ledger
from reference_service.message_store import DeskStore
from reference_service.metrics import Metrics
from reference_service.operations.flags import RolloutProvider
from reference_service.provider.endpoint import Endpoint
from reference_service.queue import Queue
from reference_service.retrieval.knowledge import Knowledge
from reference_service.sealing import Sealer
from reference_service.settings import Settings
from reference_service.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Which class makes each part; resources and pipeline make them from here and nowhere else."""

    database: type[Database] = Database
    store: type[Store] = Store
    alerts: type[BudgetAlerts] = BudgetAlerts
    ledger: type[Ledger] = Ledger
    endpoint: type[Endpoint] = Endpoint
    provider_breaker: type[Breaker] = Breaker
    guard_breaker: type[Breaker] = Breaker
    metrics: type[Metrics] = Metrics
    authenticate: type[Authenticate] = Authenticate
    rate_limit: type[RateLimit] = RateLimit
    validate: type[Validate] = Validate
    screen: type[Screen] = Screen
    cache: type[Cache] = Cache
    knowledge: type[Knowledge] = Knowledge
    route: type[Route] = Route
    retrieve: type[Retrieve] = Retrieve
    reserve_budget: type[ReserveBudget] = ReserveBudget
    call_provider: type[CallProvider] = CallProvider
    screen_answer: type[ScreenAnswer] = ScreenAnswer
    settle: type[Settle] = Settle
    audit: type[AuditGuard] = AuditGuard
    audit_log: type[Audit] = Audit
    log: type[Log] = Log
    events: type[Events] = Events
    health: type[Health] = Health
    flags: type[RolloutProvider] = RolloutProvider
    sealer: type[Sealer] = Sealer
    queue: type[Queue] = Queue
    desk_store: type[DeskStore] = DeskStore


def parts_for(settings: Settings) -> Parts:
    """Return the parts of a healthy service, or with the one defect that the settings name.

    Raises SettingsError for an unknown defect, and for any where the service is not told that it is under test.
    """
    return planted(settings.defect, settings.under_test, Parts(), "plant")
