"""Lineage over HTTP: ours or as PROV-JSON, by the header or the parameter."""

import pytest

from tests.integration.everything import Everything, path_of

PROV, JSON = "application/prov+json", "application/json"


@pytest.mark.parametrize("of", ["faces/{face_id}", "persons/{person_id}", "albums/{first}"])
def test_a_program_that_knows_prov_gets_it_by_its_header_as_by_the_parameter(everything: Everything, of: str) -> None:
    get, family = everything.client.get, path_of("/v1/families/{family_id}", everything.places)
    albums = get(f"{family}/albums").json()["items"]
    path = f"{family}/{path_of(of, {**everything.places, 'albums/{first}': albums[0]['album_id']})}/lineage"
    ours, asked = get(path), get(path, params={"format": "prov-json"})
    assert [one.headers["content-type"] for one in (ours, asked)] == [JSON, PROV]
    told = get(path, headers={"accept": f"{PROV}, */*;q=0.5"})
    assert (told.json(), told.headers["content-type"]) == (asked.json(), PROV)
    assert {"entity", "prefix"} <= told.json().keys()
    assert told.headers["etag"] == asked.headers["etag"] != ours.headers["etag"]
    assert get(path, headers={"accept": f"{JSON}, {PROV}"}).json() == ours.json()
    assert get(path, params={"format": "json"}, headers={"accept": PROV}).json() == ours.json()
    for one in (ours, told):
        assert {name.strip() for name in one.headers["vary"].split(",")} >= {"Accept", "Authorization", "Cookie"}
    again = get(path, headers={"accept": PROV, "if-none-match": told.headers["etag"]})
    assert (again.status_code, get(path, params={"format": "xml"}).status_code) == (304, 422)
