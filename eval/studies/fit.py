"""Whether simulated faces lie as those of the albums: similarities by who is shown and at what age, side by side."""

import json
from pathlib import Path

from eval.studies.tables import table
from eval.synthetic.parameters import FITTED


def render_fit(path: Path = FITTED) -> str:
    """A row a cell of pairs: quantiles (5, 50, 95 %) of real and of simulated similarities."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    rows = []
    for cell in cells:
        (low, _, middle, _, high), (drawn_low, _, drawn_middle, _, drawn_high) = cell["real"], cell["simulated"]
        rows.append(
            (
                cell["name"] + ("" if cell["fitted"] else " (a check)"),
                f"{cell['pairs']:,}",
                f"{low:.2f} / {middle:.2f} / {high:.2f}",
                f"{drawn_low:.2f} / {drawn_middle:.2f} / {drawn_high:.2f}",
                f"{drawn_middle - middle:+.2f}",
            )
        )
    return table(("pairs of photos", "pairs", "real, 5 / 50 / 95 %", "simulated", "off in the middle"), rows)
