"""Analysis of single pictures for callers that keep nothing."""

from threading import local

from models.analyzer import Analyzer

_threads = local()


def thread_analyzer() -> Analyzer:
    """The calling thread's analyzer, loaded at its first call; an analyzer belongs to one thread."""
    if not hasattr(_threads, "analyzer"):
        _threads.analyzer = Analyzer.load()
    analyzer: Analyzer = _threads.analyzer
    return analyzer
