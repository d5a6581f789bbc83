"""Load, decide, apply: the only place where storage, models and algorithms meet."""
