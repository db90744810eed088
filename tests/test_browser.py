"""The built pages as a reader's browser has them: searched, copied from, quoted elsewhere, read by everyone.

Pages are opened from the disk and from a server under a path, with scripts and without.
"""

import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Visit, launched, search, served, wait_until
from spellings import SPELLINGS
from tiny import CHECKPOINT, LABELS, TinyAtlas, tiny_atlas

from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.core.errors import UsageError
from generator.core.units import Unit, parse_units
from generator.publish.assets.search import search_index
from generator.publish.build import build
from generator.publish.catalog_reader import read_catalog

UNIT = f"{CHECKPOINT}/mixed4a/12.html"
KINDS = {
    "home": "index.html",
    "about": "about.html",
    "how": "how.html",
    "find": "find.html",
    "404": "404.html",
    "checkpoint": f"{CHECKPOINT}/index.html",
    "layer": f"{CHECKPOINT}/mixed4a/index.html",
    "empty layer": f"{CHECKPOINT}/mixed4c/index.html",
    "unit": UNIT,
    "families": f"{CHECKPOINT}/families/index.html",
    "family": f"{CHECKPOINT}/families/curves.html",
    "embed": f"embed/{UNIT}",
}
OTHERS = (
    '[checkpoints.inception5h]\nunits = ["mixed4a:0", "output:207"]\n\n'
    '[checkpoints.untrained]\nunits = ["mixed4a:5"]\n\n[recipe]'
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    """An atlas of three checkpoints with names, built without an address: what a reader unpacks or a host serves."""
    atlas = tiny_atlas(tmp_path_factory.mktemp("under") / "a" / "path")
    atlas.toml(("[recipe]", OTHERS))
    atlas.label(LABELS)
    unit = Unit("mixed4a", 12)
    atlas.answer(unit, seed=77, force=True)
    atlas.answer(unit, view="negative", seed=3)
    build(atlas.config())
    return atlas


@pytest.fixture(scope="module")
def disk(atlas: TinyAtlas) -> str:
    """The atlas opened from a disk, for what a page does once it has its files."""
    return f"{atlas.site.as_uri()}/"


@pytest.fixture(scope="module", params=["disk", "server"])
def root(request: pytest.FixtureRequest, atlas: TinyAtlas, disk: str) -> Iterator[str]:
    """Where the atlas is opened from: a disk, and a server under a path; for all that loads, keeps and leads on."""
    if request.param == "disk":
        yield disk
        return
    with served(atlas.folder.parent.parent) as address:
        yield f"{address}a/path/site/"


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    with Visit(browser, viewport={"width": 1280, "height": 800}) as visit:
        yield visit
        assert visit.errors == []


# finding a unit


def test_every_spelling_that_python_reads_is_read_by_the_box(disk: str, visit: Visit) -> None:
    visit.page.goto(disk + UNIT)
    search(visit.page, "4a:0")
    asked = [text for text, _ in SPELLINGS]
    found = visit.page.evaluate(
        "asked => asked.map((text) => atlasLookup(text, 'inception5h').found.map((hit) => [hit.title, hit.of]))", asked
    )
    read = {text: hits[0] if hits else None for text, hits in zip(asked, found, strict=True)}
    wanted = {text: [unit, "inception5h"] for text, unit in SPELLINGS if not unit.split(":")[0].endswith("bottleneck")}
    assert {text: read[text] for text in wanted} == wanted


def test_what_is_no_unit_is_none_in_both(disk: str, visit: Visit) -> None:
    """Typed ids that do not exist give no unit, and never another one."""
    visit.page.goto(disk + UNIT)
    search(visit.page, "4a:0")
    for text in ("mixed4a:508", "mixed4f:1", "mixed4a:9-3", "mixed4a:1,,2", "4z:1", "mixed4a:x", "mixed4a:-1"):
        with pytest.raises(UsageError):
            parse_units(text, INCEPTION5H)
        found, notes = visit.page.evaluate(
            "text => { const { checkpoints } = atlasUnits, own = checkpoints.filter((c) => c.name === 'inception5h');"
            "const { found, notes } = atlasLookup(text, 'inception5h', { checkpoints: own });"
            "return [found.filter((hit) => hit.kind === 'unit'), notes]; }",
            text,
        )
        assert found == []
        assert notes or text == "mixed4a:9-3"


def test_a_unit_is_found_seen_and_opened_by_keyboard(root: str, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{root}index.html")
    results = search(page, "inception_4a/output 12", by_keys=True)
    assert results.first.inner_text().startswith("mixed4a:12")
    assert results.first.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 28
    assert page.locator(".find input").get_attribute("aria-activedescendant") == "found-0"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{UNIT}")
    assert page.locator("h1").inner_text() == "mixed4a:12"


def test_arrows_go_round_and_escape_closes(disk: str, visit: Visit) -> None:
    page = visit.page
    page.goto(disk + UNIT)
    results = search(page, "curve")
    count = results.count()
    assert count >= 5
    chosen = lambda: page.locator(".found [aria-selected=true]").get_attribute("id")  # noqa: E731
    assert chosen() == "found-0"
    page.keyboard.press("ArrowUp")
    assert chosen() == f"found-{count - 1}"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert chosen() == "found-1"
    page.keyboard.press("Escape")
    assert page.locator(".found").is_hidden()
    assert page.evaluate("document.activeElement.tagName") == "INPUT"
    assert page.url == disk + UNIT, "arrow keys in the box turn no pages"


def test_arrow_keys_turn_pages(disk: str, visit: Visit) -> None:
    visit.page.goto(disk + UNIT)
    visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_url(f"**/{CHECKPOINT}/mixed4a/200.html")
    visit.page.keyboard.press("ArrowLeft")
    visit.page.wait_for_url(f"**/{UNIT}")


def test_a_name_finds_its_family_and_its_units_rendered_first(disk: str, visit: Visit) -> None:
    visit.page.goto(disk + UNIT)
    said = [text.split("\n") for text in search(visit.page, "cUrV").all_inner_texts()]
    bvlc = [hit for hit in said if "inception5h" not in hit[1]]
    assert bvlc == [
        ["Curves", "family"],
        *([f"mixed4a:{n}", "Curve, left (A Post on Curves)"] for n in (0, 1, 12)),
        ["mixed4a:40", "Curve, left (A Post on Curves), not rendered"],
    ]  # fmt: skip
    assert len(said) == 24, "and then those of the other checkpoints"


def test_a_name_with_a_slip_or_in_the_plural_is_found(disk: str, visit: Visit) -> None:
    visit.page.goto(disk + UNIT)
    for asked, first in (("crve", "Curves"), ("cuvre", "Curves"), ("curves lefts", "mixed4a:0"), ("xqzt", None)):
        results = search(visit.page, asked)
        assert [text.split("\n")[0] for text in results.all_inner_texts()][:1] == ([first] if first else []), asked
        said = visit.page.locator(".found [role=status]").inner_text()
        assert ("Did you mean “curve”?" in said) is (asked in ("crve", "cuvre"))
        assert ("No matches" in said) is (first is None or "Did you mean" in said)


def test_a_layer_and_a_branch_lead_to_their_place(disk: str, visit: Visit) -> None:
    visit.page.goto(disk + UNIT)
    assert search(visit.page, "4a_5x5").first.inner_text().split("\n") == ["mixed4a_5x5", "48 units"]
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url(f"**/{CHECKPOINT}/mixed4a/index.html#5x5")


def test_an_address_of_other_weights_is_never_read_as_a_unit_of_these(browser: Any, tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path)
    build(atlas.config())
    with Visit(browser) as visit:
        visit.page.goto(atlas.site.as_uri() + "/index.html")
        results = search(visit.page, "https://microscope.openai.com/models/inceptionv1/mixed4a_0/12")
        assert results.count() == 0
        said = visit.page.locator(".found [role=status]").inner_text()
        assert "That address is for another network, inception5h; mixed4a:12 here is unrelated." in said


def test_a_layer_is_shown_small_ordered_and_walked_by_keys(root: str, visit: Visit) -> None:
    page = visit.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(root + KINDS["layer"])
    first = "getComputedStyle(document.querySelector('.units a')).backgroundImage"
    wait_until(page, f"{first}.includes('tiles-0.jpeg')")
    assert not [url for url in asked if url.endswith(".webp")], "no thumbnail is loaded that is not shown"
    focused = "document.activeElement.textContent.trim().split(' ')[0]"
    assert page.evaluate("[...document.querySelectorAll('.units a')].filter((a) => a.tabIndex === 0).length") == 1
    page.fill("#go", "448")
    page.press("#go", "Enter")
    assert page.evaluate(focused) == "448"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == "447"
    page.locator(".card").wait_for()
    assert "mixed4a:447" in page.inner_text(".card")
    page.keyboard.press("Home")
    assert page.evaluate(focused) == "0"
    page.click("label[for=size-m]")
    page.click("label[for=sort-strength]")
    shown = [float(text) for text in page.locator(".units b").all_inner_texts()]
    assert len(shown) == 10
    assert shown == sorted(shown, reverse=True)
    page.click("nav[aria-label=Branches] >> text=5x5")
    assert page.locator("#sort-number").is_checked()
    assert page.locator(".units b:not(:empty)").count() == 0


def test_on_a_phone_a_layer_is_short_and_a_tap_shows_before_it_opens(disk: str, browser: Any) -> None:
    with Visit(browser, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True) as visit:
        page = visit.page
        page.goto(disk + KINDS["layer"])
        assert page.locator("details.group[open]").count() == 1
        page.tap(".units li:nth-child(2) a")
        page.locator(".card").wait_for()
        assert page.url.endswith("index.html")
        page.tap(".card a")
        page.wait_for_url("**/mixed4a/1.html")


def test_the_key_can_be_turned_off_and_stays_off(root: str, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{root}find.html")
    page.locator("#slash input").uncheck()
    page.goto(root + UNIT)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    page.goto(f"{root}find.html")
    page.locator("#slash input").check()
    page.keyboard.press("Tab")
    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"


def test_any_unit_is_one_that_is_rendered(root: str, visit: Visit) -> None:
    """Of 27, the first, the last, and one that has pictures of other views."""
    for drawn, unit in ((0, "conv2d0/0"), (21.5 / 27, "mixed4a/12"), (1 - 2**-53, "mixed5b/3")):
        visit.page.goto(f"{root}index.html")
        visit.page.evaluate(f"Math.random = () => {drawn}")
        visit.page.locator(".any").click()
        visit.page.wait_for_url(f"**/{CHECKPOINT}/{unit}.html")
        picture = visit.page.locator(".unit figure img").first
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 56


def test_without_scripts_the_box_is_a_link_to_every_layer_and_family(disk: str, browser: Any) -> None:
    with Visit(browser, java_script_enabled=False) as visit:
        page = visit.page
        page.goto(disk + UNIT)
        page.get_by_role("search").get_by_role("link").click()
        page.get_by_role("main").get_by_role("link", name="Curves", exact=True).first.click()
        page.get_by_role("link", name="mixed4a:12").click()
        assert page.url == disk + UNIT
        assert page.locator("#quote dl code").count() == 13, "six of the picture, and seven of its other view"
        assert not page.locator("#slash").count()


def test_the_box_says_what_it_waits_for_and_when_it_fails(root: str, browser: Any) -> None:
    with Visit(browser) as visit:
        held: list[Any] = []
        visit.page.route("**/units.js", lambda route: held.append(route))
        visit.page.goto(root + UNIT)
        visit.page.keyboard.press("/")
        visit.page.keyboard.type("4a:9")
        status = visit.page.locator(".found [role=status]")
        status.get_by_text("Loading").wait_for()
        visit.page.keyboard.press("Enter")
        while not held:
            visit.page.wait_for_timeout(20)
        held[0].continue_()
        visit.page.wait_for_url(f"**/{CHECKPOINT}/mixed4a/9.html")  # it was asked for while the answer was on its way
    with Visit(browser) as visit:
        visit.page.route("**/units.js", lambda route: route.abort())
        visit.page.goto(root + UNIT)
        visit.page.keyboard.press("/")
        visit.page.keyboard.type("4a:9")
        visit.page.locator(".found [role=status]").get_by_text("could not be loaded").wait_for()
        assert visit.page.locator(".found a").last.get_attribute("href").endswith("find.html")
        visit.page.unroute("**/units.js")
        visit.page.keyboard.type(" ")
        visit.page.locator(".found [role=option]").first.wait_for()


def test_a_word_that_is_being_composed_is_not_followed(disk: str, visit: Visit) -> None:
    visit.page.goto(disk + UNIT)
    search(visit.page, "curve")
    visit.page.locator(".find input").evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }))"
    )
    visit.page.wait_for_timeout(100)
    assert visit.page.url == disk + UNIT


