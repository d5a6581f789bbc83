"""Where a face, a link or an album comes from: what is on record, put together in one transaction."""

from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.domain.lineage import AlbumLineage, FaceLineage, LinkLineage, LinkOrigin, Placement
from facealbum.errors import UnknownAlbumError, UnknownFaceError, UnknownPersonError
from facealbum.steps.albums import find_albums
from facealbum.steps.context import Context
from facealbum.steps.explain import explain_placed
from facealbum.steps.packaged_models import register_packaged
from facealbum.storage.albums import AlbumKind
from facealbum.storage.archive import Archive
from facealbum.storage.database import Transaction
from facealbum.storage.explanations import load_placed_faces
from facealbum.storage.families import load_children, open_family
from facealbum.storage.observations import load_arm
from facealbum.storage.origins import (
    load_analysis_shares,
    load_arm_name,
    load_arms_of,
    load_assigned,
    load_decisions_on,
    load_embedding_shares,
    load_found_face,
    load_links_of,
    load_persons_of,
    load_run_shares,
    load_runs_of,
    load_vectors,
)
from facealbum.storage.serving import load_served_arm
from facealbum.storage.shown_persons import load_person_record


def trace_face(context: Context, family: FamilyId, face: FaceId) -> FaceLineage:
    """All that a face comes from; raises UnknownFamilyError and UnknownFaceError."""
    with context.database.begin() as transaction:
        archive = _open(context, transaction, family)
        found = load_found_face(transaction, archive, family, face)
        if found is None:
            raise UnknownFaceError(f"the family has no face of the id {face}; its photo may have been deleted")
        photo, analysis = found
        placements = _placements(transaction, archive, family, face, photo.name)
        persons = {one.person_id for one in placements if one.person_id is not None}
        return FaceLineage(
            family_id=family,
            face_id=face,
            photo=photo,
            analysis=analysis,
            embeddings=load_vectors(transaction, archive, family, face),
            placements=placements,
            decisions=load_decisions_on(transaction, family, face=face, of=persons),
        )


def trace_link(context: Context, family: FamilyId, person: PersonId) -> LinkLineage:
    """All that a person's link to a child comes from; raises UnknownFamilyError, UnknownPersonError without a link."""
    with context.database.begin() as transaction:
        archive = _open(context, transaction, family)
        record = load_person_record(transaction, family, person)
        found = load_links_of(transaction, archive, family, [person])
        if record is None or not found:
            raise UnknownPersonError(f"the family has no person of the id {person} who is linked to a child")
        told = load_decisions_on(transaction, family, face=None, of=[person])
        return LinkLineage(family, load_arm_name(transaction, record.arm_id), found[0], told)


def trace_album(context: Context, family: FamilyId, album: str) -> AlbumLineage:
    """All that an album comes from, by its key; raises UnknownFamilyError and UnknownAlbumError."""
    with context.database.begin() as transaction:
        archive = _open(context, transaction, family)
        found = next((one.album for one in find_albums(transaction, family) if one.album.key == album), None)
        if found is None:
            raise UnknownAlbumError(f"the family has no album {album!r}; the list of its albums has their ids")
        arm, of = load_served_arm(transaction, family), set(found.of)
        if found.kind in {AlbumKind.CHILDREN, AlbumKind.FAMILY}:
            of |= {child.child_id for child in load_children(transaction, family)}
        persons = load_persons_of(transaction, family, arm, of)
        return AlbumLineage(
            family_id=family,
            album_id=album,
            arm=arm,
            persons=tuple(persons),
            analyses=load_analysis_shares(transaction, archive, family, persons),
            embeddings=load_embedding_shares(transaction, archive, family, persons),
            runs=load_run_shares(transaction, archive, family, persons),
            links=load_links_of(transaction, archive, family, persons),
            decisions=load_decisions_on(transaction, family, face=None, of=persons),
        )


def _open(context: Context, transaction: Transaction, family: FamilyId) -> Archive:
    open_family(transaction, family)
    register_packaged(transaction, now=context.clock())
    return Archive(transaction)


def _placements(
    transaction: Transaction, archive: Archive, family: FamilyId, face: FaceId, photo: str
) -> tuple[Placement, ...]:
    """Under every arm that the family was clustered under, the one that it sees first."""
    assigned = load_assigned(transaction, family, face)
    served = load_served_arm(transaction, family)
    runs = load_runs_of(transaction, archive, family, {one.run_id for one in assigned.values() if one.run_id})
    links: dict[object, LinkOrigin] = {
        one.person_id: one
        for one in load_links_of(transaction, archive, family, [one.person_id for one in assigned.values()])
    }
    found = []
    for name in sorted({*assigned, *load_arms_of(transaction, family)}, key=lambda one: (one != served, one)):
        arm, one = load_arm(transaction, name), assigned.get(name)
        assert arm is not None, "a run or an assignment names it"  # noqa: S101
        placed = (this for this in load_placed_faces(transaction, family, arm, photo) if this.face_id == face)
        found.append(
            Placement(
                arm=name,
                shown=name == served,
                person_id=one.person_id if one else None,
                state=one.state if one else None,
                score=one.score if one else None,
                assigned_at=one.assigned_at if one else None,
                why=explain_placed(transaction, family, arm, next(placed)).why,
                run=runs.get(one.run_id) if one and one.run_id else None,
                link=links.get(one.person_id) if one else None,
            )
        )
    return tuple(found)
