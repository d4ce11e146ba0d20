"""The shapes of requests: they check what arrives, and describe it in the API's document.

A field's description continues the sentence "FIELD must be ...", which clients read when a value
is rejected.
"""

import hashlib
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.structs import fields

from chalicelib.dates import EXIF_DATE, ISO_DATE
from chalicelib.photos.photo import (
    ID_PATTERN,
    LIMITS,
    MAX_BYTES,
    MAX_TAGS,
    MAX_TEXT,
    URLS,
    BatchAction,
    Latitude,
    Longitude,
    OnDuplicate,
    PhotoMetadata,
    Text,
)

MAX_BATCH = 200  # photos
# What browsers send for a value that their script did not have.
ABSENT = ("", "undefined", "null", "NaN")
DEGREES = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
DATE_BOUND = "a date, such as 2012-07-15, or a date-time"
BBOX = "west,south,east,north in degrees"
_URL = f"({'|'.join(URLS)})"

# What `<input type=email>` accepts (WHATWG HTML, 4.10.5.1.5), with a dot in the domain.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = rf"^ *[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+ *$"
_PRINTABLE = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]"
_VISIBLE = r"[^\s\u0000-\u001f\u007f-\u009f\u2028\u2029]"
MAX_HASHES = 200
_SHA256 = r"^[0-9A-Fa-f]{64}$(?!\n)"
_OR_ABSENT = "undefined|null|NaN"

Email = Annotated[
    str,
    Meta(
        max_length=128,  # Cognito's limit of a user name
        pattern=_EMAIL,
        description="an email address, such as mario@example.com",
        examples=["mario@example.com"],
    ),
]
# Cognito's limit of a password; the pool decides how strong a new one must be.
Password = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        description="1 to 256 characters long",
        examples=["Secret-2026"],
    ),
]
NewPassword = Annotated[
    str,
    Meta(
        max_length=256,
        pattern=r"^\S[\s\S]*\S$(?!\n)",  # In Python, `$` also matches before a final line break.
        description="2 to 256 characters long, with no space at either end",
        examples=["Secret-2026"],
    ),
]
Username = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=rf"^{_PRINTABLE}*{_VISIBLE}{_PRINTABLE}*$",
        description="1 to 200 characters long, without control characters",
        examples=["Mario"],
    ),
]
Code = Annotated[
    str,
    Meta(
        max_length=64,
        pattern="^ *[A-Za-z0-9]+ *$",
        description="the letters and digits from the email",
        examples=["123456"],
    ),
]
Date = Annotated[
    str,
    Meta(
        max_length=MAX_TEXT,
        pattern=rf"^\s*(({_OR_ABSENT}|{EXIF_DATE}|{ISO_DATE})\s*)?$",
        description="a date, such as 2012-07-15T09:46:46+09:00 or 2012:07:15 09:46:46",
    ),
]
_DegreesText = Annotated[str, Meta(max_length=100, pattern=rf"^\s*(({_OR_ABSENT}|{DEGREES})\s*)?$")]
_Tags = Annotated[
    Text,
    Meta(
        description=f"at most {MAX_TAGS} comma-separated tags, {MAX_TEXT:,} characters in all",
    ),
]
_Id = Annotated[str, Meta(pattern=rf"^{ID_PATTERN}$(?!\n)")]
IdempotencyKey = Annotated[
    str, Meta(pattern="^[!-~]{1,255}$", description="1 to 255 visible ASCII characters")
]


def _between(name: str) -> Meta:
    return Meta(description=f"a number between -{LIMITS[name]} and {LIMITS[name]}")


# Fields that clients may write in another form than the stored one.
_ACCEPTED: dict[str, Any] = {
    "tags": _Tags,
    "geotag_lat": Annotated[Latitude, _between("geotag_lat")] | _DegreesText,
    "geotag_lng": Annotated[Longitude, _between("geotag_lng")] | _DegreesText,
    "taken_date": Date,
}


class Address(Struct):
    """The email address of an account."""

    email: Email

    def __post_init__(self) -> None:
        # Cognito must never treat two spellings as different accounts.
        self.email = self.email.strip().lower()


class Credentials(Address):
    """An email address and its password."""

    password: Password


class SignUp(Address):
    """A new account."""

    password: NewPassword
    username: Username

    def __post_init__(self) -> None:
        super().__post_init__()
        self.username = self.username.strip()


class Confirmation(Address):
    """The emailed code that confirms an account."""

    code: Code

    def __post_init__(self) -> None:
        super().__post_init__()
        self.code = self.code.strip()


class PasswordReset(Confirmation):
    """A new password, and the emailed code that allows to set it."""

    password: NewPassword


class PasswordChange(Struct, rename="camel"):
    """A new password, and the current one."""

    old_password: Password
    new_password: Annotated[NewPassword, Meta(examples=["Secret-2027"])]


class Refresh(Struct, rename="camel"):
    """A refresh token, as returned by sign-in."""

    refresh_token: Annotated[
        str,
        Meta(min_length=1, max_length=8_192, description="the refreshToken from sign-in"),
    ]


