"""The window of the limit that all users share, filled until little is left of it: no load of a run comes near its limit."""

import time

from harness.errors import FaultError, StackError
from harness.faults.resp import Store
from harness.model.probe import Action, ActionDone
from harness.model.target import Dependency

KEY = "rate:global"
"""Where the service counts everybody's requests: a number that expires with its window."""

_FILL = """
local counted = redis.call('GET', KEYS[1])
if not counted then return {} end
redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')
return {tonumber(counted), redis.call('PTTL', KEYS[1])}
"""
"""In one step, so that no request is counted between the look and the filling."""
_BEGINS_WITHIN_S = 2.0
_POLL_S = 0.005


def fill_global_window(store: Dependency, action: Action) -> ActionDone:
    """End the present window, let the service begin another, and fill that to `left` requests below `limit`.

    The new window is the service's own, with the expiry that it gave it. Told are `window_ms`, what was left of that when
    the window was filled, -1 of one that never ends and None where no request began one within two seconds; and `counted`,
    the requests that it had before. Raises StackError.
    """
    limit, left = int(action.arguments["limit"]), int(action.arguments["left"])
    deadline = time.monotonic() + _BEGINS_WITHIN_S
    try:
        with Store(store.address, store.password) as connection:
            connection.call("DEL", KEY)
            while time.monotonic() < deadline:
                filled = connection.call("EVAL", _FILL, 1, KEY, limit - left)
                if isinstance(filled, list) and len(filled) == 2:
                    counted, window_ms = (int(str(figure)) for figure in filled)
                    return ActionDone(told={"left": left, "counted": counted, "window_ms": window_ms})
                time.sleep(_POLL_S)
    except FaultError as error:
        raise StackError(f"the window of all users cannot be filled: {error.message}") from error
    return ActionDone(told={"left": left, "counted": 0, "window_ms": None})
