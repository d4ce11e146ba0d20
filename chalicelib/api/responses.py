"""The shapes of responses, as the API's document describes them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.structs import fields

from chalicelib.photos.photo import SHOWN, PhotoFields


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
    photo_count: int
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


class PhotoResponse(Ok):
    """One photo."""

    photo: Photo


class Uploaded(Ok):
    """The photo was created."""

    photo_id: str
    photo: Photo


class PostForm(Struct):
    """A form to send to S3: the fields unchanged, and the image last, as `file`."""

    url: str
    fields: dict[str, str]
    expires_date: str


class UploadStarted(Ok):
    """Where to send the image; a photo that its Idempotency-Key has created needs no upload."""

    photo_id: str
    upload: PostForm | None
    photo: Photo | UnsetType = UNSET


class PhotoPage(Ok, rename={"next_cursor": "nextCursor"}):
    """One page of a list; it may hold fewer photos than `limit` and still not be the last."""

    photos: list[Photo]
    next_cursor: str | None


class Point(Struct):
    """A position in GeoJSON (RFC 7946)."""

    type: Literal["Point"]
    coordinates: Annotated[list[float], Meta(min_length=2, max_length=2)]


class Feature(Struct):
    """A photo on the map."""

    type: Literal["Feature"]
    geometry: Point
    properties: Photo


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


class Deleted(Ok):
    """The photo was deleted."""

    photo_id: str


class Error(Struct):
    """Why a request failed; `Message` is a sentence to show."""

    Code: str
    Message: str


class GatewayError(Struct):
    """Why the gateway rejected a request before it reached the album."""

    Code: str | UnsetType = UNSET
    Message: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
