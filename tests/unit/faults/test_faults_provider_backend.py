"""The provider's control port, as the backend uses it."""

import json

import httpx
import pytest
import respx

from harness.errors import FaultError
from harness.faults.guardian.undo import HttpStep
from harness.faults.provider import ProviderBackend
from harness.model.fault import Acted, ActedBy, Fault

URL = "http://127.0.0.1:9001"
FAULT = Fault(
    id="busy",
    at="provider.secondary",
    kind="status",
    phase="outage",
    apply_ns=0,
    clear_ns=1,
    parameters={"code": 429, "share": 0.5, "only_model": "sim-large"},
    seed=7,
)
SHOWN = {
    "id": "busy",
    "endpoint": "secondary",
    "kind": "status",
    "parameters": {"code": 429},
    "trigger": {"share": 0.5, "model": "sim-large"},
    "seed": 7,
    "acted": 3,
    "held": 0,
    "cleared_by": None,
}


@pytest.fixture
def api():
    with respx.mock(base_url=URL, assert_all_called=False) as mock:
        yield mock


@pytest.fixture
def backend():
    return ProviderBackend(URL)


def test_a_fault_is_sent_with_its_trigger_apart(api, backend):
    route = api.put("/faults").respond(json=SHOWN)
    backend.apply(FAULT)
    assert json.loads(route.calls.last.request.content) == {
        "id": "busy",
        "endpoint": "secondary",
        "kind": "status",
        "parameters": {"code": 429},
        "trigger": {"share": 0.5, "model": "sim-large"},
        "seed": 7,
    }


def test_a_listed_fault_is_confirmed(api, backend):
    api.get("/faults").respond(json=[SHOWN])
    backend.confirm(FAULT)
    assert backend.in_force(FAULT) is True


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": "other"}, "is not listed"),
        ({"endpoint": "primary"}, "has endpoint 'primary' in force, not 'secondary'"),
        ({"kind": "stall"}, "has kind 'stall'"),
        ({"parameters": {"code": 503}}, "has parameters {'code': 503}"),
        ({"trigger": {}}, "has trigger {}"),
    ],
)
def test_a_fault_that_is_not_there_as_asked_is_not_confirmed(api, backend, changed, words):
    api.get("/faults").respond(json=[SHOWN | changed])
    with pytest.raises(FaultError) as caught:
        backend.confirm(FAULT)
    assert words in str(caught.value)


def test_a_fault_that_is_still_listed_is_not_proved_clear_and_says_what_to_do_by_hand(api, backend):
    api.get("/faults").respond(json=[SHOWN])
    with pytest.raises(FaultError, match=r"by hand: DELETE http://127.0.0.1:9001/faults\?id=busy"):
        backend.prove_clear(FAULT)


def test_a_fault_that_is_gone_is_proved_clear(api, backend):
    api.get("/faults").respond(json=[])
    backend.prove_clear(FAULT)


def test_clearing_what_is_not_there_is_no_trouble(api, backend):
    route = api.delete("/faults", params={"id": "busy"}).respond(404, json={"error": "no fault 'busy' is in force"})
    backend.clear(FAULT)
    assert route.called


def test_the_last_final_count_is_the_one_that_counts(api, backend):
    rehearsed, run = SHOWN | {"acted": 1, "cleared_by": "request"}, SHOWN | {"acted": 3, "cleared_by": "request"}
    api.get("/faults", params={"cleared": "1"}).respond(json=[rehearsed, SHOWN | {"id": "other", "acted": 9}, run])
    assert backend.acted(FAULT) == Acted(by=ActedBy.PROVIDER, count=3)


def test_a_count_that_the_provider_forgot_is_unknown_and_not_zero(api, backend):
    api.get("/faults", params={"cleared": "1"}).respond(json=[])
    assert backend.acted(FAULT) is None


def test_what_heals_it_from_elsewhere_is_one_call(backend):
    assert backend.undo_steps(FAULT) == (HttpStep(method="DELETE", url=f"{URL}/faults?id=busy"),)


def test_the_lease_is_renewed_and_ended(api, backend):
    renew = api.put("/lease").respond(json={"seconds": 10})
    end = api.delete("/lease").respond(json={"seconds": None})
    backend.renew(10)
    backend.release()
    assert json.loads(renew.calls.last.request.content) == {"seconds": 10}
    assert end.called


def test_a_refusal_is_told_with_the_providers_own_reason(api, backend):
    api.put("/faults").respond(400, json={"error": "parameters.code is 42; allowed: an integer from 400 to 599"})
    with pytest.raises(FaultError, match=r"400 parameters\.code is 42"):
        backend.apply(FAULT)


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("x")])
def test_a_provider_that_is_gone_is_a_fault_error(api, backend, error):
    api.get("/faults").mock(side_effect=error)
    with pytest.raises(FaultError, match="does not answer GET /faults"):
        backend.in_force(FAULT)


def test_an_answer_that_is_no_json_is_a_fault_error(api, backend):
    api.get("/faults").respond(200, text="<html>")
    with pytest.raises(FaultError, match="no JSON"):
        backend.in_force(FAULT)
