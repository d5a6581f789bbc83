"""Becomes a program that doesn't outlive its parent: `python leash.py PARENT COMMAND...`.

The kernel kills the program when the process PARENT dies, however that dies: work that is lost so is done again, while
a worker that is only asked to stop may hang, as its broker goes at the same time.
"""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() == int(sys.argv[1]):  # else it died before it could be watched
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the stack's own programs, and no shell
