"""A published atlas, read by programs: what it shows, its pictures and records, and copies of them for one's own store.

:class:`generator.reader.atlas.Atlas` is what ``generator.Atlas`` names; :mod:`generator.reader.pull` is `atlas pull`,
:mod:`generator.reader.find` what `atlas open` makes of a word.
"""
