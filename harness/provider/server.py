"""The process: listens, says where, and ends within a second of a signal."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from harness.errors import StackError
from harness.provider.control import Control
from harness.provider.endpoint import Endpoint
from harness.provider.faults.board import Board
from harness.provider.generation import FirstTokens
from harness.provider.pacing import Pacer
from harness.provider.relay import Purse, RelayEndpoint, RelayOrder
from harness.provider.state import State
from harness.provider.wire import Connection, Request

BACKLOG = 4_096
SWEEP_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen; port 0 lets the kernel choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def serve(
    *,
    endpoints: Mapping[str, Address],
    control: Address,
    seed: int,
    ready: Callable[[Mapping[str, Address], Address], None],
    relay: RelayOrder | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; call `ready` with the real addresses once all ports listen. Raises StackError.

    relay: which endpoints stand before a real provider.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _allow_many_descriptors()
    pacer = Pacer(loop)
    board = Board(tuple(endpoints), seed=seed, relayed=() if relay is None else relay.upstreams)
    state = State(seed=seed, pacer=pacer, board=board, first_tokens=FirstTokens(seed))
    purse = None if relay is None else Purse(relay.spend_cap_usd)
    connections: set[Connection] = set()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(pacer.close)
        bound = {}
        for name, address in endpoints.items():
            bound[name] = await _listen(stack, address, _answers(name, state, relay, purse), connections)
        bound_control = await _listen(stack, control, Control(state).serve, connections)
        # What lives now lives to the end: the collector need not look at it again.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        ready(bound, bound_control)
        sweep = asyncio.create_task(_sweep(connections))
        await stop.wait()
        sweep.cancel()
        for connection in list(connections):
            connection.close(abruptly=True)


def _answers(name: str, state: State, relay: RelayOrder | None, purse: Purse | None) -> Callable[[Connection, Request], None]:
    if relay is None or purse is None or name not in relay.upstreams:
        return Endpoint(name, state).serve
    return RelayEndpoint(name, state, relay.upstreams[name], token=relay.token, models=relay.models(), purse=purse).serve


async def _listen(
    stack: contextlib.AsyncExitStack,
    address: Address,
    answer: Callable[[Connection, Request], None],
    connections: set[Connection],
) -> Address:
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: Connection(answer, connections), address.host, address.port, backlog=BACKLOG)
    except OSError as error:
        # The loop's own message repeats the address; the number's is the plain reason.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise StackError(f"cannot listen on {address}: {reason}", advice="choose a free port, or port 0") from error
    except OverflowError as error:
        raise StackError(f"cannot listen on {address}: {error}") from error
    stack.callback(server.close)
    host, port = server.sockets[0].getsockname()[:2]
    return Address(host=host, port=port)


async def _sweep(connections: set[Connection]) -> None:
    """Drop connections whose request does not come to its end."""
    while True:
        await asyncio.sleep(SWEEP_S)
        now_ns = time.monotonic_ns()
        for connection in [each for each in connections if each.overdue(now_ns)]:
            connection.close(abruptly=True)


def _allow_many_descriptors() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def fastest_loop() -> Iterator[asyncio.Runner]:
    """Yield a runner on uvloop where that can be imported, else on asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner
