"""The shapes of requests and answers: they check the one, and the API's document describes both.

The description of a field is what a client reads when its value is refused: "expected ...".
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

LONGEST_TEXT = 2_000  # characters
LONGEST_DESCRIPTION = 10_000
LARGEST_UPLOAD = 100_000_000  # bytes; what the functions can fetch and decode in their memory

# What browsers send for a value that their script did not have.
ABSENT = ("", "undefined", "null", "NaN")

# What `<input type=email>` takes (WHATWG HTML, 4.10.5.1.5), and a dot in the domain.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = rf"^ *[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+ *$"
_PRINTABLE = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]"
_VISIBLE = r"[^\s\u0000-\u001f\u007f-\u009f\u2028\u2029]"
_EXIF_DATE = r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d"
_ISO_DATE = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)?)?"
_DEGREES = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_A_PICTURE = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="  # one white pixel
_A_DATE = "a date such as 2012-07-15, or a date-time"

Email = Annotated[
    str,
    Meta(
        # Cognito's limit of a user name.
        max_length=128,
        pattern=_EMAIL,
        description="an e-mail address such as mario@example.com",
        examples=["mario@example.com"],
    ),
]
# Cognito's limit of a password; the pool judges how strong a new one must be.
Password = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        description="a password of 1 to 256 characters",
        examples=["Secret-2026"],
    ),
]
NewPassword = Annotated[
    str,
    Meta(
        max_length=256,
        pattern=r"^\S[\s\S]*\S$(?!\n)",  # in Python `$` also matches before a last line break
        description="a password of 2 to 256 characters, and no space at either end",
        examples=["Secret-2026"],
    ),
]
Username = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=rf"^{_PRINTABLE}*{_VISIBLE}{_PRINTABLE}*$",
        description="a name of 1 to 200 characters, none of them a control character",
        examples=["Mario"],
    ),
]
Code = Annotated[
    str,
    Meta(
        max_length=64,
        pattern="^ *[A-Za-z0-9]+ *$",
        description="the letters and digits of the mail",
        examples=["123456"],
    ),
]
Text = Annotated[
    str,
    Meta(max_length=LONGEST_TEXT, description=f"a text of at most {LONGEST_TEXT:,} characters"),
]
LongText = Annotated[
    str,
    Meta(
        max_length=LONGEST_DESCRIPTION,
        description=f"a text of at most {LONGEST_DESCRIPTION:,} characters",
    ),
]
Date = Annotated[
    str,
    Meta(
        max_length=LONGEST_TEXT,
        pattern=rf"^\s*(undefined|null|NaN|{_EXIF_DATE}|{_ISO_DATE})?\s*$",
        description="a date such as 2012-07-15T09:46:46+09:00 or 2012:07:15 09:46:46",
        examples=["2012-07-15T09:46:46+09:00"],
    ),
]
Latitude = Annotated[
    float, Meta(ge=-90, le=90, description="a number from -90 to 90", examples=[45.4337])
]
Longitude = Annotated[
    float, Meta(ge=-180, le=180, description="a number from -180 to 180", examples=[12.3402])
]
DegreesText = Annotated[
    str, Meta(max_length=100, pattern=rf"^\s*(undefined|null|NaN|{_DEGREES})?\s*$")
]
IdempotencyKey = Annotated[
    str, Meta(pattern="^[!-~]{1,255}$", description="1 to 255 visible ASCII characters")
]


class Address(Struct):
    """An account."""

    email: Email

    def __post_init__(self) -> None:
        # Cognito must never tell two spellings apart.
        self.email = self.email.strip().lower()


class Credentials(Address):
    """An account, and the proof of it."""

    password: Password


class SignUp(Address):
    """A new account."""

    password: NewPassword
    username: Username

    def __post_init__(self) -> None:
        super().__post_init__()
        self.username = self.username.strip()


class Confirmation(Address):
    """The code that was mailed to confirm an account."""

    code: Code

    def __post_init__(self) -> None:
        super().__post_init__()
        self.code = self.code.strip()


class PasswordReset(Confirmation):
    """A new password, and the code that was mailed to set it."""

    password: NewPassword


class PasswordChange(Struct, rename="camel"):
    """A new password, and the one until now."""

    old_password: Password
    new_password: Annotated[NewPassword, Meta(examples=["Secret-2027"])]


class Refresh(Struct, rename="camel"):
    """A refresh token as sign-in gave it."""

    refresh_token: Annotated[
        str,
        Meta(min_length=1, max_length=8_192, description="the refreshToken that sign-in gave"),
    ]


class Profile(Struct):
    """What a person may change about the own account."""

    username: Username

    def __post_init__(self) -> None:
        self.username = self.username.strip()


class Deletion(Struct):
    """The proof that it is the owner who deletes an account."""

    password: Password


class Metadata(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a client may say about a photo; null clears a field, as does what browsers send."""

    filename_orig: Text | UnsetType | None = UNSET
    tags: Text | UnsetType | None = UNSET  # comma separated
    desc: LongText | UnsetType | None = UNSET
    make: Text | UnsetType | None = UNSET
    model: Text | UnsetType | None = UNSET
    city: Text | UnsetType | None = UNSET
    nation: Text | UnsetType | None = UNSET
    address: Text | UnsetType | None = UNSET
    geotag_lat: Latitude | DegreesText | UnsetType | None = UNSET
    geotag_lng: Longitude | DegreesText | UnsetType | None = UNSET
    taken_date: Date | UnsetType | None = UNSET