PASTED = {
    f"https://host/x/{CHECKPOINT}/mixed4a/index.html#names": "mixed4a",
    f"https://host/x/{CHECKPOINT}/mixed4a/index.html#5x5": "mixed4a_5x5",
    f"https://host/x/{CHECKPOINT}/families/curves.html": "Curves",
    f"https://host/x/{CHECKPOINT}/": CHECKPOINT,
    "https://distill.pub/2020/circuits/curve-detectors/": None,
    "https://host/x/nowhere/families/curves.html": None,
}


def test_pasted_addresses_of_pages(disk: str, visit: Visit) -> None:
    visit.page.goto(disk + UNIT)
    for asked, title in PASTED.items():
        results = search(visit.page, asked)
        assert [text.split("\n")[0] for text in results.all_inner_texts()] == ([title] if title else []), asked
        if not title:
            assert "names no unit" in visit.page.locator(".found [role=status]").inner_text()


def test_a_label_that_is_a_script_is_text(browser: Any, tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path)
    atlas.label(LABELS.replace("Curve, left", "<img src=x onerror=alert(1)>").replace('"Curves"', '"<b>Bold</b>"'))
    build(atlas.config())
    with Visit(browser) as visit:
        for address in (UNIT, f"{CHECKPOINT}/mixed4a/index.html", f"{CHECKPOINT}/families/b-bold-b.html"):
            visit.page.goto(f"{atlas.site.as_uri()}/{address}")
            assert visit.page.locator("img[src=x], b:text-is('Bold')").count() == 0
        said = search(visit.page, "onerror").first.inner_text()
        assert "<img src=x onerror=alert(1)> (A Post on Curves)" in said
        assert visit.page.locator("img[src=x]").count() == 0
        assert visit.errors == []


