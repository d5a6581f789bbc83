"""The pose that is read off a face mesh: signs, mirror images, tilts, and what is left without a mesh."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from facealbum.domain.faces import Box
from models.alignment import Pyramid
from models.detection import Detection
from models.detector import Detector
from models.landmarks import Mesh, Placed, place_landmarks
from models.network import open_network
from models.pose import Pose, estimate_pose
from models.registry import load_specs

POINTS = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)
LEVEL = {10: (0, -60, 0), 2: (0, 30, 0), 33: (-45, 0, 10), 263: (45, 0, 10), 234: (-70, 10, 70), 454: (70, 10, 70)}
MOUTH = {61: (-25, 50, 5), 291: (25, 50, 5)}
degrees = st.floats(-75, 75)


def turned(yaw: float, pitch: float, roll: float) -> Mesh:
    """A level face, its nose turned to the right by `yaw`, then up by `pitch`, then the head clockwise by `roll`."""
    y, p, r = map(math.radians, (yaw, pitch, roll))
    about_upright = [[math.cos(y), 0, -math.sin(y)], [0, 1, 0], [math.sin(y), 0, math.cos(y)]]
    about_ears = [[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]]
    about_view = [[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]]
    mesh = np.zeros((468, 3), np.float32)
    for index, point in (LEVEL | MOUTH).items():
        mesh[index] = np.array(about_view) @ about_upright @ about_ears @ point
    return mesh


def of_mesh(mesh: Mesh) -> Pose:
    return estimate_pose(Placed(Detection(None, POINTS, 0.9), mesh, 5.0))  # type: ignore[arg-type]


@given(yaw=degrees, pitch=degrees, roll=degrees)
def test_a_turned_mesh_has_the_angles_it_was_turned_by(yaw: float, pitch: float, roll: float) -> None:
    pose = of_mesh(turned(yaw, pitch, 0.0))
    assert (pose.yaw, pose.pitch) == pytest.approx((yaw, pitch), abs=0.1)
    assert of_mesh(turned(0.0, pitch, roll)).roll == pytest.approx(roll, abs=0.1)


@given(yaw=degrees, pitch=degrees, roll=degrees)
def test_a_mirrored_mesh_has_the_opposite_yaw_and_roll(yaw: float, pitch: float, roll: float) -> None:
    mesh = turned(yaw, pitch, roll)
    mirrored = mesh * np.array([-1, 1, 1], np.float32)
    mirrored[[33, 263, 234, 454, 61, 291]] = mirrored[[263, 33, 454, 234, 291, 61]]
    pose, opposite = of_mesh(mesh), of_mesh(mirrored)
    assert (opposite.yaw, opposite.pitch, opposite.roll) == pytest.approx((-pose.yaw, pose.pitch, -pose.roll), abs=0.1)


def test_without_a_mesh_the_nose_tells_the_yaw_and_the_eyes_the_roll() -> None:
    pose = estimate_pose(Placed(Detection(None, POINTS, 0.9), None, -1.0))  # type: ignore[arg-type]
    assert pose == Pose(0.0, 0.0, 0.0)
    aside = POINTS + np.array([[0, 0], [0, 0], [8, 0], [0, 0], [0, 0]], np.float32)
    assert 10 < estimate_pose(Placed(Detection(None, aside, 0.9), None, -1.0)).yaw < 30  # type: ignore[arg-type]


def test_a_portrait_of_three_times_the_pixels_has_the_same_pose_and_a_mesh_three_times_as_deep(
    portrait: Image.Image,
) -> None:
    network = open_network(load_specs()["landmarks"])
    detector = Detector(load_specs()["detector"], network)
    poses, sizes = [], []
    for factor in (1, 3):
        pixels = np.array(portrait.resize((factor * portrait.width, factor * portrait.height)))
        (face,) = detector.detect(pixels)
        placed = place_landmarks(network, Pyramid(pixels), face)
        assert placed.mesh is not None
        sizes.append(np.ptp(placed.mesh, axis=0))
        pose = estimate_pose(placed)
        poses.append((pose.yaw, pose.pitch, pose.roll))
    assert poses[1] == pytest.approx(poses[0], abs=2)
    assert sizes[1] / sizes[0] == pytest.approx(3, rel=0.05)


def test_where_no_face_is_the_points_stay_and_there_is_no_mesh() -> None:
    face = Detection(Box(20, 20, 80, 90), POINTS, 0.9)
    placed = place_landmarks(open_network(load_specs()["landmarks"]), Pyramid(np.full((99, 99, 3), 90, np.uint8)), face)
    assert (placed.face, placed.mesh) == (face, None)
    assert placed.presence < 0


@pytest.mark.parametrize("angle", [-40, -15, 0, 15, 40])
def test_a_tilted_portrait_and_its_mirror_image_agree(portrait: Image.Image, angle: int) -> None:
    network = open_network(load_specs()["landmarks"])
    detector = Detector(load_specs()["detector"], network)

    def pose(picture: Image.Image) -> Pose:
        pixels = np.array(picture)
        (face,) = detector.detect(pixels)
        return estimate_pose(place_landmarks(network, Pyramid(pixels), face))

    upright, tilted = pose(portrait), portrait.rotate(-angle, Image.Resampling.BICUBIC, fillcolor="grey")
    assert pose(tilted).roll == pytest.approx(upright.roll + angle, abs=2)
    assert pose(tilted).yaw == pytest.approx(upright.yaw, abs=5)
    opposite = pose(ImageOps.mirror(tilted))
    assert opposite.roll == pytest.approx(-upright.roll - angle, abs=2.5)
    assert opposite.yaw == pytest.approx(-upright.yaw, abs=6)
    assert opposite.pitch == pytest.approx(upright.pitch, abs=6)