class Profile(Struct):
    """What users can change about their account."""

    username: Username

    def __post_init__(self) -> None:
        self.username = self.username.strip()


class AccountDeletion(Struct):
    """The password, which confirms that the owner deletes the account."""

    password: Password


PhotoChanges: Any = defstruct(
    "PhotoChanges",
    [
        (field.name, _ACCEPTED.get(field.name, field.type) | UnsetType | None, UNSET)
        for field in fields(PhotoMetadata)
    ],
    namespace={"__doc__": "Metadata of a photo; null, or what browsers send instead, clears it."},
    module=__name__,
    forbid_unknown_fields=True,
    kw_only=True,
)


_OnDuplicate = Annotated[OnDuplicate, Meta(description="keep or skip")] | None


class PhotoEdit(PhotoChanges, Struct, kw_only=True):  # type: ignore[misc]
    """What an owner can change about a photo; null, or what browsers send instead, clears it."""

    favorite: Annotated[bool, Meta(description="true or false")] | UnsetType | None = UNSET


class BatchRequest(Struct, forbid_unknown_fields=True):
    """One action for many photos."""

    ids: Annotated[
        list[_Id],
        Meta(max_length=MAX_BATCH, description=f"at most {MAX_BATCH} IDs of photos"),
    ]
    action: Annotated[
        BatchAction,
        Meta(description="trash, restore, delete, favorite, unfavorite, tag or untag"),
    ]
    tags: _Tags | None = None


class UploadRequest(PhotoChanges, Struct, kw_only=True):  # type: ignore[misc]
    """An image that the client will send directly to S3, and its metadata."""

    filesize: Annotated[
        int,
        Meta(
            ge=1,
            description=f"a whole number of bytes, at most {MAX_BYTES}",
            # Not `le`: a file that is too large is rejected as such, with the limit.
            extra_json_schema={"maximum": MAX_BYTES},
        ),
    ]
    on_duplicate: _OnDuplicate = None
    sha256: (
        Annotated[str, Meta(pattern=_SHA256, description="the image's SHA-256 hash in hexadecimal")]
        | None
    ) = None
    # These two are accepted and ignored, since they are measured.
    width: Any = None
    height: Any = None


class UploadForm(
    PhotoChanges,  # type: ignore[misc]
    Struct,
    kw_only=True,
    forbid_unknown_fields=False,
):
    """A multipart form with one image: as the part `file`, or as base64 in a field."""

    file: Annotated[
        str | UnsetType,
        Meta(
            description="the image file",
            extra_json_schema={"contentMediaType": "application/octet-stream", "format": "binary"},
        ),
    ] = UNSET
    base64_image: Annotated[
        str | UnsetType,
        Meta(description="the image in base64, with or without the prefix of a data: URL"),
    ] = UNSET
    on_duplicate: _OnDuplicate = None
    width: Any = None
    height: Any = None


class UploadHeaders(Struct, rename={"idempotency_key": "Idempotency-Key"}):
    """What makes an upload safe to retry."""

    idempotency_key: IdempotencyKey | UnsetType = UNSET


_Choice = Annotated[Literal["true", "false"], Meta(description="true or false")]


class ListParameters(Struct, rename={"first": "from", "last": "to"}):
    """Which photos a list has, and in which order."""

    limit: Annotated[
        int,
        Meta(ge=1, le=1000, description="a whole number between 1 and 1000", examples=[50]),
    ] = 1000
    cursor: Annotated[str, Meta(description="the nextCursor of the previous page")] = ""
    sort: Annotated[Literal["taken", "uploaded"], Meta(description="taken or uploaded")] = "taken"
    order: Annotated[Literal["desc", "asc"], Meta(description="desc or asc")] = "desc"
    q: Annotated[
        str,
        Meta(max_length=200, description="words, at most 200 characters, which must all match"),
    ] = ""
    tag: Text = ""
    first: Annotated[str, Meta(max_length=MAX_TEXT, description=DATE_BOUND)] = ""
    last: Annotated[str, Meta(max_length=MAX_TEXT, description=DATE_BOUND)] = ""
    bbox: Annotated[str, Meta(max_length=MAX_TEXT, description=BBOX)] = ""
    favorite: _Choice = "false"
    trashed: _Choice = "false"
    urls: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=rf"^( *{_URL}( *, *{_URL})* *)?$(?!\n)",
            description=f"one or more of {', '.join(URLS)}, separated by commas",
        ),
    ] = ",".join(URLS)


class ImageHashes(Struct):
    """The SHA-256 hashes of images."""

    sha256: Annotated[
        list[Annotated[str, Meta(pattern=_SHA256)]],
        Meta(
            max_length=MAX_HASHES,
            description=f"a list of at most {MAX_HASHES} SHA-256 hashes in hexadecimal",
            examples=[[hashlib.sha256(b"").hexdigest()]],
        ),
    ]


class PhotoMode(Struct):
    """Which of the photo's files to redirect to; without it, the photo is described."""

    mode: Annotated[
        Literal["thumbnail", "preview", "original"] | UnsetType,
        Meta(description="thumbnail, preview or original"),
    ] = UNSET
