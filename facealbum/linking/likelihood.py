"""How well a birth date and a gender explain what a person's faces show.

Bayes on the unknown birth date: either it is that of a registered child, or somebody else's, of which only the
broad distribution of ages is known.  The error of one estimated age is Student's t, with the bias and the spread that
estimates show at that true age, so one misjudged face does not decide; the errors of one person's faces are
correlated, so many faces count as few.  P(female) must be calibrated: it is believed as it stands.  What a user says of
a face outranks the models: a told age is nearly exact, and counts whole; where a gender is told, no estimate counts.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.people import Child, Gender
from facealbum.linking.evidence import FaceEvidence
from facealbum.linking.parameters import LinkParameters

_DAY, _YEAR = 86_400.0, 365.2425
_ADULT, _OLDEST = 18.0, 80.0
_STEP = 0.5
_LEAST_QUALITY = 0.1
_TOLD_SPREAD = 1.0  # years; people say whole ones, and are right to about one
_TOLD_GENDER = 0.99
_MISDATED = np.log(0.001)  # a photo that is dated before its child's birth


class Judge:
    """The faces of one person as arrays, one row a face, in an order of their own."""

    def __init__(self, faces: Sequence[FaceEvidence], parameters: LinkParameters) -> None:
        ordered = sorted(faces, key=_order)
        self._parameters = parameters
        self._days = np.array([face.taken_at.timestamp() / _DAY for face in ordered])
        quality = np.clip([face.quality for face in ordered], _LEAST_QUALITY, 1)
        nobody = np.zeros(len(ordered), bool)
        self._weights = _weigh(quality, nobody, parameters)
        self._ages, known = _values([face.age for face in ordered])
        self._told_age = np.array([face.told_age for face in ordered])
        self._age_weights = _weigh(quality, self._told_age, parameters) * known
        self._has_age = known
        said, known = _values([face.p_female for face in ordered])
        told = np.array([face.told_female for face in ordered])
        told_some = bool((told & known).any())
        counts = known & told if told_some else known
        p_female = np.clip(said, 0.01, 0.99)
        self._female_odds = np.log(p_female / (1 - p_female)) * _weigh(quality, told, parameters) * counts
        self._gender_limit = _TOLD_GENDER if told_some else parameters.gender_limit
        self.p_female = float(np.mean(said[counts])) if counts.any() else 1 / 2

    def true_ages(self, born: date) -> NDArray[np.float64]:
        """The age in years that somebody born on this day had in each photo; negative before the birth."""
        birth = datetime(born.year, born.month, born.day, tzinfo=UTC).timestamp() / _DAY
        return (self._days - birth) / _YEAR

    def age_error(self, child: Child) -> float:
        """The mean of estimated minus true age, in years, if the person is this child."""
        errors = (self._ages - self.true_ages(child.birth_date))[self._has_age]
        return float(np.mean(errors)) if len(errors) else 0.0

    def rules_out(self, child: Child) -> bool:
        """Whether most photos are from before the child was born."""
        return bool(self._early(self.true_ages(child.birth_date)).mean() > 1 / 2)

    def child(self, child: Child) -> float:
        """The log likelihood of the faces if the person is this child."""
        return float(self.shifted(child, np.zeros(1))[0])

    def shifted(self, child: Child, years: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same if the child was born so many years before its date, float64[n] for float64[n].

        A photo from before that birth must have a wrong date itself.
        """
        true = self.true_ages(child.birth_date)[:, None] + years
        return self._of_dates(true) + self._of_ages(np.maximum(true, 0)) + self._of_gender(child.gender)

    def parts(self, child: Child) -> tuple[float, float, float]:
        """What `child` adds up: the log likelihoods of the estimated ages, of the photos' dates and of the genders."""
        true = self.true_ages(child.birth_date)[:, None]
        ages, dates = self._of_ages(np.maximum(true, 0)), self._of_dates(true)
        return float(ages[0]), float(dates[0]), self._of_gender(child.gender)

    def _early(self, true: NDArray[np.float64]) -> NDArray[np.bool_]:
        return true < -self._parameters.before_birth_days / _YEAR

    def somebody_else(self) -> float:
        """The log likelihood of the faces if the person is not registered."""
        since_first = (self._days - self._days[0]) / _YEAR
        first = np.arange(_STEP / 2, _OLDEST, _STEP)
        grown = first >= _ADULT
        adult = self._parameters.prior_adult
        prior = np.where(grown, adult / grown.sum(), (1 - adult) / (~grown).sum())
        found = self._of_ages(first[None, :] + since_first[:, None])
        top = found.max()
        return float(top + np.log(np.sum(prior * np.exp(found - top))))

    def _of_dates(self, true: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log likelihood of the photos' dates for each column of true ages: some are from before the birth."""
        total: NDArray[np.float64] = (self._weights[:, None] * self._early(true)).sum(axis=0) * _MISDATED
        return total

    def _of_ages(self, true: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log likelihood of the estimated ages for each column of true ages, float64[faces, hypotheses]."""
        ages, freedom = self._parameters.error_ages, self._parameters.error_freedom
        told = self._told_age[:, None]
        spread = np.where(told, _TOLD_SPREAD, np.interp(true, ages, self._parameters.error_spread))
        bias = np.where(told, 0, np.interp(true, ages, self._parameters.error_bias))
        error = (self._ages[:, None] - true - bias) / spread
        each = -np.log(spread) - (freedom + 1) / 2 * np.log1p(error**2 / freedom)
        total: NDArray[np.float64] = (self._age_weights[:, None] * each).sum(axis=0)
        return total

    def _of_gender(self, gender: Gender) -> float:
        """Log likelihood of the estimated genders against that of an unknown gender."""
        if gender is Gender.UNKNOWN:
            return 0.0
        most = np.log(self._gender_limit / (1 - self._gender_limit))
        odds = np.clip(np.sum(self._female_odds), -most, most)
        towards = odds if gender is Gender.FEMALE else -odds
        return float(np.log(2) - np.log1p(np.exp(-towards)))


def _order(face: FaceEvidence) -> tuple[object, ...]:
    known = (-1.0 if value is None else value for value in (face.age, face.p_female))
    return face.taken_at, *known, face.quality, face.told_age, face.told_female


def _values(found: Sequence[float | None]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The values, with any number where there is none, and where there is one."""
    return np.array([0.5 if one is None else one for one in found]), np.array([one is not None for one in found])


def _weigh(quality: NDArray[np.float64], told: NDArray[np.bool_], parameters: LinkParameters) -> NDArray[np.float64]:
    """float64[n]: what each face counts; one that was told counts whole, all estimates together as few."""
    weights = np.ones(len(quality))
    estimated = quality[~told]
    if len(estimated):
        count = len(estimated) / (1 + (len(estimated) - 1) * parameters.correlation)
        weights[~told] = estimated / estimated.sum() * count
    return weights
