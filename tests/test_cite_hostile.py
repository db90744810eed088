"""Documents that nobody wrote with care: torn in every place, put together by dice, a megabyte long."""

from __future__ import annotations

import random
import time

import pytest
from citing import PAGE, atlas_to_cite

from generator.cite.document import cite
from generator.cite.mentions import Language
from generator.cite.writing import FORMATS, Format
from generator.reader.atlas import Atlas

MINUTE = 60  # seconds of this processor, for what takes one or two
OLD = "https://microscope.openai.com/models/inceptionv1/mixed4a_0/11"
PIECES: dict[Language, list[str]] = {
    "markdown": [
        *(
            "mixed4a:9",
            "[[4a:12]]",
            "mixed4a\\_3x3:8",
            "[[Some page]]",
            OLD,
            f"<{OLD}>",
            f"[a]({OLD})",
            f"[x]: {OLD}\n",
        ),
        *(
            "`",
            "``",
            "```\n",
            "\n",
            "\n\n",
            "\r\n",
            "    ",
            " ",
            "words ",
            "> ",
            "- ",
            "1. ",
            "# ",
            "---\n",
            "|---|---|\n",
        ),
        *(
            "*",
            "_",
            "[",
            "]",
            "|",
            "<",
            ">",
            '"',
            "[x]",
            "[^1]",
            "[^1]: ",
            f"![p]({PAGE})",
            f'<a href="{OLD}">',
            "</a>",
        ),
        *("$", "$$", "\\(", "\\)", "{% raw %}", "{% endraw %}", "{title=", "}", "title: x\n", "[x]mixed4a:9"),
        *("<code>", "</code>", "<pre>", "</pre>", "<div>", "</div>", "<!--", "-->", "<script>", "</script>"),
    ],
    "html": [
        *("mixed4a:9", "[[4a:12]]", OLD, f'<a href="{OLD}">', f"<a href='{PAGE}'>", f"<a href={OLD}>{OLD}</a>", "</a>"),
        *("<p>", "</p>", "<code>", "</code>", "<svg>", "</svg>", "<!--", "-->", "<script>", "</script>", "</body>"),
        *("<", "&amp;", " ", "\n", '"', "'", "$", "{{", "}}", "{% raw %}", "{% endraw %}"),
    ],
    "latex": [
        *(
            "mixed4a:9",
            "[[4a:12]]",
            OLD,
            f"\\url{{{OLD}}}",
            f"\\href{{{OLD}}}{{x}}",
            "\\href{",
            "}",
            "{",
            "|",
            "%",
            "~",
        ),
        *("\\emph{", "\\footnote{", "\\caption{", "\\label{", "\\verb|", "\\begin{verbatim}", "\\end{verbatim}"),
        *("\n", "\n\n", " ", "\\\\", "words", "\\iffalse", "\\fi ", "\\begin{tabular}{l}", "\\end{tabular}"),
    ],
}
TORN = (
    *(
        "[",
        "](",
        "`",
        "``` ",
        "<a ",
        '<a "',
        "<!--",
        "{{",
        '[a](b "',
        "\\",
        "[[4a:",
        "[a]: ",
        "https://",
        "<code>",
        "> ",
    ),
    *("\\href{", "\\verb|", "\\footnote{", "{", "mixed4a_", "![", "\n", " ", "<svg>", "[^", "a/", "http://a("),
    *("$", "$1", "$a ", "$$a\n", "\\(", "\\[", "\\\\(", "{%", "{% raw %}", "{{< raw >}}", "{a=", "*[a", "<div>\n\n"),
    *(
        "\\lstinline[",
        "\\iffalse ",
        "\\begin{tabular}",
        "\\item[",
        "title: a\n",
        '{\n"',
        "***",
        "`|",
        "[a][",
        "%%a",
        "==",
        "<A ",
    ),
)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return atlas_to_cite(tmp_path_factory.mktemp("atlas"))


@pytest.mark.parametrize("kind", PIECES)
@pytest.mark.parametrize("to", FORMATS)
def test_citing_twice_is_citing_once_whatever_the_document(atlas: Atlas, kind: Language, to: Format) -> None:
    dice = random.Random(f"{kind}-{to}")
    for _ in range(250):
        text = "".join(dice.choices(PIECES[kind], k=dice.randint(1, 12)))
        once = cite(text, kind, atlas, to=to)
        twice = cite(once.text, kind, atlas, to=to)
        assert twice.text == once.text, text


@pytest.mark.parametrize("kind", PIECES)
@pytest.mark.parametrize("piece", TORN)
def test_no_document_takes_longer_than_its_length(atlas: Atlas, kind: Language, piece: str) -> None:
    """200 kB of what is torn in every way: what looked back from each place would take minutes."""
    start = time.process_time()
    cite(piece * (200_000 // len(piece)), kind, atlas)
    assert time.process_time() - start < MINUTE


def test_a_megabyte_of_prose_is_read_while_one_waits(atlas: Atlas) -> None:
    part = f"Units like mixed4a:9 and [[4a:12]] and [x]({OLD}) `code` <b>b</b> *words*, and more of them to fill.\n\n"
    start = time.process_time()
    cited = cite(part * (1_000_000 // len(part)), "markdown", atlas)
    assert cited.written == 3 * (1_000_000 // len(part))
    assert time.process_time() - start < MINUTE


def test_a_data_address_is_no_text(atlas: Atlas) -> None:
    """A picture within a page, of a megabyte: what stands behind it in its tag is still its tag."""
    page = f'<img src="data:image/png;base64,{"A" * 1_000_000}" alt="mixed4a:9"> mixed4a:9'
    assert cite(page, "html", atlas).text == page[:-9] + f'<a href="{PAGE}">mixed4a:9</a>'