def test_the_index_of_a_whole_network_with_all_its_names_is_light(atlas: TinyAtlas) -> None:
    """All 5,804 channels of inception5h and the 1,597 names that the literature gives them, as a host sends them."""
    index = search_index(read_catalog(atlas.config()))
    of = json.loads(index.removeprefix(b"globalThis.atlasUnits=").removesuffix(b";\n"))["checkpoints"][1]
    assert (of["name"], sum(layer[1] for layer in of["layers"])) == ("inception5h", 5804 + 1008)  # and its classes
    assert len(of["names"]) > 100
    assert len(zlib.compress(index)) < 100_000


# quoting a unit

STAYS = "globalThis.setTimeout = () => 0"  # else what a button says is gone after two seconds


def test_copy_buttons_copy_what_they_stand_beside(browser: Any, atlas: TinyAtlas) -> None:
    with served(atlas.folder.parent.parent) as address:
        root = f"{address}a/path/site/"
        with Visit(browser, permissions=["clipboard-read", "clipboard-write"]) as visit:
            page = visit.page
            page.goto(f"{root}{UNIT}#quote")
            page.evaluate(STAYS)
            copied = {}
            for row in page.locator("#quote dl > div").all()[:6]:  # then those of its other view
                row.get_by_role("button", name="Copy").click()
                row.get_by_role("button", name="Copied").wait_for()
                copied[row.locator("dt").inner_text()] = page.evaluate("navigator.clipboard.readText()")
            assert list(copied) == ["Link", "Markdown", "HTML chip", "Frame", "BibTeX", "Citation"]
            assert copied["Link"] == root + UNIT, "without url in atlas.toml it is where the page is read"
            for text in copied.values():
                assert root in text
            assert f"]({root}{UNIT}#p-" in copied["Markdown"]
            assert f'<iframe src="{root}embed/{UNIT}"' in copied["Frame"]
            assert copied["BibTeX"].startswith(f"@misc{{{CHECKPOINT}-mixed4a-12,\n")
            assert "abababababab" in copied["BibTeX"]
            assert visit.errors == []


