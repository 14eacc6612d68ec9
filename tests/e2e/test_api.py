"""The Python interface on real parts: what its documentation shows, run."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from harness import api
from harness.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "use-from-python.md"


def ask(url: str, key: str = "any", *, model: str = "sim-small", question: str = "Why is the sky blue?") -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    return httpx.post(f"{url}/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=10.0)


def test_the_provider_alone_answers_breaks_and_remembers():
    with api.provider() as provider:
        assert ask(provider.primary).status_code == 200
        with provider.fault("status", code=429) as fault:
            assert ask(provider.primary).status_code == 429
            assert ask(provider.secondary).status_code == 200
        assert fault.acted is not None
        assert fault.acted.count == 1
        assert ask(provider.primary).status_code == 200
        assert sorted(call["status_code"] for call in provider.calls()) == [200, 200, 200, 429]
        with pytest.raises(ConfigurationError, match="did you mean"), provider.fault("statuss"):
            pass
        provider.reset()
        assert provider.calls() == []


def test_a_stack_is_broken_for_a_block_and_whole_after_it(tmp_path: Path):
    with api.stack(users=1, logs=tmp_path, plugins=[ROOT / "examples" / "extensions" / "ours.py"]) as stack:
        key = next(iter(stack.keys.values()))
        assert ask(f"{stack.base_url}/v1", key, model="auto").headers["x-gateway-fallback"] == "0"
        with stack.fault("provider.primary", "timeout") as fault:
            answer = ask(f"{stack.base_url}/v1", key, model="auto", question="And why is the sea?")  # not in its cache
            assert answer.headers["x-gateway-fallback"] == "1"
        assert fault.acted is not None
        assert fault.acted.count
        with pytest.raises(ConfigurationError, match="provider"), stack.fault("provider.primry", "timeout"):
            pass
        with stack.fault("redis", "write_pause") as own:  # a plug-in's, confirmed from outside before the block begins
            pass
        assert (own.at, own.kind) == ("dependencies.redis", "write_pause")
        assert {call["endpoint"] for call in stack.calls()} >= {"primary", "secondary"}
        # An error of the block's own heals too.
        with pytest.raises(ZeroDivisionError), stack.fault("redis", "latency", latency=50):
            raise ZeroDivisionError
    with pytest.raises(httpx.ConnectError):
        ask(f"{stack.base_url}/v1", key)


def test_every_example_of_the_documentation_runs(tmp_path: Path):
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 4
    programs = [each for each in examples if "def test_" not in each]
    tests = [each for each in examples if "def test_" in each]
    (tmp_path / "program.py").write_text("\n".join(programs))
    (tmp_path / "test_examples.py").write_text("\n".join(tests))
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:locust", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
    tested = subprocess.run(
        [*command, "test_examples.py"], cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
