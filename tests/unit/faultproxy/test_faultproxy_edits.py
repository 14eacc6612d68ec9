"""The law of edits: whatever is added, edited and removed while bytes flow both ways, no byte is lost or reordered."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.faultproxy.proxies import Proxies
from harness.faultproxy.proxy import Proxy
from harness.faultproxy.toxic import Toxic, checked_attributes

# The toxics that delay, cut up or hold, and never drop; the others drop by their nature.
LOSSLESS = {
    "latency": {"latency": st.sampled_from([0, 1, 5, 3_600_000]), "jitter": st.sampled_from([0, 1, 4])},
    "bandwidth": {"rate": st.sampled_from([0, 1, 50, 5000, 1_000_000])},
    "slicer": {
        "average_size": st.sampled_from([1, 7, 1000]),
        "size_variation": st.sampled_from([0, 3]),
        "delay": st.sampled_from([0, 50, 10_000]),
    },
    "slow_close": {"delay": st.sampled_from([0, 3, 3_600_000])},
    "reset_peer": {"timeout": st.just(3_600_000)},  # holds, and is removed in time
    "noop": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One step: what is done to which of three toxics, and how many milliseconds later the next one comes."""

    verb: str  # where the slot is empty, a toxic is added
    slot: int
    type: str
    stream: str
    toxicity: float
    attributes: dict[str, int]
    pause_ms: int


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    type_ = draw(st.sampled_from(sorted(LOSSLESS)))
    return Edit(
        verb=draw(st.sampled_from(["edit", "remove"])),
        slot=draw(st.integers(0, 2)),
        type=type_,
        stream=draw(st.sampled_from(["upstream", "downstream"])),
        toxicity=draw(st.sampled_from([0.0, 0.5, 1.0, 1.0])),
        attributes=draw(st.fixed_dictionaries(LOSSLESS[type_])),
        pause_ms=draw(st.sampled_from([0, 0, 1, 3])),
    )


def apply(proxy: Proxy, edit: Edit) -> None:
    """Do one edit by the proxy's own methods, as the API does."""
    name = f"t{edit.slot}"
    toxic = proxy.toxics.get(name)
    if toxic is None:
        attributes = checked_attributes(edit.type, edit.attributes)
        proxy.add(Toxic(name=name, type=edit.type, stream=edit.stream, toxicity=edit.toxicity, attributes=attributes))
    elif edit.verb == "edit":
        if toxic.type == edit.type:
            toxic.attributes.update(edit.attributes)
        toxic.toxicity = edit.toxicity
        proxy.edited(toxic)
    elif edit.verb == "remove":
        proxy.remove(toxic)


def numbered(tag: int) -> bytes:
    """Return a stream in which every place can be told from every other, larger than what a stage may hold."""
    return b"".join((tag << 24 | number).to_bytes(4, "big") for number in range(100_000))


TO_SERVER, TO_CLIENT = numbered(1), numbered(2)


async def send(writer: asyncio.StreamWriter, payload: bytes) -> None:
    for start in range(0, len(payload), 9_999):
        writer.write(payload[start : start + 9_999])
        await writer.drain()
        await asyncio.sleep(0.0002)
    writer.write_eof()


async def exchange(program: list[Edit]) -> tuple[bytes, bytes]:
    """Run the edits while both ends send at once; return what server and client received."""
    at_server: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sending = asyncio.create_task(send(writer, TO_CLIENT))
        at_server.set_result(await reader.read(-1))
        await sending
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxies = Proxies(seed=3)
    port = server.sockets[0].getsockname()[1]
    proxy = proxies.new(name="p", listen="127.0.0.1:0", upstream=f"127.0.0.1:{port}")
    await proxies.add(proxy, enabled=True)
    host, port = proxy.listen.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(4):
            sending = asyncio.create_task(send(writer, TO_SERVER))
            receiving = asyncio.create_task(reader.read(-1))
            for edit in program:
                apply(proxy, edit)
                await asyncio.sleep(edit.pause_ms / 1000)
            proxy.remove_all()
            await sending
            return await at_server, await receiving
    finally:
        writer.close()
        proxies.close()
        server.close()


def in_uvloop(work: Coroutine[Any, Any, tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    return uvloop.run(work)


@pytest.mark.parametrize("run", [asyncio.run, in_uvloop], ids=["asyncio", "uvloop"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(program=st.lists(edits(), min_size=1, max_size=40))
def test_edits_lose_no_byte_and_reorder_nothing(run: Any, program: list[Edit]) -> None:
    at_server, at_client = run(exchange(program))
    assert at_server == TO_SERVER
    assert at_client == TO_CLIENT