class UploadRequest(Metadata, kw_only=True):
    """A picture that is to be sent straight to S3, and what the client says about it."""

    filesize: Annotated[
        int,
        Meta(
            ge=1,
            description=f"its bytes, a whole number from 1 to {LARGEST_UPLOAD}",
            examples=[12_345_678],
        ),
    ]
    # These two are measured.
    width: Any = None
    height: Any = None


class UploadForm(Metadata, kw_only=True, forbid_unknown_fields=False):
    """A multipart form with one picture: as part `file`, or as base64 in a field."""

    file: Annotated[
        str | UnsetType,
        Meta(
            description="the picture's bytes",
            extra_json_schema={"contentMediaType": "application/octet-stream", "format": "binary"},
        ),
    ] = UNSET
    base64_image: Annotated[
        str | UnsetType,
        Meta(description="base64, bare or as a data: URL of an image", examples=[_A_PICTURE]),
    ] = UNSET
    width: Any = None
    height: Any = None


class UploadHeaders(Struct, rename={"idempotency_key": "Idempotency-Key"}):
    """What makes it safe to send an upload again."""

    idempotency_key: IdempotencyKey | UnsetType = UNSET


class PhotoQuery(Struct, rename={"first": "from", "last": "to"}):
    """Which photos a list shall have, and in which order."""

    limit: Annotated[
        int, Meta(ge=1, le=1000, description="a whole number from 1 to 1000", examples=[50])
    ] = 1000
    cursor: Annotated[str, Meta(description="the nextCursor of the page before")] = ""
    sort: Annotated[Literal["taken", "uploaded"], Meta(description="taken or uploaded")] = "taken"
    order: Annotated[Literal["desc", "asc"], Meta(description="desc or asc")] = "desc"
    q: Annotated[
        str,
        Meta(max_length=200, description="words of at most 200 characters, all to be found"),
    ] = ""
    tag: Text = ""
    first: Annotated[str, Meta(max_length=LONGEST_TEXT, description=_A_DATE)] = ""
    last: Annotated[str, Meta(max_length=LONGEST_TEXT, description=_A_DATE)] = ""
    bbox: Annotated[
        str, Meta(max_length=LONGEST_TEXT, description="west,south,east,north in degrees")
    ] = ""


