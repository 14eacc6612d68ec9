"""How often: a fixed window of 60 s from the user's first request, and one for all users; exact over instances.

One script looks at every limit before it counts in any; the store's expiry is the only clock.
"""

from reference_service.errors import GuardUnavailable, RateLimited, StoreUnavailable
from reference_service.store import Script, Store
from reference_service.turn import Turn

# KEYS: a window each. ARGV: window in ms, then a limit a key.
# Returns {index of the full window or 0, count and ms left of that window or of the first}.
WINDOWS = Script("""
local counts = {}
for i, key in ipairs(KEYS) do
  counts[i] = tonumber(redis.call('GET', key) or '0')
  if counts[i] >= tonumber(ARGV[i + 1]) then
    return {i, counts[i], redis.call('PTTL', key)}
  end
end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[1]) end
end
return {0, counts[1] + 1, redis.call('PTTL', KEYS[1])}
""")


class RateLimit:
    """Counts the request, or refuses it."""

    def __init__(self, store: Store, *, limit: int, global_limit: int, window_s: float) -> None:
        self._store = store
        self._limit = limit
        self._global_limit = global_limit
        self._window_ms = int(window_s * 1000)

    async def __call__(self, turn: Turn) -> None:
        """Raise RateLimited with a true Retry-After, or GuardUnavailable when the store is down: a limit fails closed."""
        keys = (f"rate:user:{turn.who.account_id}", "rate:global")
        try:
            full, count, left_ms = await self._store.script(WINDOWS, keys, (self._window_ms, self._limit, self._global_limit))
        except StoreUnavailable as error:
            raise GuardUnavailable("rate_limit") from error
        reset_s = max(1, -(-int(left_ms) // 1000))
        mine = full != 2
        turn.limits = {
            "x-ratelimit-limit-requests": str(self._limit if mine else self._global_limit),
            "x-ratelimit-remaining-requests": str(max(0, self._limit - int(count)) if not full else 0),
            "x-ratelimit-reset-requests": str(reset_s),
        }
        if full:
            scope = "user" if mine else "global"
            raise RateLimited(
                f"Too many requests; try again in {reset_s} s.", headers={"retry-after": str(reset_s)}, details={"scope": scope}
            )
