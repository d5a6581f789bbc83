"""Labels are in pixels of the whole picture, however small it is decoded to be looked at."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eval.labelled import load_faces
from eval.pasted_faces import load_samples
from eval.worse_faces import see_faces
from facealbum.demo.portraits import load_pixels
from models.analyzer import Analyzer


@pytest.fixture
def albums(tmp_path: Path) -> Path:
    """A labelled face at the right edge of a picture that is decoded at half its size."""
    portrait = Image.fromarray(load_pixels("collins-1998")).resize((1020, 1182))
    picture = Image.new("RGB", (4000, 2000), "grey")
    picture.paste(portrait, (2900, 700))
    folders = {name: tmp_path / name for name in ("growth_faces", "visible/fiw", "visible/age")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        picture.save(folder / "one.jpg")
    (face,) = Analyzer.load().analyze((folders["growth_faces"] / "one.jpg").read_bytes()).faces
    box, points = face.box, ",".join(map(str, face.landmarks.ravel().tolist()))
    write = (folders["growth_faces"] / "labels.csv").write_text
    names = ",".join(f"{name}{axis}" for name in ("e1", "e2", "n", "m1", "m2") for axis in "xy")
    write(f"file,subject,age,gender_hand,roll_deg,yaw_proxy,{names}\none.jpg,001,41,f,0,0,{points}\n")
    edges = f"{box.x1},{box.y1},{box.x2},{box.y2}"
    for name in ("fiw", "age"):
        folder = folders[f"visible/{name}"]
        (folder / "photos.csv").write_text("family,photo,path\nF,P,one.jpg\n")
        (folder / "truth.csv").write_text(f"family,photo,member,age,gender,x1,y1,x2,y2\nF,P,M,41,female,{edges}\n")
    return tmp_path


def test_the_labelled_face_of_a_large_picture_is_the_one_that_is_looked_at(albums: Path) -> None:
    assert [face.source for face in load_faces(albums)] == ["growth_faces", "age"]
    assert sum(not seen.fault for seen in see_faces(albums)) == 2
    for sample in load_samples(albums, 1):
        middle = np.array([sample.box.y1 + sample.box.y2, sample.box.x1 + sample.box.x2]) / 2
        assert sample.picture.shape == (1000, 2000, 3)
        assert (middle < sample.picture.shape[:2]).all()