class PhotoMode(Struct):
    """What to redirect to, instead of describing the photo."""

    mode: Annotated[
        Literal["thumbnail", "original"] | UnsetType, Meta(description="thumbnail or original")
    ] = UNSET


class Ok(Struct):
    """It is done."""

    ok: bool


class Health(Ok):
    """The app is up."""

    version: str


class SignedUp(Ok):
    """An account was made; `confirm` tells what is left to do before it can sign in."""

    confirm: Literal["email"] | UnsetType = UNSET


class Tokens(Struct, rename="camel"):
    """What a session is made of."""

    access_token: Annotated[str, Meta(description="goes with every request, as Bearer")]
    refresh_token: Annotated[str, Meta(description="gives the next accessToken; opaque")]
    expires_in: Annotated[int, Meta(description="seconds until the accessToken expires")]


class Links(Ok, rename="camel"):
    """The pool's hosted pages."""

    sign_in: str
    forgot_password: str


class User(Struct):
    """An account, as its owner may see it."""

    user_id: str
    email: str
    username: str
    photo_count: int
    storage_bytes: Annotated[int, Meta(description="the bytes of the originals")]
    created_date: Annotated[str, Meta(description="ISO 8601, UTC")]


class UserAnswer(Ok):
    """One account."""

    user: User


class Remaining(Ok):
    """Not all photos are gone yet: send the request again."""

    remaining: Annotated[int, Meta(ge=1, description="photos left")]


class Photo(Struct):
    """One photo; its URLs can be loaded by a plain `<img>`, and expire."""

    id: str
    user_id: str
    filename: Annotated[str, Meta(description="the name it is stored by")]
    filename_orig: str | None
    filesize: Annotated[int, Meta(description="bytes")]
    content_type: Annotated[str, Meta(description="from the bytes, never from the name")]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    width: Annotated[int, Meta(description="pixels, upright")]
    height: int
    tags: Annotated[str, Meta(description="comma separated, possibly empty")]
    desc: str
    make: str | None
    model: str | None
    city: str | None
    nation: str | None
    address: str | None
    geotag_lat: Annotated[float, Meta(description="degrees, north positive; 0 is a place")] | None
    geotag_lng: Annotated[float, Meta(description="degrees, east positive; 0 is a place")] | None
    taken_date: (
        Annotated[str, Meta(description="ISO 8601, with the offset if the camera told one")] | None
    )
    upload_date: Annotated[str, Meta(description="ISO 8601, UTC")]
    thumbSrc: Annotated[str, Meta(description="an upright JPEG without metadata")]  # noqa: N815
    originalSrc: str  # noqa: N815


class PhotoAnswer(Ok):
    """One photo."""

    photo: Photo


class Uploaded(Ok):
    """A photo was made."""

    photo_id: str
    photo: Photo


class PostForm(Struct):
    """A form to send to S3: the fields as they are, and the picture last, as `file`."""

    url: str
    fields: dict[str, str]
    expires_date: str


class UploadBegun(Ok):
    """Where to send the picture; a photo that its Idempotency-Key has made needs no upload."""

    photo_id: str
    upload: PostForm | None
    photo: Photo | UnsetType = UNSET


class PhotoPage(Ok, rename={"next_cursor": "nextCursor"}):
    """One page of a list; it may hold fewer photos than asked for and still not be the last."""

    photos: list[Photo]
    next_cursor: str | None


class Point(Struct):
    """A place, as GeoJSON has it (RFC 7946)."""

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
    """A tag, and how many photos have it."""

    tag: str
    count: int


class Tags(Ok):
    """All tags of a person."""

    tags: list[Tag]


class Deleted(Ok):
    """A photo is gone."""

    photo_id: str


class Problem(Struct):
    """Why a request failed; `Message` is a sentence to show."""

    Code: str
    Message: str


class GatewayProblem(Struct):
    """Why the gateway has refused a request before the album saw it; some say it in `message`."""

    Code: str | UnsetType = UNSET
    Message: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
