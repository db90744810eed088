"""Whole documents: the units that a post, a page, a paper or a notebook names, as references to a built atlas.

>>> from generator.cite.document import cite
>>> cited = cite(text, "markdown", Atlas.open("https://host/atlas/"), to="chip")     # doctest: +SKIP
>>> cited.count, cited.problems                                       # doctest: +SKIP
(30, (Remark(line=12, text='mixed4a has channels 0 to 511, not 9999; ...'),))

What no language knows of is set ``apart``: front matter, templates, mathematics. A document is laid out by the module
of its language (``in_markdown``, ``in_html``, ``in_latex``, ``in_notebook``), what it names is found in its ``prose``
and its links, its ``meaning`` is asked of the atlas, and it is written anew in one of the ``forms``.
``python_markdown`` and ``pandoc`` do the same in a blog's own build.
"""
