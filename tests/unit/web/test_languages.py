"""The languages of the pages: every text has its translation, and numbers and dates are written as readers expect."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract
from starlette.requests import Request

from eval.drift.distributions import DISTRIBUTIONS
from eval.metrics import METRICS, slices
from facealbum.domain.access import Role
from facealbum.domain.model_versions import ModelKind, Stage
from facealbum.domain.months import Month
from facealbum.domain.sentences import Sentence, Share, Term
from facealbum.errors import FacealbumError
from facealbum.linking.attribution import INPUTS
from facealbum.web.languages import LANGUAGES, NOTHING, language, language_of
from facealbum.web.problems import STATUSES

WEB = Path(str(files("facealbum.web")))
FACEALBUM, EVAL = WEB.parent, WEB.parents[1] / "eval"
IN_WEB = {"lead_back": (3,), "say": None, "gettext": None, "ngettext": (1, 2)}
REFUSALS = {"InvalidValueError": None}
SENTENCES = {"Sentence": None, "counted": (1, 2), "Term": None}
SLICES = [
    *(*slices.AGES, slices.GIRL, slices.BOY, *slices.QUALITIES, *slices.POSES, slices.PHOTO, slices.VIDEO),
    *(
        slices.NO_SIBLINGS,
        slices.NEAR_SIBLINGS,
        slices.FAR_SIBLINGS,
        *slices.HISTORIES,
        *map(slices.size_slice, range(9)),
    ),
]
OTHERS = [code for code in LANGUAGES if code != "en"]


def texts() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Every text that a template, a page or a sentence of the product shows, with where it stands."""
    for path in sorted(WEB.rglob("*.html")):
        options = {"trim_blocks": "true", "lstrip_blocks": "true"}
        with path.open("rb") as file:
            for line, _, text, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), options):
                yield f"{path.name}:{line}", text
    for folder, keywords in ((WEB, IN_WEB), (WEB / "pages", REFUSALS), (FACEALBUM, SENTENCES), (EVAL, SENTENCES)):
        for path in sorted(folder.rglob("*.py")):
            code = path.read_bytes()
            if any(f"{name}(".encode() in code for name in keywords):
                for line, text, _, _ in extract("python", BytesIO(code), keywords=keywords):
                    yield f"{path.name}:{line}", text


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated(code: str) -> None:
    words = language(code).words
    missing = [(place, text) for place, text in texts() if (text if isinstance(text, str) else text[0]) not in words]
    assert not missing, f"translate these in facealbum/web/locale/{code}: {missing}"


def test_every_text_of_a_page_can_be_filled_in() -> None:
    """A sign of percent that stands alone would break the page."""
    for place, text in texts():
        for one in (text,) if isinstance(text, str) else filter(None, text):
            names = re.findall(r"%\((\w+)\)", one)
            assert ".html:" not in place or one % dict.fromkeys(names, 1), place


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_fills_in_what_the_text_does(code: str) -> None:
    """A value that is misspelt would break the page, and one that is left out would not be told."""
    wrong = []
    for english, said in language(code).words.items():
        wanted, given = ({*re.findall(r"%\(\w+\)s|%.", text)} for text in (english, said[0]))
        if wanted ^ given:
            wrong.append((english, wanted ^ given))
    assert not wrong


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_is_translated_twice(code: str) -> None:
    """Two areas that say the same could say it differently."""
    seen: dict[str, tuple[str, object]] = {}
    for path in sorted((WEB / "locale" / code).glob("*.po")):
        for message in read_po(BytesIO(path.read_bytes()), locale=code):
            key = str(message.id)
            assert not message.id or seen.get(key, ("", message.string))[1] == message.string, (path.name, seen[key])
            seen[key] = (path.name, message.string)