def test_what_is_folded_is_open_where_a_link_leads_into_it(disk: str, browser: Any) -> None:
    with Visit(browser, java_script_enabled=False) as visit:
        page, form = visit.page, visit.page.locator(".quote dl code").first
        page.goto(disk + UNIT)
        assert not form.is_visible()
        page.get_by_role("link", name="Copy link").click()
        form.wait_for()
        assert not page.get_by_role("heading", name="Provenance").is_visible()
        page.goto(f"{disk}{UNIT}#provenance")
        page.get_by_role("heading", name="Provenance").wait_for()


def test_a_page_gives_its_link(browser: Any, atlas: TinyAtlas) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with served(atlas.folder.parent.parent) as address, Visit(browser, permissions=allowed) as visit:
        page, shown = visit.page, f"{address}a/path/site/{UNIT}"
        page.goto(f"{shown}#again")
        page.evaluate(STAYS)
        page.get_by_role("link", name="Copy link").click()
        page.get_by_role("link", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == shown


def test_from_a_disk_the_text_is_selected_or_copied(browser: Any, atlas: TinyAtlas) -> None:
    with Visit(browser) as visit:
        visit.page.goto(f"{atlas.site.as_uri()}/{UNIT}#quote")
        visit.page.evaluate(STAYS)
        row = visit.page.locator(".quote dl > div").first
        row.get_by_role("button").click()
        row.get_by_role("button", name=re.compile("Copied|Selected")).wait_for()
        assert "atlas.toml" in visit.page.locator(".quote .notice").inner_text()
        assert visit.errors == []


def test_a_link_to_a_picture_that_was_rendered_anew_leads_to_the_old_one(
    disk: str, visit: Visit, atlas: TinyAtlas
) -> None:
    record = next(r for r in atlas.store.records() if str(r.question.unit) == "mixed4a:12" and r.earlier)
    visit.page.goto(f"{disk}{UNIT}#p-{record.earlier[0].sha256[:8]}")
    target = visit.page.locator(":target")
    assert "rendered before" in target.inner_text()
    assert record.earlier[0].name in (target.get_by_role("link").get_attribute("href") or "")


POST = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A post</title><link rel="icon" href="data:,">
<body style="margin: 2rem; height: 90rem">
<h1>A post</h1>
<p>Look at <atlas-unit ref="mixed4a:12"><a href="ROOTUNIT">4a:12</a></atlas-unit>, at
<atlas-unit ref="CHECKPOINT/conv2d0:3">that edge</atlas-unit>, at <atlas-unit><a href="ROOTUNIT">this</a></atlas-unit>,
and at <atlas-unit ref="no unit at all">nothing</atlas-unit>.
<script src="ROOTstatic/embed.js" async></script>"""


@pytest.fixture
def post(atlas: TinyAtlas, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A page of somebody else's, on another origin, and the root of the atlas it links."""
    with served(atlas.folder.parent.parent) as host, served(tmp_path) as elsewhere:
        root = f"{host}a/path/site/"
        text = POST.replace("ROOT", root).replace("UNIT", UNIT).replace("CHECKPOINT", CHECKPOINT)
        (tmp_path / "post.html").write_text(text)
        yield f"{elsewhere}post.html", root


def test_chips_on_another_origin(browser: Any, post: tuple[str, str]) -> None:
    address, root = post
    with Visit(browser, viewport={"width": 700, "height": 700}) as visit:
        page = visit.page
        page.goto(address)
        chips = page.locator("atlas-unit")
        chips.first.locator("img").wait_for()
        assert [chip.get_by_role("link").all_inner_texts() for chip in chips.all()] == [
            ["4a:12"],
            ["conv2d0:3"],
            ["4a:12"],
            [],
        ]
        links = [chip.get_by_role("link").get_attribute("href") for chip in chips.all()[:3]]
        assert links == [root + UNIT, f"{root}{CHECKPOINT}/conv2d0/3.html", root + UNIT]
        assert chips.last.inner_text() == "nothing", "what names no unit stays as it is written"
        chip = chips.first.locator("img")
        assert chip.evaluate("image => image.decode().then(() => [image.naturalWidth, image.width])") == [28, 21]

        chips.first.hover()
        frame = page.frame_locator("atlas-unit iframe")
        assert frame.get_by_role("heading").inner_text() == "mixed4a:12 Curve, left"
        assert "activation" in frame.locator("p").inner_text()
        assert frame.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 56
        box = page.locator("atlas-unit iframe").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 700
        page.mouse.move(box["x"] + 20, box["y"] + 20)  # the card can be pointed at without going away
        page.wait_for_timeout(400)
        assert page.locator("atlas-unit iframe").count() == 1
        page.keyboard.press("Escape")
        assert page.locator("atlas-unit iframe").count() == 0

        page.mouse.move(5, 650)
        page.keyboard.press("Tab")
        page.locator("atlas-unit iframe").wait_for()
        assert page.evaluate("document.activeElement.tagName") == "ATLAS-UNIT"
        page.locator("h1").click()
        page.locator("atlas-unit iframe").wait_for(state="detached")
        assert visit.errors == []


CARDS = """(wanted) => {
  const open = [...document.querySelectorAll("atlas-unit")].filter((chip) => chip.shadowRoot?.querySelector("iframe"));
  return wanted ? open.length === 1 && open[0] === document.activeElement : open.length === 0;
}"""


def test_the_tab_key_goes_from_chip_to_chip_and_on(browser: Any, post: tuple[str, str]) -> None:
    """The card is no stop on the way: it would vanish with the focus in it, and send the reader back to the start."""
    with Visit(browser) as visit:
        visit.page.goto(post[0])
        visit.page.locator("atlas-unit img").first.wait_for()
        visit.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<a href=\"#\" id=\"after\">after</a>')")
        reached, stops = [], "[...document.querySelectorAll('atlas-unit, a')]"
        for wanted in (True, True, True, False):
            visit.page.keyboard.press("Tab")
            reached.append(visit.page.evaluate(f"{stops}.indexOf(document.activeElement)"))
            wait_until(visit.page, CARDS, wanted)  # one is closed a moment after the next is open
        places = visit.page.evaluate(f"{stops}.map((e, i) => e.shadowRoot?.querySelector('a') || e.id ? i : -1)")
        assert reached == [place for place in places if place >= 0]


