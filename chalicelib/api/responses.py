"""The shapes of responses, as the API's document describes them."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.structs import fields

from chalicelib.photos.photo import SHOWN, URLS, PhotoFields


class Ok(Struct):
    """Done."""

    ok: bool


class Health(Ok):
    """The service is up."""

    version: str
    package: Annotated[
        str | UnsetType, Meta(description="SHA-256 of the deployed package; locally, there is none")
    ] = UNSET


class SignedUp(Ok):
    """The account was created; `confirm` says what is needed before it can sign in."""

    confirm: Literal["email"] | UnsetType = UNSET


class Tokens(Struct, rename="camel"):
    """The tokens of a session."""

    access_token: Annotated[str, Meta(description="sent with every request, as Bearer")]
    refresh_token: Annotated[str, Meta(description="returns the next accessToken; opaque")]
    expires_in: Annotated[int, Meta(description="seconds until the accessToken expires")]


class Links(Ok, rename="camel"):
    """The pool's hosted pages."""

    sign_in: str
    forgot_password: str


class User(Struct):
    """An account, as its owner sees it."""

    user_id: str
    email: str
    username: str
    photo_count: Annotated[int, Meta(description="with those in the trash")]
    trash_count: int
    storage_bytes: Annotated[int, Meta(description="the bytes of the originals")]
    created_date: Annotated[str, Meta(description="ISO 8601, UTC")]


class UserResponse(Ok):
    """One account."""

    user: User


class Remaining(Ok):
    """Some photos remain: send the request again."""

    remaining: Annotated[int, Meta(ge=1, description="photos left")]


# The same fields, but none may be absent.
_TYPES = {field.name: field.type for field in fields(PhotoFields)}
_Fields = defstruct("_Fields", [(name, _TYPES[name]) for name in SHOWN])


class Photo(_Fields):  # type: ignore[misc, valid-type]
    """One photo. A plain `<img>` can load its URLs, which expire."""

    thumbSrc: Annotated[str, Meta(description="an upright JPEG without metadata")]  # noqa: N815
    previewSrc: Annotated[  # noqa: N815
        str,
        Meta(
            description="the same in the size of a screen; the original while there is no "
            "`thumbhash`, which photos of earlier versions get by a repair"
        ),
    ]
    originalSrc: str  # noqa: N815


# The same, but the URLs that were not requested are absent.
ListedPhoto: Any = defstruct(
    "ListedPhoto",
    [
        (field.name, field.type | UnsetType, UNSET)
        for field in fields(Photo)
        if field.name in URLS.values()
    ],
    bases=(_Fields,),
    namespace={"__doc__": "One photo of a list, with the URLs that were requested."},
    module=__name__,
)


class PhotoResponse(Ok):
    """One photo."""

    photo: Photo


_Duplicate = Annotated[
    bool | UnsetType,
    Meta(description="true if it is an earlier photo with the same bytes, else absent"),
]


class Uploaded(Ok):
    """The photo was created, or was there already."""

    photo_id: str
    photo: Photo
    duplicate: _Duplicate = UNSET


class PostForm(Struct):
    """A form to send to S3: the fields unchanged, and the image last, as `file`."""

    url: str
    fields: dict[str, str]
    expires_date: str


class UploadStarted(Ok):
    """Where to send the image; a photo that is there already needs no upload."""

    photo_id: str
    upload: PostForm | None
    photo: Photo | UnsetType = UNSET
    duplicate: _Duplicate = UNSET


class PhotoPage(Ok, rename={"next_cursor": "nextCursor"}):
    """One page of a list; it may hold fewer photos than `limit` and still not be the last."""

    photos: list[ListedPhoto]
    next_cursor: str | None


class Point(Struct):
    """A position in GeoJSON (RFC 7946)."""

    type: Literal["Point"]
    coordinates: Annotated[list[float], Meta(min_length=2, max_length=2)]


class Feature(Struct):
    """A photo on the map."""

    type: Literal["Feature"]
    geometry: Point
    properties: ListedPhoto


class PhotoMap(Struct, rename={"next_cursor": "nextCursor"}):
    """One page of the photos that have a position."""

    type: Literal["FeatureCollection"]
    features: list[Feature]
    next_cursor: str | None


class Tag(Struct):
    """A tag and its number of photos."""

    tag: str
    count: int


class Tags(Ok):
    """All tags of a user."""

    tags: list[Tag]


class Month(Struct):
    """A month of the photos' own local time, and its number of photos."""

    month: Annotated[str, Meta(description="such as 2026-11")]
    count: int


class Timeline(Ok):
    """All months with photos, newest first, and their sum; photos in the trash do not count."""

    photo_count: int
    months: list[Month]


class KnownImage(Struct):
    """A photo with the bytes of an image; it is in the trash if no other photo has them."""

    photo_id: str
    trashed: bool


class KnownImages(Ok):
    """Those of the images that the user already has, by their hash, as it was sent."""

    known: dict[str, KnownImage]


class Deleted(Ok):
    """The photo was deleted."""

    photo_id: str


class Failure(Struct):
    """Why the action failed for one photo."""

    photo_id: str
    Code: str
    Message: str


class BatchDone(Ok):
    """What became of each photo; those that remain were not reached in time: send them again."""

    done: list[str]
    failed: list[Failure]
    remaining: list[str]


class Error(Struct):
    """Why a request failed; `Message` is a sentence to show."""

    Code: str
    Message: str


class GatewayError(Struct):
    """Why the gateway rejected a request before it reached the album."""

    Code: str | UnsetType = UNSET
    Message: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
