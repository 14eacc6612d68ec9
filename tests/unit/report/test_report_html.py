import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_fixtures import HOSTILE, failing_run, healthy_run, hostile_run, make_verdict, write_run

from harness.errors import ConfigurationError
from harness.model.judgement import EXIT_CODES, InstrumentHealth, Status
from harness.report import LOOKS, write_reports
from harness.rundir import RunDirectory

_VOID = {"meta", "br", "img", "link", "input", "hr", "base"}


class Page(HTMLParser):
    """The elements of a page with their attributes, its text, and what stands open at the end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes what it did not open"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"[ \n]+", " ", "".join(self.texts))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunDirectory]:
    folder = tmp_path_factory.mktemp("runs")
    made = {"healthy": healthy_run, "failing": failing_run, "hostile": hostile_run}
    return {name: make(folder / name) for name, make in made.items()}


@pytest.fixture(scope="module")
def pages(runs: dict[str, RunDirectory]) -> dict[str, str]:
    return {name: write_reports(run, ["html"])[0].read_text("utf-8") for name, run in runs.items()}


@pytest.mark.parametrize("name", ["healthy", "failing", "hostile"])
def test_the_page_has_no_script_no_handler_no_style_attribute_and_asks_for_nothing(pages: dict[str, str], name: str) -> None:
    page = Page(pages[name])
    assert page.open == []
    for tag, attributes in page.elements:
        assert tag not in {"script", "iframe", "object", "embed", "img", "link", "base", "form", "audio", "video", "image"}, tag
        for attribute, value in attributes.items():
            assert not attribute.startswith("on"), f"{tag} {attribute}"
            assert attribute not in {"style", "src", "srcset", "action", "formaction", "background"}, f"{tag} {attribute}"
            if attribute.endswith("href"):
                assert value is not None
                assert value.startswith("#"), value
    style = re.search(r"<style>(.*?)</style>", pages[name], re.S)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.parametrize("name", ["healthy", "failing", "hostile"])
def test_the_policy_names_the_one_sheet_by_its_digest_and_allows_nothing_else(pages: dict[str, str], name: str) -> None:
    style = re.search(r"<style>(.*?)</style>", pages[name], re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(a["content"] for a in Page(pages[name]).all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", ["healthy", "failing", "hostile"])
def test_the_page_can_be_read_without_eyes(pages: dict[str, str], name: str) -> None:
    page = Page(pages[name])
    tags = [tag for tag, _ in page.elements]
    assert page.all("html")[0]["lang"] == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert tags.count(landmark) == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(attributes.get("scope") in {"col", "row"} for attributes in page.all("th"))
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and svg.get("aria-label"))
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    targets = {(a["href"] or "").removeprefix("#") for a in page.all("a")}
    assert targets <= set(ids), targets - set(ids)


def test_the_verdict_comes_first_in_a_word_a_symbol_and_a_sentence(pages: dict[str, str]) -> None:
    page = Page(pages["failing"])
    text = page.text
    assert text.index("✗") < text.index("FAIL", text.index("✗")) < text.index("The model provider goes dark", text.index("✗"))
    assert "561 of 600 requests were slower than 5\xa0s or not answered" in text
    assert text.index("Hypothesis") < text.index("Why", text.index("Hypothesis"))


def test_what_did_not_pass_is_listed_first_and_the_gravest_of_it_at_the_top(pages: dict[str, str]) -> None:
    why = re.search(r'<ul class="why">(.*?)</ul>', pages["failing"], re.S)
    assert why is not None
    assert re.findall(r'<li class="(\w+)">', why[1]) == ["fail", "inconclusive"]
    assert '<ul class="why">' not in pages["healthy"]


def test_evidence_links_to_a_request_that_is_listed(pages: dict[str, str]) -> None:
    page = Page(pages["failing"])
    ids = {attributes.get("id") for attributes in page.all("tr")}
    links = {(a["href"] or "")[1:] for a in page.all("a") if (a["href"] or "").startswith("#request-")}
    assert {f"request-{seq}" for seq in range(705, 717)} <= links <= ids


@pytest.mark.parametrize("status", list(EXIT_CODES))
def test_every_verdict_is_said_in_words(tmp_path: Path, status: Status) -> None:
    run = write_run(tmp_path / "run", make_verdict(status, reason="because"), measured=False)
    page = Page(write_reports(run, ["html"])[0].read_text("utf-8"))
    assert f"{LOOKS[status].symbol} {LOOKS[status].word}" in page.text
    assert LOOKS[status].meaning in page.text


def test_an_instrument_that_failed_is_told_at_the_top_with_its_problems(tmp_path: Path) -> None:
    health = InstrumentHealth(intended=1900, sent=1500, lag_p99_ms=900.0, loop_lag_p99_ms=None, cpu_ratio=1.0, valid=False,
                              problems=("400 arrivals were never sent",))  # fmt: skip
    run = write_run(
        tmp_path / "run", make_verdict(Status.INVALID, reason="the generator was saturated", instrument=health), measured=False
    )
    text = Page(write_reports(run, ["html"])[0].read_text("utf-8")).text
    assert text.index("400 arrivals were never sent") < text.index("Over time", text.index("Definitions"))
    assert "⊘ not valid" in text


def test_a_fault_that_never_acted_or_cleared_says_so(tmp_path: Path) -> None:
    from dataclasses import replace

    verdict = make_verdict(Status.INVALID)
    fault = replace(verdict.faults[0], acted=None, cleared_ns=None, proved_clear_ns=None)
    run = write_run(tmp_path / "run", replace(verdict, faults=(fault,)), measured=False)
    text = Page(write_reports(run, ["html"])[0].read_text("utf-8")).text
    assert "✗ never" in text
    assert "✗ no proof that it acted" in text


def test_hostile_text_is_all_there_but_as_text(pages: dict[str, str]) -> None:
    text = Page(pages["hostile"]).text
    assert "<script>document.title='ran'</script>" in text
    assert "'=HYPERLINK(" in text
    assert "{{ 7 * 7 }}" in text
    assert "\\x1b[31mred" in text
    assert "\\u202e" in text
    raw = pages["hostile"]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ufeff]", raw)
    assert len(HOSTILE) > 20


def test_the_page_stays_small(pages: dict[str, str]) -> None:
    assert max(len(html.encode()) for html in pages.values()) < 1_000_000


def test_the_same_run_gives_the_same_bytes(runs: dict[str, RunDirectory], pages: dict[str, str]) -> None:
    assert write_reports(runs["healthy"], ["html"])[0].read_bytes() == pages["healthy"].encode()


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    run = healthy_run(tmp_path / "run")
    with pytest.raises(
        ConfigurationError, match=r"'htm' is unknown; allowed: html, md, junit, debrief \(did you mean 'html'\?\)"
    ):
        write_reports(run, ["md", "htm"])
    assert not (run.path / "report.md").exists()
