"""What one request costs the load worker, part by part: microseconds of CPU, median of seven rounds.

    python benchmarks/load_costs.py

Nothing is sent. The parts are the product's own; the figures of two parts compare, those of two machines do not.
"""

import locust  # noqa: F401, I001 - as in the worker: patched before anything else

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.exchange import End, Exchange, Outcome, Reading
from harness.load.carrier import Carrier
from harness.load.pulse import Pulse
from harness.load.recorder import Recorder
from harness.load.schedule import Schedule, build_schedule
from harness.load.wording import Wording
from harness.model.assignment import Assignment
from harness.model.outcome import Result, Source
from harness.model.plan import (
    ArrivalProcess,
    ArrivalSegment,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    ScenarioReference,
    TargetReference,
    UserClass,
)
from harness.model.signals import Comparison, Predicate, Signals, Where
from harness.rundir.schemas import SAMPLES_SCHEMA
from harness.rundir.tables import StreamWriter

COUNT = 20_000
S = 1_000_000_000
BODY = (
    b'{"id":"chatcmpl-1","object":"chat.completion","model":"sim-small","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}'
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: abcdefgh-1\r\nx-gateway-provider: primary\r\n"
    b"x-gateway-fallback: 0\r\nx-gateway-cache: miss\r\nx-gateway-cost-usd: 0.00012\r\ncontent-length: %d\r\n\r\n%b"
) % (len(BODY), BODY)
TOKEN = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"sim-small","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'  # noqa: E501
SIGNALS = Signals(
    sources=(
        (
            Source.SECONDARY,
            Predicate(where=Where.HEADER, key="x-gateway-provider", comparison=Comparison.EQUALS, value="secondary"),
        ),
    ),
    fallback=Predicate(where=Where.HEADER, key="x-gateway-fallback", comparison=Comparison.ABOVE, value=0),
    cache=Predicate(where=Where.HEADER, key="x-gateway-cache"),
    cost=Predicate(where=Where.HEADER, key="x-gateway-cost-usd"),
)


def plan() -> Plan:
    """Return a plan of `COUNT` arrivals."""
    return Plan(
        run_id="bench-abcdefgh",
        created_at="",
        harness_version="",
        scenario=ScenarioReference(name="", title="", path="", digest=""),
        target=TargetReference(kind="external", name=""),
        seed=1,
        phases=(Phase(name="steady", kind=PhaseKind.STEADY, start_ns=0, end_ns=20 * S),),
        load=LoadPlan(
            segments=(ArrivalSegment(process=ArrivalProcess.CONSTANT, start_ns=0, end_ns=20 * S, rate_rps=COUNT / 20),),
            mix=(UserClass(name="faq", weight_ratio=1, prompts=("What is {n}?",), model="sim-small"),),
            streamed_ratio=0.5,
            principals=100,
            request_timeout_ns=S,
            drain_ns=S,
        ),
        faults=(),
        objectives=(),
    )


def cost_us(part: Callable[[int], object], count: int = COUNT) -> float:
    """Return the CPU time of one call."""
    rounds = []
    for _ in range(7):
        before = time.process_time_ns()
        for index in range(count):
            part(index)
        rounds.append((time.process_time_ns() - before) / count / 1000)
    return statistics.median(rounds)


def record_cost_us(schedule: Schedule, outcome: Outcome) -> tuple[float, float]:
    """Return the CPU time of a sample, written, and its bytes on disk."""
    rounds = []
    with tempfile.TemporaryDirectory() as directory:
        for number in range(7):
            path = Path(directory) / f"{number}.arrows"
            recorder = Recorder(StreamWriter(path, SAMPLES_SCHEMA), schedule, worker=0, id_prefix="abcdefgh-")
            before = time.process_time_ns()
            for index in range(COUNT):
                recorder.record(index, outcome, started_ns=index, pool_wait_ns=5)
                if index % 1000 == 999:
                    recorder.flush()  # as once a second at 1,000 a second
            recorder.close()
            rounds.append((time.process_time_ns() - before) / COUNT / 1000)
        return statistics.median(rounds), path.stat().st_size / COUNT


def main() -> None:
    """Print the table."""
    schedule = build_schedule(plan())
    keys = {f"user-{number:04d}": "key" for number in range(100)}
    wording = Wording(schedule, Assignment(run_directory="", base_url="", keys=keys), host="127.0.0.1:1", run_id="bench-abcdefgh")
    reading, plain = Reading(SIGNALS), Reading(Signals())
    carrier = Carrier(lambda: None, host="http://127.0.0.1:1", on_error=lambda _: None)
    carrier.environment.events.request.add_listener(lambda **_: None)  # as under a master: with nobody there nothing is told
    pulse = Pulse(schedule, worker=0)

    def exchange(by: Reading) -> Outcome:
        one = Exchange(by, streamed=False)
        one.feed(ANSWER, 5)
        return one.outcome(End.COMPLETE, 6)

    outcome = exchange(reading)
    assert outcome.result is Result.ANSWERED
    assert outcome.claimed_cost_usd == 0.00012
    stream = Exchange(reading, streamed=True)
    stream.feed(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n", 1)
    chunk = b"%x\r\n%b\r\n" % (len(TOKEN), TOKEN)
    sample, size = record_cost_us(schedule, outcome)
    rows = [
        ("write the request", cost_us(wording.request)),
        ("read an answer, four signals", cost_us(lambda _: exchange(reading))),
        ("read an answer, no signals", cost_us(lambda _: exchange(plain))),
        ("read one token of a stream", cost_us(lambda index: stream.feed(chunk, index))),
        ("record a sample, written to disk", sample),
        ("count for live.jsonl", cost_us(lambda index: (pulse.started(index, index), pulse.ended(index, outcome)))),
        ("tell Locust's listeners", cost_us(lambda _: carrier.told("faq", outcome, 1, 200))),
    ]
    for name, microseconds in rows:
        print(f"{name:36} {microseconds:7.2f} us")
    print(f"{'a sample on disk':36} {size:7.0f} B")
    carrier.stop()


if __name__ == "__main__":
    main()