CHIPS = """<!doctype html><html lang="en"><title>Chips</title><link rel="icon" href="data:,">
<script src="ROOTstatic/embed.js"></script><script src="ROOTstatic/embed.js"></script>
<div style="overflow: hidden; height: 30px"><atlas-unit id="plain"><a href="ROOTUNIT">mine</a></atlas-unit></div>
<atlas-unit id="gone" ref="mixed4b:100"><a href="ROOTbvlc_googlenet/mixed4b/100.html">my words</a></atlas-unit>
<atlas-unit id="other" ref="mixed4a:12"><a href="https://other.example/a/bvlc_googlenet/mixed4a/12.html">theirs</a></atlas-unit>
"""


def test_chips_in_pages_that_are_not_as_one_would_wish(browser: Any, atlas: TinyAtlas, tmp_path: Path) -> None:
    """The script comes first, and twice; a unit is not rendered; a link leads to another atlas; a box hides what
    overflows; an element is made by a script."""
    with served(atlas.folder.parent.parent) as host:
        root = f"{host}a/path/site/"
        (tmp_path / "chips.html").write_text(CHIPS.replace("ROOT", root).replace("UNIT", UNIT))
        with served(tmp_path) as elsewhere, Visit(browser) as visit:
            page = visit.page
            page.goto(f"{elsewhere}chips.html")
            page.locator("#plain img").wait_for()
            assert page.locator("#plain").get_by_role("link").inner_text() == "4a:12"
            page.locator("#gone >> text=my words").wait_for()
            assert page.locator("#gone img").count() == 0
            assert page.locator("#other").inner_text() == "theirs"
            page.locator("#plain").hover()
            box = page.locator("#plain iframe")
            box.wait_for()
            inside = box.bounding_box()
            assert inside
            seen = page.evaluate(
                "([x, y]) => document.elementFromPoint(x, y)?.id", [inside["x"] + 100, inside["y"] + 150]
            )
            assert seen == "plain", "the card lies above everything, whatever box its chip is in"
            page.evaluate(
                "document.body.append(Object.assign(document.createElement('atlas-unit'), { id: 'made' }));"
                "document.getElementById('made').setAttribute('ref', 'conv2d0:3')"
            )
            assert page.locator("#made").get_by_role("link").inner_text() == "conv2d0:3"
            page.evaluate("document.getElementById('made').setAttribute('ref', '4a:12 negative')")
            page.locator("#made a[href$='12.html#view-negative'] img[src$='12-negative.webp']").wait_for()
            assert [error for error in visit.errors if "404" not in error and "mixed4b/100.webp" not in error] == []


