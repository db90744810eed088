"""What stands beside the prose of a document: templates, front matter, mathematics, other people's HTML."""

from __future__ import annotations

import logging

import markdown
import pytest
from citing import BASE, PAGE, atlas_to_cite, linked, tiny_to_cite

from generator.cite import python_markdown
from generator.cite.python_markdown import AtlasExtension
from generator.reader.atlas import Atlas


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return atlas_to_cite(tmp_path_factory.mktemp("atlas"))


@pytest.mark.parametrize(
    "text",
    [
        # a site's templates
        '«»\n{% highlight python %}\nrender("°")\n\n```\n{% endhighlight %}\n«»\n',
        '«» {{< highlight py "a=b" >}}\n°\n\n*°\n{{< /highlight >}} «» {{% math %}}\n°\n{{% /math %}}',
        "{%- raw -%}°{% endraw %} «» {% comment %}\n\n°\n{% endcomment %} {% highlight py %} «»\n\n«» {{< raw >}} «»",
        # front matter
        "Title: On °\nSlug: °\n  more °\nx-y: °\n\n«»: «»\n",
        "date: °\n\n«»",
        "Author:\n    °\n\n«»",
        "Title: «»\nis text\n",
        "Like: «»\nSlug: «»\n",
        '{\n  "title": "°"\n}\n«»\n',
        "{«»}\n",
        # mathematics
        "$x_{°}$ «» $$ f(\\text{°}) $$ «» \\(°\\) «» \\[°\\] «» \\\\(°\\\\) «» \\\\[ a \\\\[2pt] ° \\\\] «»",
        "$$\n- °\n+ °\n$$\n\n«»",
        "$5, «» and $6; US$5 «» US$6, $ «» $, \\$ «»\\$ $(«»\n\n«»$ \\(«» \\[«»",
        "\\[[4a:9]] [«»] «» `$` «» `$` «»",
        "<div>$°$ «» \\(°\\) $5 <b>«»</b> 6$</div>",
        # emphasis that would end, links that would change
        "**°**s **°**は x*°* *°*s ~~°~~s **«»** **«»**. (*«»*)",
        "[r]° [r][[4a:9]] [r] «» [r], «» [s]°\n\n[r]: x",
        # attributes and abbreviations
        '![i](c.png){title="°"} `x`{.py} [t](y){: title="°"} «» {«»}\n\n## «» {#x title=°}',
        "*[°]: a °\n\n«» *[a] «»",
        "«»\n\n*[HTML]: °\n*[CSS]: °\n",
        "<d-code>\n°\n</d-code>\n\n«» <tt>°</tt>",
    ],
)  # fmt: skip
def test_markdown(atlas: Atlas, text: str) -> None:
    assert linked(text, "markdown", atlas) == text
    assert linked(text.replace("\n", "\r\n"), "markdown", atlas) == text.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text",
    [
        '---\ntitle: °\n---\n<p>«» {% include unit.html id="°" %} {{ "°" | upcase }} «»</p>',
        '<a href="{{ "x" | url }}" title="{% if a > b %}">°</a>«»<script>a={{b:1}</script>«»}}',
        "<p>{% highlight py %}\n<b>°</b>\n{% endhighlight %}«» {% raw %}°{% endraw %}",
        "Title: «»\n\n---\n«»\n---\n",
        "<p>$x_{°}$ «» $$ ° $$ \\(°\\) \\[°\\] «»</p><p>$5</p>«»<p>6$</p>",
        "<d-code>°</d-code><dt-code>°</dt-code><d-math>°</d-math><tt>°</tt><listing>°</listing>«»",
        "<template>°</template><select><option>°<option>°</select><button>°</button><iframe>°</iframe>«»",
    ],
)
def test_html(atlas: Atlas, text: str) -> None:
    assert linked(text, "html", atlas) == text


def test_python_markdown_reads_raw_html_as_it_does(site: str) -> None:
    raw = (
        "<details><summary>x</summary>\n\nhidden mixed4a:9 `a`\n\n<div>\n\n</div>\n\nmixed4a:9\n\n</details>\n\n"
        "mixed4a:12\n\n<div>\n\nmixed4a:9\n\n</div>\n"
    )
    html = markdown.markdown(raw, extensions=[AtlasExtension(atlas=site)])
    assert html.count(f'<a href="{PAGE}">mixed4a:9</a>') == 3
    assert "](" not in html
    assert f'<p><a href="{BASE}bvlc_googlenet/mixed4a/12.html">mixed4a:12</a></p>' in html
    marked = '<div markdown="1">\n\nmixed4a:9\n\n</div>\n'
    html = markdown.markdown(marked, extensions=["md_in_html", AtlasExtension(atlas=site)])
    assert f'<p><a href="{PAGE}">mixed4a:9</a></p>' in html


def test_python_markdown_leaves_metadata_and_counts_its_lines(site: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever its first key is."""
    text = "X-Kind: mixed4a:9\nSlug: mixed4a:9\n\nBody\nmixed4a:9999\n"
    md = markdown.Markdown(extensions=["meta", AtlasExtension(atlas=site)])
    assert "Body" in md.convert(text)
    assert md.Meta == {"x-kind": ["mixed4a:9"], "slug": ["mixed4a:9"]}  # type: ignore[attr-defined]
    assert [record.getMessage()[:7] for record in caplog.records] == ["line 5:"]


def test_python_markdown_opens_an_atlas_once(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    atlas = Atlas.open(site)
    python_markdown._open.cache_clear()

    def open_(where: str) -> Atlas:
        opened.append(where)
        return atlas

    monkeypatch.setattr(Atlas, "open", open_)
    for _ in range(3):
        markdown.markdown("mixed4a:9", extensions=[AtlasExtension(atlas=site)])
    python_markdown._open.cache_clear()
    assert opened == [site]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    logging.getLogger("inception_atlas.cite").setLevel(logging.WARNING)
    return str(tiny_to_cite(tmp_path_factory.mktemp("atlas")).site)
