"""What a check of the service works with: instances, users, the provider's faults and books, the stores in its hand."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import redis
from forge import run
from prometheus_client.parser import text_string_to_metric_families
from service_stack import Instance, Process, Stack, direct

QUESTION = "Explain step by step how the warranty for device 7 works."
CHAT = "/v1/chat/completions"
Key = dict[str, str]
PLANTED_WITHIN_S = 3.0
"""Several times what a healthy service takes for anything that a check waits for in this way."""


@dataclass
class Users:
    """Users that were provisioned at once, handed out one by one: a user a check, so that no check feels another."""

    stack: Stack
    common: Iterator[Key] = field(init=False)
    others: Iterator[Key] = field(init=False)
    admins: Iterator[Key] = field(init=False)

    def __post_init__(self) -> None:
        self.common = iter(self.stack.users(2500))
        self.others = iter(self.stack.users(20, tenant="other"))
        self.admins = iter(self.stack.users(20, role="admin"))


@dataclass
class Bench:
    """One or two running instances and everything around them."""

    stack: Stack
    users: Users
    instances: list[Instance]
    settings: dict[str, str]

    @property
    def service(self) -> Instance:
        return self.instances[0]

    def key(self, *, budget_usd: float | None = None, spent_usd: float = 0.0) -> Key:
        key = next(self.users.common)
        if budget_usd is not None:
            self.stack.sql(f"update account set daily_budget_nanousd = {round(budget_usd * 1e9)} where name = '{name_of(key)}'")
        if spent_usd:
            self.stack.sql(
                "insert into budget (scope, day, spent_nanousd) select 'user:' || id, (now() at time zone 'utc')::date, "
                f"{round(spent_usd * 1e9)} from account where name = '{name_of(key)}'"
            )
        return key

    def keys(self, count: int) -> list[Key]:
        return [next(self.users.common) for _ in range(count)]

    def fault(self, kind: str, *, endpoint: str = "primary", **parameters: object) -> None:
        fault = {"id": f"{endpoint}-{kind}", "endpoint": endpoint, "kind": kind, "parameters": parameters}
        direct.put(f"{self.stack.control}/faults", json=fault).raise_for_status()

    def environment(self, **more: str) -> dict[str, str]:
        """Return what the instances were told, defect included, for a program beside them."""
        return {"PATH": os.environ["PATH"], **self.stack.environment(**{**self.settings, **more})}

    def tool(self, module: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one of the service's programs to its end; `more` are variables."""
        return run(
            [sys.executable, "-m", f"reference_service.{module}", *arguments], env={**self.environment(), **more}, timeout_s=60
        )

    @contextlib.contextmanager
    def worker(self, **more: str) -> Iterator[Process]:
        """Give a worker, which is stopped afterwards unless it was killed."""
        told = self.environment(worker_lease_s="1", worker_poll_s="0.05", **more)
        process = self.stack.program(["-m", "reference_service.worker"], told)
        try:
            yield process
        finally:
            process.stop()

    def post(self, key: Key, text: str = QUESTION, *, name: str = "", request_id: str = "") -> str:
        """Leave a message; return its id."""
        headers = {**key, **({"idempotency-key": name} if name else {}), **({"x-request-id": request_id} if request_id else {})}
        answer = self.service.client.post("/message", headers=headers, json={"messages": [{"role": "user", "content": text}]})
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def status(self, key: Key, message: str) -> str:
        return self.service.client.get(f"/message/{message}", headers=key).json()["status"]

    def heal(self) -> None:
        direct.delete(f"{self.stack.control}/faults")

    def calls(self, endpoint: str | None = None, **fields: object) -> list[dict]:
        every = direct.get(f"{self.stack.control}/calls").json()
        wanted = fields if endpoint is None else {"endpoint": endpoint, **fields}
        return [call for call in every if all(call[name] == value for name, value in wanted.items())]

    def meter(self) -> list[dict]:
        return direct.get(f"{self.stack.control}/meter").json()

    def meter_usd(self) -> float:
        return sum(line["cost_usd"] for line in self.meter())

    def charged_usd(self, key: Key) -> float:
        return self._of(key, "coalesce(sum(r.charged_nanousd), 0)") / 1e9

    def held(self, key: Key) -> int:
        return self._of(key, "count(*) filter (where r.state = 'held')")

    def _of(self, key: Key, what: str) -> int:
        rows = self.stack.sql(
            f"select {what} from reservation r join account a on a.id = r.account_id where a.name = '{name_of(key)}'"
        )
        return int(rows[0][0])

    def ask(self, key: Key, text: str = QUESTION, *, at: int = 0, within_s: float = 6.0, **body: object) -> httpx.Response:
        """Ask once. No answer in time is a failed check, not a broken test."""
        headers = {**key, **body.pop("headers", {})}  # type: ignore[dict-item]
        fields = {"messages": [{"role": "user", "content": text}], **body}
        began = time.monotonic()
        try:
            answer = self.instances[at].client.post(CHAT, json=fields, headers=headers, timeout=within_s)
        except httpx.TimeoutException as error:
            raise AssertionError(f"no answer within {within_s} s") from error
        assert time.monotonic() - began < within_s, f"no answer within {within_s} s"
        return answer

    def burst(self, keys: list[Key], text: str = QUESTION, **body: object) -> list[httpx.Response]:
        with ThreadPoolExecutor(len(keys)) as pool:
            return list(pool.map(lambda pair: self.ask(pair[1], text, at=pair[0] % len(self.instances), **body), enumerate(keys)))

    def leave_in_the_middle(self, key: Key) -> None:
        """Take the first piece of a stream that then stalls, and leave."""
        self.fault("stall", after_chunks=3)
        fields = {"messages": [{"role": "user", "content": QUESTION}], "stream": True}
        with self.service.client.stream("POST", CHAT, headers=key, json=fields) as answer:
            next(answer.iter_bytes())

    def told_within_s(self, within_s: float) -> float:
        """Return how long to wait for what tells a broken service from a healthy one.

        A healthy one has all the time that a busy machine may take. Of a broken one it is known that nothing will come.
        """
        return min(within_s, PLANTED_WITHIN_S) if "defect" in self.settings else within_s

    def becomes(self, happened: object, within_s: float = 3.0, what: str = "it") -> None:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if happened():  # type: ignore[operator]
                return
            time.sleep(0.05)
        raise AssertionError(f"{what} did not happen within {within_s} s")

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a sample over all series with these labels."""
        text = self.service.client.get("/metrics").text
        found = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found)

    def logged(self, request_id: str) -> str:
        """Return the whole log once this request's line stands in it: it is written after the answer has left."""
        self.becomes(lambda: request_id in self.log_text(), 10.0, f"the line of {request_id}")
        return self.log_text()

    def log_text(self) -> str:
        return "".join(instance.process.log.read_text() for instance in self.instances)

    def store(self) -> redis.Redis:
        return redis.Redis.from_url(self.stack.store_url)

    @contextlib.contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Lock a table for as long as the block lasts, so that every statement on it hangs."""
        with subprocess.Popen(self.stack.psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as psql:
            assert psql.stdin is not None
            assert psql.stdout is not None
            try:
                psql.stdin.write(f"begin;\nlock table {table} in access exclusive mode;\nselect 'locked';\n")
                psql.stdin.flush()
                while psql.stdout.readline().strip() != "locked":
                    assert psql.poll() is None, f"{table} could not be locked"
                yield
            finally:
                psql.stdin.close()


def name_of(key: Key) -> str:
    return f"u-{key['authorization'][-12:]}"


def text_of(answer: httpx.Response) -> str:
    return answer.json()["choices"][0]["message"]["content"]


@contextlib.contextmanager
def bench(stack: Stack, users: Users, *, instances: int = 1, running: Instance | None = None, **settings: str) -> Iterator[Bench]:
    """Give instances of their own, or the one that runs already, with a whole provider and an empty store."""
    direct.delete(f"{stack.control}/faults")
    direct.post(f"{stack.control}/reset")
    redis.Redis.from_url(stack.store_url).flushall()
    settings = {name: value.replace("{folder}", str(stack.folder)) for name, value in settings.items()}
    with contextlib.ExitStack() as started:
        try:
            every = [running or started.enter_context(stack.instance(**settings)) for _ in range(instances)]
            yield Bench(stack, users, every, settings)
        finally:
            direct.delete(f"{stack.control}/faults")
