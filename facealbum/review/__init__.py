"""Pure: what to ask a reviewer of a family next, ordered by how much one answer settles.

`FamilyView.of` reads the rows of an album with the decisions in force, `plan_review` gives the questions and how far
the family is, and a question tells which decisions each answer is.
"""

from facealbum.review.question import Answer, Asked, Question
from facealbum.review.queue import Progress, Review, plan_review
from facealbum.review.view import FamilyView, UnsureLink

__all__ = ["Answer", "Asked", "FamilyView", "Progress", "Question", "Review", "UnsureLink", "plan_review"]
