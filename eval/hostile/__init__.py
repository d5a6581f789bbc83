"""Damaged and hostile files against the decoder: every one must end as a picture or as a typed reason.

`python -m eval.hostile` makes them from the bundled portraits, the same ones each time, decodes each in a process of
its own kind, and prints what became of them.
"""
