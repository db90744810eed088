"""Whole documents: the units that a post, a page, a paper or a notebook names, as references to a built atlas.

>>> from generator.cite.document import cite
>>> cited = cite(text, "markdown", Atlas.open("https://host/atlas/"), to="chip")     # doctest: +SKIP
>>> cited.count, cited.problems                                       # doctest: +SKIP
(30, (Remark(line=12, text='mixed4a has channels 0 to 511, not 9999; ...'),))

One way over all languages: ``mentions`` finds what may name a unit and marks it, a parser reads the marked text, and
where the marks come out says what is prose and what the address of a link (``markup``, ``markdown``). What parsers do
not know is set aside before: front matter, tags of site generators, mathematics (``templates``). ``latex`` finds links
and commands by itself. What a mention means is asked of the atlas (``resolver``) and written in one of the formats
(``writing``). ``python_markdown`` and ``pandoc`` do the same in a blog's own build.
"""
