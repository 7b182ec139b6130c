"""Is the page self-contained, safe, complete, the same every time, and quiet in a browser?"""

from __future__ import annotations

import base64
import hashlib
import importlib
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gradcheck.report import FORMATS
from gradcheck.report.html import render
from gradcheck.run.outcome import ClaimText, Graph, GraphNode

BROWSERS = [found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))]
NO_BROWSER = "no chromium, chromium-browser or google-chrome on the PATH"
QUIET = (
    "--headless --no-sandbox --no-first-run --disable-gpu --disable-quic --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --dump-dom"
)
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Reader(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page(run):
    return render(run)


def test_the_format_is_found_by_name(run, page):
    module, function = FORMATS["html"].split(":")
    assert getattr(importlib.import_module(module), function)(run) == page


def test_the_page_holds_what_it_must(page):
    for words in (
        "4 of 7 functions are right; 1 claim is disproved",
        "5 of 40 answers are silent (differences 2, jax 3)",
        "gradcheck run specs --seed 0",
        "torch 2.13.0",
        "x86_64, 2 cores",
        "At x = [3, 4] the claim says 6",
        "As planted, it gets DISAGREES blaming claim",
        "would have caught a relative error of 3e-12 (median), 2e-9 (worst)",
        "f′ as claimed",
        "f′ by autodiff",
        "gradcheck replay specs/seeds/demo.grad.yaml::log_times_sin --seed 0",
        "jax has no digamma of this order",
        "norm(x) &gt; 0",
        '<svg class="graph"',
        "<math",
        "31\n32\n33\n34\n",
    ):
        assert words in page


def test_every_cell_has_sign_reason_and_a_link_that_leads_somewhere(page, run):
    elements = Reader(page).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    links = [attributes for tag, attributes in elements if tag == "a"]
    assert len(ids) == len(set(ids))
    assert all(link["href"][1:] in ids for link in links)
    cells = [link["title"] for link in links if "title" in link]
    assert len(cells) == len(run.outcomes) * len(run.witnesses)
    assert all(re.match(r"\w+: .", title) for title in cells)


def test_failed_ones_are_first_and_open(page):
    sections = re.findall(r'<details class="outcome (\w+)"[^>]*?( open)?>', page)
    assert sections == [("failed", " open")] * 3 + [("right", "")] * 6 + [("planted", "")]


def test_the_page_is_self_contained(page):
    for tag, attributes in Reader(page).elements:
        assert tag not in ("iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith("#") or value == "data:,"
    assert not re.search(r"url\(|@import|https?://|fetch\(|XMLHttpRequest", page)


def test_the_policy_forbids_the_network_and_knows_the_one_script(page):
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert len(scripts) == 1
    assert f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'" in page


def test_a_lying_summary_is_shown(run):
    lying = replace(run, summary=replace(run.summary, silent=0))
    assert "The summary says 0 silent, the outcomes say 5." in render(lying)


def test_hostile_words_stay_words(smooth, make_run):
    evil = replace(
        smooth,
        id=EVIL,
        summary=EVIL,
        file=EVIL,
        tags=(EVIL,),
        sentence=EVIL,
        text=EVIL + "\n" + EVIL,
        formula=EVIL,
        latex=EVIL,
        claims=(ClaimText(EVIL, EVIL, EVIL, rf"\text{{{EVIL}}}"),),
        domains={EVIL: EVIL},
        replay=EVIL,
        notes=(EVIL,),
        graph=Graph((GraphNode(0, EVIL, EVIL),), ()),
        plot=replace(smooth.plot, input=EVIL),
        power=None,
        witnesses={EVIL: replace(smooth.witnesses["jax"], reason=EVIL, modes={EVIL: EVIL}, verdict=EVIL)},
    )
    hostile = replace(make_run(evil), command=EVIL, machine=EVIL, versions={EVIL: EVIL})
    page = render(hostile)
    assert page.count("<script") == 1
    assert "<img" not in page
    assert not any(name.startswith("on") for _, attributes in Reader(page).elements for name in attributes)


def test_the_same_run_gives_the_same_page(run, page):
    assert render(run) == page


def test_empty_run(make_run):
    assert "Nothing was checked" in render(make_run())


def test_a_bare_outcome_needs_no_optional_field(make, make_run):
    bare = make("bare", witnesses={}, cases=0, points=0, rejected=0, replay="", sentence="")
    assert "bare" in render(make_run(bare))


def test_five_thousand_cells_stay_light(smooth, make_run, false_claim):
    cells = dict.fromkeys("abcde", smooth.witnesses["jax"])
    many = [replace(smooth, id=f"function_{i}", witnesses=cells) for i in range(999)]
    page = render(make_run(*many, replace(false_claim, plot=smooth.plot), witnesses=tuple("abcde")))
    assert len(page) < 5_000_000
    assert page.count('<svg class="plot"') == 2  # those of the failure
    assert page.count("Pictures of functions that are right are left out of a run of 1,000") == 999


def imported_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_importing_the_reports_imports_no_extra():
    assert not {"jinja2", "latex2mathml", "torch", "jax"} & imported_by("import gradcheck.report")
    # This test can fail: the same look at a module that does import them.
    assert "jinja2" in imported_by("import gradcheck.report, jinja2")


@pytest.mark.browser
@pytest.mark.skipif(not BROWSERS, reason=NO_BROWSER)
def test_a_browser_finds_nothing_to_complain_about(page, tmp_path):
    dom, log = browse(page, tmp_path)
    assert "CONSOLE" not in log
    assert "<nav>" in dom  # the script ran: it shows the search, which is hidden without it
    assert dom.count('class="outcome') == 10


@pytest.mark.browser
@pytest.mark.skipif(not BROWSERS, reason=NO_BROWSER)
def test_the_browser_test_sees_an_error_and_a_request(page, tmp_path):
    broken = page.replace("<footer>", "<script>boom()</script><img src='http://127.0.0.1:9/x.png'><footer>")
    _, log = browse(broken, tmp_path)
    assert log.count("CONSOLE") == 2  # a script and an image that the page's policy refuses


@pytest.mark.browser
@pytest.mark.skipif(not BROWSERS, reason=NO_BROWSER)
@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ("search.value = 'norm as'; search.dispatchEvent(new Event('input'))", {"norm_as_printed"}),
        ("search.value = 'SEED-004E'; search.dispatchEvent(new Event('input'))", {"log_times_sin"}),
        ("search.value = 'nothing like it'; search.dispatchEvent(new Event('input'))", set()),
        (
            "document.querySelector('button[data-show=failed]').click()",
            {"norm_by_mistake", "cholesky_trace", "steep_sigmoid"},
        ),
    ],
)
def test_the_search_hides_rows_and_sections_alike(page, tmp_path, action, shown):
    dom, log = browse(acting(page, f"const search = document.getElementById('search'); {action};"), tmp_path)
    assert "CONSOLE" not in log
    rows_shown = re.findall(r'<tr class="\w+"><td><a href="#\w+">(\w+)<', dom)
    sections_shown = re.findall(r'<details class="outcome[^>]*?(?<!hidden="")><?\s*<summary><b>(\w+)<', dom)
    assert set(rows_shown) == set(sections_shown) == shown
    assert ('id="empty" hidden' in dom) == bool(shown)


@pytest.mark.browser
@pytest.mark.skipif(not BROWSERS, reason=NO_BROWSER)
def test_a_link_to_a_closed_section_opens_it(page, tmp_path):
    anchor = re.search(r'<a href="#(\w+)">log_times_sin<', page)[1]
    dom, _ = browse(acting(page, f"location.hash = '{anchor}'; dispatchEvent(new Event('hashchange'));"), tmp_path)
    assert re.search(r'<details class="outcome right"[^>]* open="">\s*<summary><b>log_times_sin<', dom)


def acting(page: str, action: str) -> str:
    """The page with a reader's action at the end of its script, and the hash that the policy then asks for."""
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    longer = f"{script}\n{{ {action} }}"

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return page.replace(script, longer).replace(digest(script), digest(longer))


def browse(page: str, folder) -> tuple[str, str]:
    """The page's DOM after loading, and what the browser logged."""
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    command = [BROWSERS[0], *QUIET.split(), f"--user-data-dir={folder / 'profile'}", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout, done.stderr
