"""Object stores: bytes under keys, in a local folder or in S3, behind one protocol and one contract test."""

from facealbum.storage.objects.local import LocalObjectStore
from facealbum.storage.objects.opening import open_object_store
from facealbum.storage.objects.protocol import ObjectStore

__all__ = ["LocalObjectStore", "ObjectStore", "open_object_store"]
