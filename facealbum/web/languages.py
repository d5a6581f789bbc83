"""The languages of the pages: which one a reader gets, its words, and how it writes numbers and dates.

Texts are written in English where they are shown; their translations stand in `locale/LANGUAGE/AREA.po`, a file for
each area of the dashboard.  What isn't translated is shown in English, and a test finds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from io import BytesIO
from math import isfinite

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent
from starlette.requests import Request

from facealbum.domain.months import Month
from facealbum.domain.sentences import Number, Sentence, Share, Term, Value

LANGUAGES: Mapping[str, str] = {"en": "English", "ja": "日本語"}
"""By code, as each calls itself."""
LANGUAGE_COOKIE = "facealbum-language"
NOTHING = "–"  # noqa: RUF001 - the dash of a table's empty cell

_AUTHORS = {"user", "token"}


@dataclass(frozen=True, slots=True)
class Language:
    """A language with its translations; singular and plural by the English text."""

    code: str
    words: Mapping[str, tuple[str, ...]]

    @property
    def locale(self) -> Locale:
        """As Babel knows it."""
        return Locale.parse(self.code)

    def gettext(self, text: str) -> str:
        """The text in this language."""
        return self.words.get(text, (text,))[0]

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The text for so many of something."""
        forms = self.words.get(one) or (one, many)
        return forms[min(int(self.locale.plural_form(count) != "one"), len(forms) - 1)]

    def say(self, text: str, **values: object) -> str:
        """The text in this language with its `%(name)s` filled in."""
        return self.gettext(text) % values

    def has(self, said: str) -> bool:
        """Whether `tell` tells it in this language."""
        return self.code == "en" or (said.text if isinstance(said, Sentence) else said) in self.words

    def tell(self, said: str) -> str:
        """A sentence of the product in this language; of anything else the word, where the language has it."""
        if not isinstance(said, Sentence):
            return self._word(said)
        values = {name: self._fill(value) for name, value in said.values.items()}
        count = said.values.get("num", 1)
        text = self.ngettext(said.text, said.many, int(str(count))) if said.many else self.gettext(said.text)
        return text % values

    def author(self, who: str | None) -> str:
        """Who did something, as records name them: a user, a token, or a part of the product."""
        kind, _, name = (who or NOTHING).partition(" ")
        return f"{self.gettext(kind)} {name}" if name and kind in _AUTHORS else self.gettext(who or NOTHING)

    def _word(self, word: str) -> str:
        """A word; of one such as "camera:Acme" that no file has, its kind."""
        kind, colon, name = word.partition(":")
        if word not in self.words and f"{kind}{colon}" in self.words:
            return self.gettext(f"{kind}{colon}") + name
        return self.gettext(word)

    def _fill(self, value: Value) -> str:
        match value:
            case str():
                return self.tell(value) if isinstance(value, Sentence) else value
            case Term():
                return self._word(value.word)
            case Month():
                return self.month(value.start().date())
            case Share():
                return self.percent(value.value, value.digits)
            case Number():
                return self.number(value.value, value.digits)
        return self.number(value)

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with at most so many digits after the point, and no sign before 0."""
        return NOTHING if value is None else format_decimal(round(float(value), digits) + 0.0, locale=self.locale)

    def compact(self, value: float) -> str:
        """A number as short as an axis wants it."""
        return format_compact_decimal(value, locale=self.locale, fraction_digits=1)

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A share of 1."""
        pattern = f"#,##0.{'0' * digits}%" if digits else "#,##0%"
        return NOTHING if value is None else format_percent(value, pattern, self.locale)

    def day(self, value: date | None) -> str:
        """A day."""
        return NOTHING if value is None else format_date(value, "medium", self.locale)

    def interval(self, ends: tuple[float | None, float | None], digits: int = 1, *, share: bool = True) -> str:
        """From the lower to the upper end; nothing where it isn't known."""
        low, high = ends
        if low is None or high is None or not isfinite(high - low):
            return NOTHING
        write = self.percent if share else self.number
        return f"{write(low, digits)} – {write(high, digits)}"  # noqa: RUF001 - the dash between numbers

    def short_day(self, value: date) -> str:
        """A day of a year that is known."""
        return format_skeleton("Md", value, locale=self.locale)

    def month(self, value: date | None) -> str:
        """The month that begins with this day."""
        return NOTHING if value is None else format_skeleton("yMMM", value, locale=self.locale)

    def moment(self, value: datetime | None) -> str:
        """A moment, to the minute, in UTC."""
        return NOTHING if value is None else f"{self.day(value.astimezone(UTC))} {value.astimezone(UTC):%H:%M}"

    def duration(self, value: timedelta | float | None) -> str:
        """A length of time, or so many seconds, in its largest unit."""
        if value is None:
            return NOTHING
        length = value if isinstance(value, timedelta) else timedelta(seconds=value)
        return format_timedelta(length, threshold=1.5, locale=self.locale)


@cache
def language(code: str) -> Language:
    """The language of this code, with all that its files say."""
    words: dict[str, tuple[str, ...]] = {}
    folder = files("facealbum.web").joinpath("locale", code)
    for file in sorted(folder.iterdir(), key=lambda one: one.name) if folder.is_dir() else ():
        for message in read_po(BytesIO(file.read_bytes()), locale=code):
            text = message.id if isinstance(message.id, str) else message.id[0]
            said = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            if text and said and all(said):
                words[text] = said
    return Language(code, words)


def language_of(request: Request) -> Language:
    """What the reader chose, else the first that the browser asks for and that there is, else English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return language(chosen)
    asked = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    found = negotiate_locale([code.replace("-", "_") for code in asked if code], list(LANGUAGES))
    return language(found or "en")
