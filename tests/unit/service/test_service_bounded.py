"""Waiting with a bound: what comes when nobody waits any more is given to whoever can end it, and is never lost."""

import asyncio

import pytest

from reference_service.bounded import bounded


async def _given_when(happens: str) -> tuple[list[str], str]:
    """Return what was given to `unwanted`, and how the wait ended, where the work's last step and `happens` share a turn."""
    gate, unwanted = asyncio.get_running_loop().create_future(), list[str]()

    async def work() -> str:
        await gate
        return "a connection"

    waiting = asyncio.ensure_future(bounded(work(), 60.0, unwanted=unwanted.append))
    for _ in range(3):
        await asyncio.sleep(0)
    if happens != "cancelled before":
        gate.set_result(None)
    if happens.startswith("cancelled"):
        if happens == "cancelled late":
            await asyncio.sleep(0)  # the work is done; who waits for it has not heard yet
        waiting.cancel()
    await asyncio.wait({waiting})
    await asyncio.sleep(0)
    return unwanted, "cancelled" if waiting.cancelled() else waiting.result()


@pytest.mark.parametrize(("happens", "unwanted", "ends"), [
    ("done", [], "a connection"),
    ("cancelled at once", ["a connection"], "cancelled"),
    ("cancelled late", ["a connection"], "cancelled"),
    ("cancelled before", [], "cancelled"),
])  # fmt: skip
def test_what_comes_in_the_turn_in_which_its_caller_is_cancelled_is_not_lost(
    happens: str, unwanted: list[str], ends: str
) -> None:
    assert asyncio.run(_given_when(happens)) == (unwanted, ends)


def test_work_that_does_not_let_itself_be_cancelled_is_not_lost_either() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "after all"
        return ""

    async def late() -> list[str]:
        unwanted: list[str] = []
        with pytest.raises(TimeoutError):
            await bounded(stubborn(), 0.005, unwanted=unwanted.append)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return unwanted

    assert asyncio.run(late()) == ["after all"]
