"""Only what is known is kept off standard error."""

import subprocess
import sys
from signal import SIGABRT


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


def test_what_is_not_known_is_told_although_the_process_dies_of_it() -> None:
    program = (
        "import os\n"
        "from models.quiet import filtered\n"
        "with filtered('I[0-9]+ .*'):\n"
        "    os.write(2, b'I0000 greeting\\nF0000 no such instruction\\n')\n"
        "    os.abort()\n"
    )
    died = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (died.returncode, died.stderr) == (-SIGABRT, b"F0000 no such instruction\n")


def test_tensorflow_starts_in_silence() -> None:
    program = (
        "from models.quiet import load_keras\n"
        "keras = load_keras()\n"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        "model.fit(keras.ops.ones((4, 2)), keras.ops.ones((4, 1)), verbose=0)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stderr == b""
