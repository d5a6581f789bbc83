"""Only the known line is kept off standard error."""

import subprocess
import sys


def test_everything_but_the_line_gets_through_in_order() -> None:
    program = (
        "import os\n"
        "from models.quiet import without_line\n"
        "with without_line(b'greeting'):\n"
        "    os.write(2, b'one\\ngreeting\\ntwo\\n')\n"
        "os.write(2, b'three\\n')\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stderr
    assert said == b"one\ntwo\nthree\n"


def test_an_error_in_the_block_still_gives_standard_error_back() -> None:
    program = "from models.quiet import without_line\nwith without_line(b'greeting'):\n    raise ValueError('told')\n"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).stderr
    assert b"ValueError: told" in said


def test_loading_the_models_says_nothing() -> None:
    program = "from models.analyzer import Analyzer\nAnalyzer.load()"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stderr == b""
