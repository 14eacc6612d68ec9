"""The readiness document in every form: what each reader is told, and that hostile text stays text."""

import json
import re
import sys
import xml.etree.ElementTree as ET  # our own output is parsed here
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "readiness"))
sys.path.insert(0, str(Path(__file__).parent))
from readiness_fixtures import attestation, case, judgement, row, run, waiver
from report_fixtures import HOSTILE

from harness.errors import ConfigurationError
from harness.model.judgement import Status
from harness.model.readiness import Readiness
from harness.readiness import decide
from harness.report.release import ReleaseMaterial, render
from harness.rundir import codec

P95 = "outage/latency-p95"
ROWS = [row("F5", P95), row("R8", "outage/error-rate"), row("R3", "outage/fallback"), row("P6"), row("S2"), row("F1")]


def mixed() -> Readiness:
    """One row of every status but not applicable."""
    results = (judgement(), judgement("error-rate", Status.FAIL), judgement("fallback", Status.INCONCLUSIVE))
    return decide(case(ROWS, [run("run-1", *results)], attestations=[attestation()], waivers=[waiver()]))


def material(readiness: Readiness) -> ReleaseMaterial:
    return ReleaseMaterial(readiness=readiness, document=codec.to_pretty_json(readiness), command="harness report run-1")


def made(readiness: Readiness, form: str) -> bytes:
    (content,) = render(material(readiness), [form]).values()
    return content


def test_the_json_has_what_pipelines_hold_on_to() -> None:
    document = json.loads(made(mixed(), "json"))
    assert document["schema"] == "harness.readiness/1"
    assert (document["release"], document["decision"]) == ("1.4.0", "not ready")
    rows = {each["id"]: each for each in document["rows"]}
    assert {key: rows["F5"][key] for key in ("title", "status", "by", "attempts")} == {
        "title": "Title of F5", "status": "verified", "by": [P95], "attempts": 1}  # fmt: skip
    assert [each["status"] for each in document["rows"]] == [
        "verified", "failed", "not proven", "attested", "waived", "not covered"]  # fmt: skip


def test_the_json_is_read_back_as_what_it_was() -> None:
    readiness = mixed()
    assert codec.from_json(made(readiness, "json"), Readiness, where="x") == readiness


def test_sarif_gives_each_status_the_kind_that_fits() -> None:
    log = json.loads(made(mixed(), "sarif"))
    told = {each["ruleId"]: (each["kind"], each["level"]) for each in log["runs"][0]["results"]}
    assert told == {
        "F5": ("pass", "none"), "R8": ("fail", "error"), "R3": ("open", "none"), "P6": ("review", "none"), "S2": ("review", "none"),
        "F1": ("open", "none"),
    }  # fmt: skip
    rules = [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in log["runs"][0]["results"])


def test_junit_is_never_green_unless_the_release_is_ready() -> None:
    suite = ET.fromstring(made(mixed(), "junit")).find("testsuite")  # noqa: S314 - our own output
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "2", "2")
    ready = ET.fromstring(made(decide(case([row("F5", P95)])), "junit"))  # noqa: S314 - our own output
    assert (ready.get("failures"), ready.get("errors")) == ("0", "0")
    optional = decide(case([row("F5", "nowhere/x", required=False)]))
    assert ET.fromstring(made(optional, "junit")).get("errors") == "1"  # noqa: S314 - our own output


@pytest.mark.parametrize(("readiness", "result"), [
    (mixed(), "FAILED"),
    (decide(case([row("F5", P95)])), "PASSED"),
    (decide(case([row("F5", P95), row("P6")], attestations=[attestation()])), "WARNED"),
    (decide(case([row("F5", "nowhere/x")])), "FAILED"),
])  # fmt: skip
def test_the_statement_knows_three_results_and_says_the_rest_in_words(readiness: Readiness, result: str) -> None:
    statement = json.loads(made(readiness, "intoto"))
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["predicate"]["result"] == result
    assert statement["predicate"]["annotations"]["decision"] == readiness.decision.value
    assert statement["subject"][0]["name"] == "readiness.json"


def test_the_statement_has_the_digest_of_every_other_form() -> None:
    import hashlib

    contents = render(material(mixed()), ["html", "intoto", "json"])
    subjects = {each["name"]: each["digest"]["sha256"] for each in json.loads(contents["readiness.intoto.json"])["subject"]}
    assert subjects == {name: hashlib.sha256(contents[name]).hexdigest() for name in ("readiness.json", "readiness.html")}


def test_markdown_begins_with_the_decision_and_names_what_is_not_covered() -> None:
    text = made(mixed(), "md").decode()
    assert text.startswith("## ✗ NOT READY: release 1.4.0 on gateway 1.4.0")
    assert "Not covered (1): F1" in text


def test_an_unknown_form_is_refused_with_what_there_is() -> None:
    with pytest.raises(ConfigurationError, match=r"format 'htm' is unknown.*did you mean 'html'"):
        render(material(mixed()), ["htm"])


def test_the_page_says_the_decision_and_who_may_sign_before_anything_else() -> None:
    readiness = replace(mixed(), signers=("Kim", "Sam"))
    page = made(readiness, "html").decode()
    head = page[page.index("<header>") : page.index("</header>")]
    assert head.index("NOT READY") < head.index("May be signed by Kim, Sam.")
    assert "harness sign readiness.json" in head


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def hostile() -> Readiness:
    """A document in which every text that a file, a target or a scenario can set is from the corpus."""
    texts = [text.encode("utf-8", "replace").decode() for text in HOSTILE]
    rows = [row(text, P95, title=text, area=text, gaps=(text,)) for text in texts]
    item = replace(judgement(status=Status.FAIL), reason=texts[0], written=texts[1], phase=texts[2])
    runs = [run(texts[3], item, title=texts[4], reason=texts[5], why_not=tuple(texts), target=texts[6], repeat=texts[7])]
    decided = decide(case(rows, runs, waivers=[waiver(text, reason=text, owner=text, link=text) for text in texts]))
    return replace(decided, release=texts[0], reasons=tuple(texts), checklist=texts[1], signers=tuple(texts), target=texts[2])


def test_no_text_of_files_or_targets_becomes_markup_in_the_page() -> None:
    plain, nasty = _Tags(), _Tags()
    plain.feed(made(mixed(), "html").decode())
    nasty.feed(made(hostile(), "html").decode())
    assert set(nasty.tags) <= set(plain.tags) | {"p", "ul", "li", "details", "summary", "strong", "em", "br"}
    assert not {name for name in nasty.attributes if name.startswith("on")} | ({"script", "img", "iframe"} & set(nasty.tags))
    assert "\x1b" not in made(hostile(), "html").decode()


@pytest.mark.parametrize("form", ["md", "junit", "sarif", "json", "intoto"])
def test_no_control_character_reaches_a_reader_of_any_form(form: str) -> None:
    text = made(hostile(), form).decode("utf-8")
    assert not {character for character in text if ord(character) < 32 and character != "\n"}
    assert not set("\x7f\x9b") & set(text) or form == "json"
    if form == "junit":
        ET.fromstring(text)  # noqa: S314 - our own output
    if form == "md":
        assert not re.search(r"(?<!\\)[<\[]", text)
