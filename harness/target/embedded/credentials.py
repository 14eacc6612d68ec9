"""The users and secrets of one run: made for it, known to nobody afterwards."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.target import Needs
from harness.target.supervise.logs import Mask

_TENANTS = ("tenant-a", "tenant-b")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user of the service. daily_budget_usd: None where there is no cap."""

    name: str
    key: str = field(repr=False)
    tenant: str
    daily_budget_usd: float | None
    role: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Everything of a run that must not be shown."""

    users: tuple[User, ...]
    database_password: str = field(repr=False)
    store_password: str = field(repr=False)
    provider_key: str = field(repr=False)

    @classmethod
    def generate(cls, needs: Needs) -> "Credentials":
        """Return new secrets: ordinary users `user-0000` and on over two tenants, capped ones each in a tenant of its own,
        and those that checks need in the tenants that they name."""
        ordinary: Mapping[str, float | None] = {f"user-{number:04d}": None for number in range(needs.principals)}
        users = [
            User(name=name, key=_key(), tenant=_TENANTS[number % len(_TENANTS)], daily_budget_usd=None)
            for number, name in enumerate(ordinary)
            if name not in needs.capped_principals
        ]
        users += [
            User(
                name=made.name, key=_key(), tenant=made.tenant or f"tenant-of-{made.name}", daily_budget_usd=None, role=made.role
            )
            for made in needs.made
        ]
        users += [
            User(name=name, key=_key(), tenant=f"tenant-of-{name}", daily_budget_usd=budget_usd)
            for name, budget_usd in needs.capped_principals.items()
        ]
        return cls(
            users=tuple(users),
            database_password=secrets.token_hex(24),
            store_password=secrets.token_hex(24),
            provider_key=f"pk-{secrets.token_hex(24)}",
        )

    @property
    def keys(self) -> dict[str, str]:
        """User to API key."""
        return {user.name: user.key for user in self.users}

    @property
    def mask(self) -> Mask:
        """What hides all of them in a text."""
        return Mask.of([self.database_password, self.store_password, self.provider_key, *self.keys.values()])

    def provisioning(self) -> str:
        """Return what `reference_service.provision` reads: JSON with every user and key."""
        users = [
            {
                "name": user.name,
                "key": user.key,
                "tenant": user.tenant,
                "daily_budget_usd": user.daily_budget_usd,
                "role": user.role,
            }
            for user in self.users
        ]
        return json.dumps({"users": users})


def _key() -> str:
    return f"sk-{secrets.token_hex(24)}"
