"""Every page of the dashboard in Japanese, on an installation that has one of everything."""

import re
from html.parser import HTMLParser

from fastapi.routing import APIRoute

from facealbum.domain.model_gates import BASELINE, GateVerdict, Outcome
from facealbum.domain.sentences import Sentence, Share
from facealbum.steps.context import Context
from facealbum.storage.batches import load_batch, update_batch
from facealbum.storage.registry import update_version
from facealbum.web.pages import ROUTERS
from tests.integration.everything import Everything, path_of

NAMES = {"Mori", "Tanaka", "Aoi", "Grandpa", "default", "stricter", "sharper", "wider", "first", "test", "tests", "ben"}
"""Of people, arms, experiments and samples in this installation."""
PROPER = {
    *("facealbum", "English", "Apache", "MIT", "CC", "InsightFace", "ArcFace", "AuraFace", "FaceNet", "GhostFaceNet"),
    *(
        "SFace",
        "ResNet",
        "Inception",
        "OpenCV",
        "Zoo",
        "deepface",
        "FG",
        "NET",
        "Families",
        "In",
        "the",
        "Wild",
        "ONNX",
    ),
}
"""Of the product, licences and networks; "Families In the Wild" is a data set."""
TECHNICAL = {
    "ID",
    "MB",
    "MLflow",
    "SHA",
    "POST",
    "Shift",
    "constrained",
    "hdbscan",
    "FACEALBUM",
    "BROKER",
    "URL",
    "UTC",
}
"""Words that Japanese engineers write so: units, keys, protocols, settings, an algorithm."""
_IDENTIFIER = re.compile(r"\b[0-9a-f]{8}\b|[\w-]*[\d@_/.:-][\w@/.:+-]*")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_READ_OUT = {"title", "alt", "aria-label", "placeholder", "data-selected"}
_SILENT = {"code", "kbd", "script", "style"}
PATHS = [
    route.path
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "GET" in route.methods
]


class Reader(HTMLParser):
    """What a page tells its readers, one text after the other."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if value and name in _READ_OUT]
        if tag in _SILENT:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.texts.append(data)


def english(page: str) -> list[str]:
    """The texts of a page that have words which are neither names nor technical."""
    known = NAMES | PROPER | TECHNICAL
    return [
        " ".join(text.split())
        for text in Reader(page).texts
        if not known.issuperset(_LATIN.findall(_IDENTIFIER.sub(" ", text)))
    ]


def tell_reasons(world: Context) -> None:
    """Have a run with an alarm, and a version with a gate's reason."""
    alarm = Sentence(
        "%(share)s of %(faces)s faces have a person, after %(before)s", share=Share(0.5), faces=9, before="x"
    )
    gate = GateVerdict(BASELINE, Outcome.PASS, Sentence("no difference to its baseline is shown"))
    with world.database.begin() as transaction:
        batch = load_batch(transaction, None)
        told = {"alarms": [alarm], "sentences": [alarm.to_dict()]}
        update_batch(transaction, batch.batch_id, summary={**(batch.summary or {}), **told})
        update_version(transaction, 1, gates={BASELINE: gate.to_dict()})


def test_no_page_has_english_for_a_japanese_reader(everything: Everything) -> None:
    tell_reasons(everything.app.state.context)
    headers = {"accept": "text/html", "accept-language": "ja"}
    pages = {path: everything.client.get(path_of(path, everything.places), headers=headers).text for path in PATHS}
    assert {path: found for path, page in pages.items() if (found := english(page))} == {}
    assert len(english(everything.client.get("/", headers={"accept": "text/html"}).text)) > 10, "English is found"
    assert "人物が決まった顔は9件のうち50.0%" in pages["/"]
    assert "基準との差は示されていません" in pages["/models/{model_id}"]


def test_a_problem_is_told_in_japanese_with_its_english_as_code(everything: Everything) -> None:
    headers = {"accept": "text/html", "accept-language": "ja"}
    for path in ("/runs/99", "/nowhere", "/runs/x", "/experiments/none"):
        answer = everything.client.get(path, headers=headers)
        assert (answer.status_code >= 400, english(answer.text)) == (True, []), path
