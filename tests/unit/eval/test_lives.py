"""The months of arms and baselines on an album whose truth is known."""

import numpy as np
import pytest

from eval.baselines import BASELINES
from eval.breakage import Fault
from eval.ceiling import Weaken, disturb, project, weaken
from eval.clustering import best_distance, render_album, render_churn, render_provisional
from eval.lives import DOUBTS, live
from eval.months import TrialArm, live_through
from eval.rivals import group_finally, live_with
from eval.truth import bcubed
from tests.unit.eval.small_album import FAMILY, PEOPLE, small_album

SCORES = {
    "bcubed_f_interval": (0.9, 1.0),
    "clustering": {"bcubed_precision": {"value": 0.5, "n": 3}, "bcubed_recall": {"value": None, "n": 0}},
}


def test_people_who_are_easy_to_tell_apart_stay_as_they_are_from_month_to_month() -> None:
    album, members = small_album()
    life = live("constrained", live_through(album, TrialArm()), members)
    household = life.households[FAMILY]
    assert bcubed(household.person_of, members) == (1, 1, 1)
    assert (life.changed.hits, life.changed.cases) == (0, 12 + 24)
    assert life.ceiling.bound == life.ceiling.accuracy == life.ceiling.face_accuracy == 1
    assert {one.fault for one in life.ceiling.labels} == {Fault.NONE}


def test_provisional_matches_are_counted_for_faces_of_months_that_know_persons() -> None:
    album, members = small_album()
    arm = TrialArm()
    life = live("constrained", live_through(album, arm), members, provisional_arm=arm)
    assert set(life.foretold) == set(DOUBTS)
    found = life.foretold[DOUBTS[0]]
    assert (found.faces, found.matched, found.confirmed) == (24, 24, 24)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_lives_through_the_months_to_what_it_gives_at_once(name: str) -> None:
    album, members = small_album(spread=0.3)
    baseline = BASELINES[name]
    life = live(name, live_with(album, baseline, baseline.distance), members)
    groups = [{}, {}]
    for found, person_of in zip(
        groups, (life.households[FAMILY].person_of, group_finally(album, baseline, baseline.distance)), strict=True
    ):
        for face, person in person_of.items():
            found.setdefault(person, set()).add(face)
    assert sorted(map(sorted, groups[0].values())) == sorted(map(sorted, groups[1].values()))
    assert not life.ceilings


def test_a_child_is_linked_on_a_baselines_persons_as_on_ours() -> None:
    album, members = small_album()
    baseline = BASELINES["average linkage"]
    household = live("", live_with(album, baseline, baseline.distance), members).households[FAMILY]
    named = {members[face] for face in household.faces if household.child(face) == "Hana"}
    assert named == {f"{FAMILY}/Hana"}


def test_a_baseline_is_tuned_to_the_albums_own_truth() -> None:
    album, members = small_album(spread=1.0)
    baseline = BASELINES["ente"]
    best = best_distance(album, members, baseline)
    assert bcubed(group_finally(album, baseline, best), members).f == 1
    assert bcubed(group_finally(album, baseline, baseline.distance), members).f < 1


@pytest.mark.parametrize("change", [project(8), disturb(0.5)])
def test_a_weakened_album_differs_in_embeddings_of_length_one_alone(change: Weaken) -> None:
    album, _ = small_album()
    seen = weaken(album, change)
    vectors = np.stack([face.observation.embedding for face in seen.faces])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert [face.observation.face_id for face in seen.faces] == [face.observation.face_id for face in album.faces]
    assert vectors.shape[1] in {8, 512}


def test_tables_have_a_row_a_life_and_leave_out_what_an_album_has_no_figures_for() -> None:
    album, members = small_album()
    arm = TrialArm()
    life = live("constrained", live_through(album, arm), members, provisional_arm=arm)
    head, _, row = render_album("small", [(life, SCORES)]).splitlines()
    assert "B³ P" in head
    assert "link P" not in head
    assert row.startswith("| constrained | 0.500 |")
    assert render_churn([life]).splitlines()[-1] == "| constrained | 0.0 | 0.0 |"
    assert len(render_provisional({"small": life}).splitlines()) == 2 + len(DOUBTS)
    assert len(PEOPLE) == len({one.broken.person_id for one in life.ceiling.labels})
