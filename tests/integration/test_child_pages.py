"""Correcting a child on its family's page, and what follows of it."""

import re
from html import unescape
from urllib.parse import unquote

from tests.integration.album import FAMILY_ID
from tests.integration.everything import Everything

HOME = f"/families/{FAMILY_ID}"
JAPANESE = {"accept-language": "ja", "accept": "text/html"}


def form_of(everything: Everything, name: str) -> tuple[str, dict[str, str]]:
    """Where the child's form is sent, and its fields as they are filled in."""
    page = everything.client.get(HOME).text
    form = next(found for found in re.findall(r'action="[^"]+/children/.*?</form>', page, re.DOTALL) if name in found)
    fields = dict(re.findall(r'name="(\w+)"(?: type="\w+")? value="([^"]*)"', form))
    fields["gender"] = re.findall(r'value="(\w+)" selected', form)[0]
    return form.split('"')[1], {name: unescape(value) for name, value in fields.items()}


def test_a_corrected_child_has_its_links_at_once_and_the_page_says_how_many_changed(everything: Everything) -> None:
    client = everything.client
    (linked,) = (one for one in client.get(f"/v1{HOME}/persons").json()["items"] if one["child_id"])
    to, fields = form_of(everything, "Aoi")
    answer = client.post(to, data=fields | {"birth_date": "2014-01-05"})
    assert (answer.status_code, answer.headers["location"]) == (303, HOME)
    assert unquote(answer.cookies["facealbum-told"]) == "Aoi is corrected. Persons linked otherwise by it: 2."
    persons = client.get(f"/v1{HOME}/persons").json()["items"]
    (now,) = (one for one in persons if one["child_id"])
    assert now["person_id"] != linked["person_id"]
    to, fields = form_of(everything, "Aoi")
    assert fields["birth_date"] == "2014-01-05"
    client.post(to, data=fields | {"birth_date": "2022-01-05"})
    (back,) = (one for one in client.get(f"/v1{HOME}/persons").json()["items"] if one["child_id"])
    assert back["person_id"] == linked["person_id"]


def test_a_child_that_somebody_else_corrected_meanwhile_stays_as_it_is(everything: Everything) -> None:
    client = everything.client
    to, fields = form_of(everything, "Aoi")
    assert client.post(to, data=fields | {"gender": "unknown"}).status_code == 303
    late = client.post(to, data=fields | {"name": "Riku"}, headers=JAPANESE)
    assert late.status_code == 409
    assert "somebody" not in late.text
    assert form_of(everything, "Aoi")[1]["gender"] == "unknown"
