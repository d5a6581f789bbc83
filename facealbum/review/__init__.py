"""Pure: what to ask a reviewer of a family next, ordered by how much one answer settles.

`FamilyView.of` puts together who there is, whom photos show and the decisions in force, `plan_review` gives the
questions and how far the family is, and a question tells which decisions each answer is.
"""

from facealbum.review.question import Answer, Asked, Question
from facealbum.review.queue import Progress, Review, plan_review
from facealbum.review.view import Census, FamilyView, UnsureLink

__all__ = ["Answer", "Asked", "Census", "FamilyView", "Progress", "Question", "Review", "UnsureLink", "plan_review"]
