"""A whole installation of real servers and processes in one folder, for runs in which much goes wrong on purpose.

PostgreSQL, a broker, an S3 server and facealbum's own processes are children of the caller and end with it; nothing
of them is left but the folder, if that is wanted.
"""

from eval.stage.programs import Program
from eval.stage.stage import Stage

__all__ = ["Program", "Stage"]
