"""The whole of facealbum on one machine without Docker: its servers and processes, kept running until told to stop."""

from facealbum.stack.processes import PROCESSES, Process
from facealbum.stack.run import run_stack

__all__ = ["PROCESSES", "Process", "run_stack"]