def test_chips_without_scripts_are_links(browser: Any, post: tuple[str, str]) -> None:
    address, root = post
    with Visit(browser, java_script_enabled=False) as visit:
        visit.page.goto(address)
        assert visit.page.get_by_role("link", name="4a:12").get_attribute("href") == root + UNIT


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_a_frame_follows_the_reader_and_its_flags(browser: Any, atlas: TinyAtlas, scheme: str, dark: bool) -> None:
    embed = f"{atlas.site.as_uri()}/embed/{UNIT}"
    with Visit(browser, color_scheme=scheme, viewport={"width": 240, "height": 304}) as visit:
        page = visit.page
        page.goto(embed)
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 380) is dark
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), (
            "it fits the frame that is offered"
        )
        page.goto(f"{embed}?size=112&caption=name")
        assert page.locator("img").bounding_box()["width"] == 112
        assert (page.locator("h1").is_visible(), page.locator("p").is_visible()) == (True, False)
        page.goto(f"{embed}?size=nonsense&caption=no")
        assert page.locator("img").bounding_box()["width"] == 224
        assert (page.locator("h1").is_visible(), page.locator("p").is_visible()) == (False, False)
        assert visit.errors == []


# for everyone


def test_the_console_is_silent(browser: Any, atlas: TinyAtlas) -> None:
    """From a server; from a disk the next test looks."""
    with served(atlas.folder.parent.parent) as address, Visit(browser) as visit:
        for kind, page in KINDS.items():
            visit.page.goto(f"{address}a/path/site/{page}", wait_until="networkidle")
            assert visit.errors == [], kind


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(browser: Any, atlas: TinyAtlas, kind: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    with Visit(browser) as visit:
        for scheme, wide in (("light", 1280), ("dark", 390)):
            visit.page.emulate_media(color_scheme=scheme)
            visit.page.set_viewport_size({"width": wide, "height": 800})
            visit.page.goto(f"{atlas.site.as_uri()}/{KINDS[kind]}")
            assert visit.errors == []
            found = axe.run(visit.page).response["violations"]
            visit.errors.clear()  # what our pages forbid axe is no fault of theirs
            assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []
            sideways = visit.page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not sideways, f"{kind} scrolls sideways at {wide} px"


def test_axe_finds_nothing_in_the_open_box(browser: Any, atlas: TinyAtlas) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    for wide in (1280, 390):
        with Visit(browser, viewport={"width": wide, "height": 800}) as visit:
            visit.page.goto(f"{atlas.site.as_uri()}/{UNIT}")
            search(visit.page, "curve")
            assert [rule["id"] for rule in axe.run(visit.page).response["violations"]] == []
