"""Simulated families: photos month by month, the faces that analysis finds in them, and whom they really show.

Family k of a seed is the same whatever other families are made, and its first months are the same however many
follow.  Vectorised over the faces of a month; a family's year takes about ten milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from eval.synthetic.directions import Array, draw_around
from eval.synthetic.households import Household, Role, draw_household, draw_identities
from eval.synthetic.parameters import Habits, Looks, Senses, World
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.months import Month

START = Month(2024, 1)

_YEAR = 12
_SIZE = (130.0, 0.6)  # median height of a face in pixels, and the spread of its logarithm
_YAW = 12.0  # degrees
_RATE = {Role.GRANDPARENT: 0.05, Role.PARENT: 0.25, Role.CHILD: 1.1, Role.VISITOR: 0.3}  # of being in a photo
_RATE_SPREAD = 0.5  # of its logarithm between persons
_VISITS = 0.2  # share of the months in which a visitor is there
_COMPANY = 1.2  # shape of the gamma distribution of how many are in a photo


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Found faces in the order of their photos, a row a face.

    photo: its number among the family's.  month: since the start.  moment: years since the start.  person: the row of
    the household.  true_age, age: years, as it is and as estimated.  size: pixels.  yaw: degrees.
    embedding: float32[n, 512] of length 1.
    """

    photo: NDArray[np.intp]
    month: NDArray[np.intp]
    moment: Array
    person: NDArray[np.intp]
    true_age: Array
    age: Array
    p_female: Array
    quality: Array
    size: Array
    yaw: Array
    embedding: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.photo)

    def __getitem__(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Faces":
        """Some of them."""
        return Faces(*(getattr(self, column.name)[rows] for column in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence["Faces"]) -> "Faces":
        """All of them, one part after the other."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """One family.  photos: intp[months], how many were uploaded in each month, those without a face included."""

    seed: int
    number: int
    people: Household
    photos: NDArray[np.intp]
    faces: Faces

    @property
    def name(self) -> str:
        """Unique among the families of all seeds."""
        return f"simulated-{self.seed}-{self.number}"


def draw_family(seed: int, number: int, *, months: int, world: World) -> Family:
    """Family `number` of a seed over its first `months`."""
    draw = np.random.default_rng([seed, number])
    people = draw_household(world.habits, draw)
    person = _Traits.draw(people, world, draw)
    ages = np.arange(months) / _YEAR - people.born[:, None]
    identities = draw_identities(people, ages, world.looks, likeness=world.habits.twin_likeness, draw=draw)
    parts: list[Faces] = []
    photos: list[int] = []
    for month in range(months):
        now = np.random.default_rng([seed, number, month])
        count = _photos(month, person.photos, people, world.habits, now)
        shown = _Shown.draw(month, range(sum(photos), sum(photos) + count), people, person, now)
        parts.append(_analyse(shown, person, identities[:, month], world, now))
        photos.append(count)
    return Family(seed, number, people, np.array(photos, np.intp), Faces.joined(parts))


@dataclass(frozen=True, slots=True, eq=False)
class _Traits:
    """What stays the same for years: how often each is in a photo, and how age and gender are misjudged."""

    photos: float
    rates: Array
    age_error: Array
    gender_error: Array
    female: NDArray[np.bool_]
    born: Array

    @classmethod
    def draw(cls, people: Household, world: World, draw: np.random.Generator) -> "_Traits":
        count = len(people)
        photos = world.habits.photos * np.exp(world.habits.photos_spread * draw.standard_normal())
        rates = np.array([_RATE[Role(role)] for role in people.role]) * np.exp(
            _RATE_SPREAD * draw.standard_normal(count)
        )
        hidden = (people.role == Role.PARENT) & (draw.uniform(size=count) < world.habits.one_parent)
        rates[hidden] = 0
        return cls(photos, rates, draw.standard_normal(count), draw.standard_normal(count), people.female, people.born)


def _photos(month: int, usual: float, people: Household, habits: Habits, draw: np.random.Generator) -> int:
    """How many photos a month brings."""
    of_year = (START.month - 1 + month) % _YEAR
    birthday = (people.role == Role.CHILD) & (np.floor(np.mod(people.born, 1) * _YEAR) == of_year)
    expected = usual * habits.seasons[of_year] * np.exp(habits.month_spread * draw.standard_normal())
    quiet = draw.uniform() < habits.quiet
    return 0 if quiet else int(draw.poisson(expected * (habits.birthday if birthday.any() else 1)))


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """Who is in the photos of a month: photo and person of each face, intp[n], and its moment in years, float64[n]."""

    month: int
    photo: NDArray[np.intp]
    person: NDArray[np.intp]
    moment: Array

    @classmethod
    def draw(cls, month: int, photos: range, people: Household, person: _Traits, draw: np.random.Generator) -> "_Shown":
        count = len(photos)
        moments = np.sort((month + draw.uniform(0, 0.99, count)) / _YEAR)
        visiting = (people.role != Role.VISITOR) | (draw.uniform(size=len(people)) < _VISITS)
        company = draw.gamma(_COMPANY, 1 / _COMPANY, count)[:, None]
        chance = 1 - np.exp(-company * person.rates * visiting)
        there = (draw.uniform(size=chance.shape) < chance) & (moments[:, None] > people.born)
        photo, who = np.nonzero(there)
        return cls(month, photos.start + photo, who, moments[photo])


def _analyse(shown: _Shown, person: _Traits, identities: Array, world: World, draw: np.random.Generator) -> Faces:
    """What analysis finds of who is shown."""
    senses, who = world.senses, shown.person
    true_age = shown.moment - person.born[who]
    count = len(who)
    quality = np.interp(draw.uniform(size=count), np.linspace(0, 1, len(senses.quality)), senses.quality)
    faces = Faces(
        photo=shown.photo,
        month=np.full(count, shown.month),
        moment=shown.moment,
        person=who,
        true_age=true_age,
        age=_estimated_ages(true_age, person.age_error[who], senses, draw),
        p_female=_p_female(true_age, person.female[who], person.gender_error[who], senses, draw),
        quality=quality,
        size=_SIZE[0] * np.exp(_SIZE[1] * draw.standard_normal(count)),
        yaw=_YAW * draw.standard_normal(count),
        embedding=_embeddings(true_age, identities[who], quality, world.looks, draw),
    )
    return faces[draw.uniform(size=count) >= senses.misses(quality)]


def _estimated_ages(true: Array, of_person: Array, senses: Senses, draw: np.random.Generator) -> Array:
    """With the packaged model's error at that age, a part of which is the person's own."""
    share = senses.person_share
    chance = np.sqrt(share) * of_person + np.sqrt(1 - share) * draw.standard_t(senses.error_freedom, len(true))
    bias, spread = (np.interp(true, senses.error_ages, values) for values in (senses.error_bias, senses.error_spread))
    estimated: Array = np.clip(true + bias + spread * chance, 0, 100)
    return estimated


def _p_female(
    ages: Array, female: NDArray[np.bool_], of_person: Array, senses: Senses, draw: np.random.Generator
) -> Array:
    """Calibrated: with logits of mean d^2 / 2 and variance d^2, P(female) holds and is right with Phi(d / 2)."""
    apart = 2 * ndtri(np.interp(ages, senses.gender_ages, senses.gender_right))
    share = senses.person_share
    chance = np.sqrt(share) * of_person + np.sqrt(1 - share) * draw.standard_normal(len(ages))
    logit = np.where(female, 1, -1) * apart**2 / 2 + apart * chance
    probability: Array = 1 / (1 + np.exp(-logit))
    return probability


def _embeddings(
    ages: Array, identities: Array, quality: Array, looks: Looks, draw: np.random.Generator
) -> NDArray[np.float32]:
    """float32[n, 512] of length 1: what everybody shares, what the young share, who it is; then the photo."""
    youth = looks.youth(ages)
    means = np.sqrt(np.clip(1 - youth**2 - looks.common, 0, 1))[:, None] * identities
    means[:, 0] += youth
    means[:, 1] += np.sqrt(looks.common)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    sharp = looks.sharpness(quality, draw.standard_normal(len(ages)))
    return (draw_around(means, sharp, draw) @ _axes(looks.dimensions)).astype(np.float32)


@cache
def _axes(dimensions: int) -> Array:
    """Where the dimensions that are used lie among the 512, orthonormal float64[dimensions, 512]."""
    random = np.random.default_rng(dimensions).standard_normal((EMBEDDING_SIZE, dimensions))
    axes: Array = np.linalg.qr(random)[0].T
    return axes
