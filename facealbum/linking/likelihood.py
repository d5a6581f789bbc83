"""How well a birth date and a gender explain what a person's faces show.

Bayes on the unknown birth date: either it is that of a registered child, or somebody else's, of which only the
broad distribution of ages is known.  The error of one estimated age is Student's t, with the bias and the spread that
estimates show at that true age, so one misjudged face does not decide; the errors of one person's faces are
correlated, so many faces count as few.  P(female) must be calibrated: it is believed as it stands.
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
_MISDATED = np.log(0.001)  # a photo that is dated before its child's birth


class Judge:
    """The faces of one person as arrays, one row a face, in an order of their own."""

    def __init__(self, faces: Sequence[FaceEvidence], parameters: LinkParameters) -> None:
        ordered = sorted(faces, key=lambda face: (face.taken_at, face.age, face.p_female, face.quality))
        self._parameters = parameters
        self._days = np.array([face.taken_at.timestamp() / _DAY for face in ordered])
        self._ages = np.array([face.age for face in ordered])
        quality = np.clip([face.quality for face in ordered], _LEAST_QUALITY, 1)
        count = len(ordered) / (1 + (len(ordered) - 1) * parameters.correlation)
        self._weights = quality / quality.sum() * count
        p_female = np.clip([face.p_female for face in ordered], 0.01, 0.99)
        self._female_odds = np.log(p_female / (1 - p_female))
        self.p_female = float(np.mean([face.p_female for face in ordered]))

    def true_ages(self, born: date) -> NDArray[np.float64]:
        """The age in years that somebody born on this day had in each photo; negative before the birth."""
        birth = datetime(born.year, born.month, born.day, tzinfo=UTC).timestamp() / _DAY
        return (self._days - birth) / _YEAR

    def age_error(self, child: Child) -> float:
        """The mean of estimated minus true age, in years, if the person is this child."""
        return float(np.mean(self._ages - self.true_ages(child.birth_date)))

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
        misdated: NDArray[np.float64] = (self._weights[:, None] * self._early(true)).sum(axis=0) * _MISDATED
        return misdated + self._of_ages(np.maximum(true, 0)) + self._of_gender(child.gender)

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

    def _of_ages(self, true: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log likelihood of the estimated ages for each column of true ages, float64[faces, hypotheses]."""
        ages, freedom = self._parameters.error_ages, self._parameters.error_freedom
        spread = np.interp(true, ages, self._parameters.error_spread)
        error = (self._ages[:, None] - true - np.interp(true, ages, self._parameters.error_bias)) / spread
        each = -np.log(spread) - (freedom + 1) / 2 * np.log1p(error**2 / freedom)
        total: NDArray[np.float64] = (self._weights[:, None] * each).sum(axis=0)
        return total

    def _of_gender(self, gender: Gender) -> float:
        """Log likelihood of the estimated genders against that of an unknown gender."""
        if gender is Gender.UNKNOWN:
            return 0.0
        limit = self._parameters.gender_limit
        most = np.log(limit / (1 - limit))
        odds = np.clip(np.sum(self._weights * self._female_odds), -most, most)
        towards = odds if gender is Gender.FEMALE else -odds
        return float(np.log(2) - np.log1p(np.exp(-towards)))