@pytest.mark.parametrize("code", OTHERS)
def test_words_that_are_stored_are_words_of_every_language(code: str) -> None:
    about = [one.about for one in DISTRIBUTIONS.values()] + [one.unit for one in DISTRIBUTIONS.values() if one.unit]
    inputs, problems = [f"input {one}" for one in INPUTS], [f"problem {one}" for one in {*STATUSES, *codes()}]
    stored = [*Role, *Stage, *ModelKind, *SLICES, *titles(), *about, *inputs, *problems]
    assert [word for word in map(str, stored) if word not in language(code).words] == []


def codes() -> set[str]:
    """Of every error of ours: any of them may end on a page."""
    kinds = [FacealbumError]
    for one in kinds:
        kinds += one.__subclasses__()
    return {one.code for one in kinds}


def titles() -> list[str]:
    return [metric.title for metric in METRICS.values()]


@pytest.mark.parametrize("code", LANGUAGES)
def test_slices_are_told_in_words(code: str) -> None:
    assert [one for one in SLICES if ":" in language(code).tell(one)] == []
    assert "Acme: 3" in language(code).tell("camera:Acme: 3")


def test_a_sentence_is_told_in_the_readers_language() -> None:
    said = Sentence(
        "%(metric)s of %(month)s is %(value)s in %(families)s families, %(side)s the %(low)s to %(high)s that the"
        " %(before)s months before let expect",
        metric=Term("coverage"),
        month=Month(2026, 10),
        value=Share(0.5),
        families=1234,
        side=Term("below"),
        low=Share(0.75),
        high=Share(1),
        before=12,
    )
    japanese = "2026年10月のカバー率は1,234家族で50.0%です。それまでの12か月から予想される75.0%〜100.0%を下回っています"
    assert language("ja").tell(said) == japanese
    assert language("en").tell(said).startswith("coverage of Oct 2026 is 50.0% in 1,234 families, below the 75.0% to")


def test_what_a_language_lacks_is_told_in_english_and_known_as_that() -> None:
    english, japanese = language("en"), language("ja")
    said = Sentence("nobody %(did)s this", did="translated")
    assert japanese.tell(said) == "nobody translated this"
    assert (english.has(said), japanese.has(said), japanese.has("select faces first")) == (True, False, True)


def test_authors_are_told_by_what_they_are() -> None:
    japanese = language("ja")
    told = [japanese.author(one) for one in ("user ann", "token shop", "operator", "ann of the shop", None)]
    assert told == ["ユーザー ann", "トークン shop", "運用者", "ann of the shop", NOTHING]


@pytest.mark.parametrize(
    ("cookie", "header", "expected"),
    [
        ("", "", "en"),
        ("", "ja", "ja"),
        ("", "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("", "fr-FR, ja;q=0.5", "ja"),
        ("", "xx;;q=,,-, *", "en"),
        ("ja", "en", "ja"),
        ("xx", "ja", "ja"),
    ],
)
def test_a_reader_gets_the_language_that_was_chosen_or_the_first_there_is(
    cookie: str, header: str, expected: str
) -> None:
    headers = [(b"accept-language", header.encode()), (b"cookie", f"facealbum-language={cookie}".encode())]
    assert language_of(Request({"type": "http", "headers": headers})).code == expected


def test_numbers_and_dates_are_written_as_the_language_does() -> None:
    english, japanese = language("en"), language("ja")
    assert (english.number(12345.678), english.number(1.25, 1), english.percent(0.98765)) == ("12,346", "1.2", "98.8%")
    assert (english.percent(0.5, 0), english.number(None), english.percent(None)) == ("50%", NOTHING, NOTHING)
    month = date(2026, 10, 1)
    assert (english.month(month), japanese.month(month)) == ("Oct 2026", "2026年10月")
    assert english.moment(datetime(2026, 10, 1, 23, 5, tzinfo=UTC)) == "Oct 1, 2026 23:05"
    assert (english.duration(80), japanese.duration(timedelta(hours=3))) == ("80 seconds", "3 時間")
    assert japanese.ngettext("%(num)s family", "%(num)s families", 2)
