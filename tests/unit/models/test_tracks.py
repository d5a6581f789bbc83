"""A track follows one person through the frames of a video, and breaks rather than joining two."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.faces import EMBEDDING_SIZE, Box, Face
from models.tracks import DEFAULTS, SampledFrame, overlap, track_faces


def face(person: int, x: float, *, y: float = 0.0, quality: float = 0.8, like: float = 0.9, seed: int = 0) -> Face:
    """A face 100 pixels wide at x, whose cosine similarity to its person's others is about `like`."""
    direction, noise = np.zeros(EMBEDDING_SIZE), np.zeros(EMBEDDING_SIZE)
    direction[person] = 1
    noise[100 + seed % 400] = 1
    vector = np.sqrt(like) * direction + np.sqrt(1 - like) * noise
    points = np.zeros((5, 2), np.float32)
    box = Box(x, y, x + 100, y + 100)
    return Face(box, points, 0, 0, 0, 30, 0.5, quality, 0.9, vector.astype(np.float32))


def frame(second: float, *faces: Face, scene: int = 0) -> SampledFrame:
    return SampledFrame(round(second * 1000), scene, faces)


def seen(frames: list[SampledFrame]) -> list[tuple[int, ...]]:
    return [track.seen for track in track_faces(frames)]


def test_a_person_who_stays_is_one_track() -> None:
    assert seen([frame(t, face(0, 10 * t, seed=t)) for t in range(5)]) == [(0, 1000, 2000, 3000, 4000)]


def test_a_person_who_jumps_is_followed_by_the_face_alone() -> None:
    assert seen([frame(t, face(0, 500 * t, seed=t)) for t in range(3)]) == [(0, 1000, 2000)]


def test_a_face_half_alike_goes_on_only_where_it_was() -> None:
    here, there = (frame(1, face(0, x, like=0.5, seed=1)) for x in (10, 500))
    assert seen([frame(0, face(0, 0, like=0.5)), here]) == [(0, 1000)]
    assert seen([frame(0, face(0, 0, like=0.5)), there]) == [(0,), (1000,)]


def test_a_face_half_alike_goes_on_only_for_a_short_while() -> None:
    for seconds, tracks in ((2, [(0, 2000)]), (3, [(0,), (3000,)])):
        between = [frame(t) for t in range(1, seconds)]
        frames = [frame(0, face(0, 0, like=0.5)), *between, frame(seconds, face(0, 0, like=0.5, seed=1))]
        assert seen(frames) == tracks


def test_two_people_who_cross_keep_their_tracks() -> None:
    frames = [frame(t, face(0, 100 * t, seed=t), face(1, 400 - 100 * t, seed=t)) for t in range(5)]
    tracks = track_faces(frames)
    assert [[int(one.face.embedding.argmax()) for one in track.best] for track in tracks] == [[0, 0], [1, 1]]
    assert [track.seen for track in tracks] == [(0, 1000, 2000, 3000, 4000)] * 2


def test_another_person_at_the_same_place_is_another_track() -> None:
    assert seen([frame(0, face(0, 0)), frame(1, face(1, 0))]) == [(0,), (1000,)]


def test_a_cut_ends_every_track() -> None:
    assert seen([frame(0, face(0, 0)), frame(1, face(0, 0), scene=1)]) == [(0,), (1000,)]


def test_a_short_absence_is_bridged_and_a_long_one_is_not() -> None:
    here, back = {0, 5}, {0, 6}
    bridged, broken = ([frame(t, *[face(0, 0)] * (t in times)) for t in range(7)] for times in (here, back))
    assert seen(bridged) == [(0, 5000)]
    assert seen(broken) == [(0,), (6000,)]


def test_frames_far_apart_are_followed_by_the_face_alone() -> None:
    assert seen([frame(60 * t, face(0, 0, seed=t)) for t in range(3)]) == [(0, 60_000, 120_000)]
    assert seen([frame(60 * t, face(0, 0, like=0.5, seed=t)) for t in range(2)]) == [(0,), (60_000,)]


def test_two_lookalikes_in_one_frame_are_two_tracks() -> None:
    assert len(seen([frame(t, face(0, 0, seed=t), face(0, 300, seed=t)) for t in range(3)])) == 2


def test_few_good_faces_far_apart_stand_for_a_track() -> None:
    (track,) = track_faces([frame(t, face(0, 0, quality=0.9 if t in {1, 12, 25} else 0.5)) for t in range(30)])
    assert [one.ms for one in track.best] == [1000, 12000, 25000]
    (short,) = track_faces([frame(t, face(0, 0)) for t in range(3)])
    assert len(short.best) == 1


def test_a_face_much_worse_than_the_best_is_not_kept() -> None:
    (track,) = track_faces([frame(t, face(0, 0, quality=0.8 if t < 5 else 0.3)) for t in range(10)])
    assert [one.face.quality for one in track.best] == [0.8, 0.8]


def test_a_track_of_useless_faces_is_left_out() -> None:
    assert seen([frame(t, face(0, 0, quality=0.05)) for t in range(3)]) == []


def test_faces_beside_each_other_do_not_overlap() -> None:
    assert overlap(Box(0, 0, 1, 1), Box(1, 0, 2, 1)) == 0
    assert overlap(Box(0, 0, 2, 1), Box(1, 0, 3, 1)) == 1 / 3
    assert overlap(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 900)), max_size=4), max_size=8))
def test_tracks_never_show_one_person_twice_in_a_frame_and_keep_few_faces(people: list[list[tuple[int, int]]]) -> None:
    frames = [
        frame(t, *(face(person, x, seed=97 * t + number) for number, (person, x) in enumerate(company)))
        for t, company in enumerate(people)
    ]
    tracks = track_faces(frames)
    kept = [(one.ms, one.number) for track in tracks for one in track.best]
    assert len(kept) == len(set(kept))
    for track in tracks:
        assert list(track.seen) == sorted(set(track.seen))
        assert 1 <= len(track.best) <= DEFAULTS.most
        assert {one.ms for one in track.best} <= set(track.seen)
    assert sum(len(track.seen) for track in tracks) == sum(map(len, people))
