"""atlas.sty, which `atlas build` writes: TeX itself reads it, where there is one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from citing import BASE, tiny_to_cite
from tiny import TinyAtlas, tiny_atlas

from generator.cite.document import cite
from generator.publish.build import build
from generator.reader.atlas import Atlas

PAPER = r"""
\documentclass{article}
\usepackage{atlas}
\begin{document}
\section{Of \atlasunit{mixed4a:9}}
\atlasunit{4a:9}, \atlasunit{inception5h/mixed4a:11}, \atlasunit{conv2d0:3}, \atlasunit{4a:9 neuron}
\begin{figure}\atlaspicture[2cm]{mixed4a:9}\caption{\atlasunit{4a:12}}\end{figure}
\atlaspicture{mixed4a:12}
\atlaspicture{mixed4a:9 neuron}
\typeout{card=\csname atlas@card\endcsname, file=\csname atlas@file\endcsname}
\atlasunit{mixed4a:12}
\typeout{page=\csname atlas@page\endcsname, file=\csname atlas@file\endcsname}
\end{document}
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    return tiny_to_cite(tmp_path_factory.mktemp("atlas"))


def test_the_package_has_the_address_and_the_first_checkpoint(tiny: TinyAtlas) -> None:
    package = (tiny.site / "atlas.sty").read_text()
    assert f"\\detokenize{{{BASE}}}" in package
    assert "\\detokenize{bvlc_googlenet}" in package
    assert "{{" not in package
    assert not (tiny.site / "static/atlas.sty").exists()


def test_an_atlas_without_an_address_has_no_package(tmp_path: Path) -> None:
    tiny = tiny_atlas(tmp_path)
    build(tiny.config())
    assert not list(tiny.site.rglob("atlas.sty"))


def test_what_the_package_shows_is_checked(tiny: TinyAtlas) -> None:
    cited = cite(PAPER, "latex", Atlas.open(tiny.site))
    assert (cited.text, cited.problems, cited.count) == (PAPER, (), 10)


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs a TeX: pdflatex")
def test_tex_links_the_pages_and_shows_the_pictures(tiny: TinyAtlas, tmp_path: Path) -> None:
    (tmp_path / "paper.tex").write_text(PAPER.replace(r"\begin{document}", "\\pdfcompresslevel=0\n\\begin{document}"))
    shutil.copy(tiny.site / "atlas.sty", tmp_path)
    shutil.copy(tiny.site / "bvlc_googlenet/mixed4a/9.jpg", tmp_path / "bvlc_googlenet-mixed4a-9.jpg")
    for _ in range(2):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"], cwd=tmp_path, capture_output=True,
            text=True, errors="replace",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]
    log = done.stdout.replace("\n", "")
    pdf = (tmp_path / "paper.pdf").read_bytes().decode("latin-1")
    for page in ("bvlc_googlenet/mixed4a/9", "inception5h/mixed4a/11", "bvlc_googlenet/conv2d0/3"):
        assert f"/URI({BASE}{page}.html)" in pdf
    assert f"/URI({BASE}bvlc_googlenet/mixed4a/9.html#view-neuron)" in pdf
    assert f"card={BASE}bvlc_googlenet/mixed4a/9-neuron.jpg, file=bvlc_googlenet-mixed4a-9-neuron.jpg" in log
    assert "/Subtype/Image" in pdf.replace(" ", "")
    assert "page=https://example.org/atlas/bvlc_googlenet/mixed4a/12" in log
    assert "no picture here; type `curl -o bvlc_googlenet-mixed4a-12.jpg" in log
