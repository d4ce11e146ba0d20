"""CloudAlbum: a private photo album with no server to maintain. This is the entry point."""

from typing import TYPE_CHECKING, Any

from chalice import AuthResponse, AuthRoute, Chalice, CORSConfig, Response
from chalice.app import AuthRequest, CloudWatchEvent

from chalicelib import __version__
from chalicelib.accounts.sessions import bearer
from chalicelib.api import requests, responses
from chalicelib.api.error_table import error_body
from chalicelib.api.operations import operations_of
from chalicelib.api.parsing import batch_tags, photo_edit, photo_metadata, photo_query
from chalicelib.container import Container
from chalicelib.errors import (
    Conflict,
    IdempotencyMismatch,
    NotFound,
    NotSignedIn,
    QuotaExceeded,
    SignUpClosed,
    TooLarge,
    UndecodableImage,
    UnsupportedImage,
)
from chalicelib.observability import request_logged
from chalicelib.settings import authorizer_ttl_seconds, cors_allow_origin

if TYPE_CHECKING:
    from chalicelib.accounts.cognito import Tokens
    from chalicelib.api.multipart import ImageUpload
    from chalicelib.photos.duplicates import Stored

app = Chalice(app_name="cloudalbum")
app.api.binary_types.append("multipart/form-data")
# The web client really sends headers named `datatype` and `headers`.
app.api.cors = CORSConfig(
    allow_origin=cors_allow_origin(),
    allow_headers=["datatype", "headers", "Idempotency-Key"],
    expose_headers=["Retry-After", "X-Request-Id"],
    max_age=600,
)

ANY_TYPE = ["*/*"]
operation = operations_of(app)
services = Container()
BAD_IMAGE = [TooLarge, UnsupportedImage, UndecodableImage]


@app.authorizer(ttl_seconds=authorizer_ttl_seconds())
def jwt_auth(request: AuthRequest) -> AuthResponse:
    """Accept a valid access token, and pass its `sub` to the routes.

    Any other error becomes a gateway error: a valid token is never rejected because AWS is down.
    """
    with request_logged("authorizer") as line:
        try:
            caller = services.sessions.authenticate(bearer(request.token))
        except NotSignedIn:
            line["refusal"] = "NotSignedIn"
            return AuthResponse(routes=[], principal_id="unauthenticated")
        line["sub"] = caller.sub
    # A user whose account is being deleted can only finish that.
    deletion = [AuthRoute(path, ["DELETE"]) for path in ("/users/me", "/users/me/")]
    routes = deletion if caller.deletion_pending else ["*"]
    return AuthResponse(routes=routes, principal_id=caller.sub, context={"sub": caller.sub})


# Each day has its share of the photos, so the check must not run around midnight (UTC).
@app.schedule("cron(17 3 * * ? *)")
def check_integrity(event: CloudWatchEvent) -> str:
    """Check once a day that no data is lost or orphaned; an alarm reports what is raised."""
    return services.integrity.check_daily()


@app.schedule("cron(47 4 * * ? *)")
def empty_trash(event: CloudWatchEvent) -> str:
    """Delete once a day what has been in the trash for long enough."""
    return services.trash.empty_old()


@app.route("/health", methods=["GET"])
@operation(responses.Health)
def health() -> dict[str, Any]:
    """Check that the service is up."""
    from chalicelib.package_id import package_id

    package = package_id()
    return {"ok": True, "version": __version__} | ({"package": package} if package else {})


@app.route("/openapi.json", methods=["GET"])
@operation(dict)
def describe_api() -> dict[str, Any]:
    """Get this document: every route in OpenAPI 3.1."""
    from chalicelib.api import openapi

    return openapi.document(app)


@app.route("/docs", methods=["GET"])
@operation(str, content_types=["text/html"])
def show_docs() -> Response:
    """Read and try the API in a browser."""
    from chalicelib.api import docs_page

    return docs_page.page(app.current_request.context["path"], lambda: services.settings)


@app.route("/docs/{asset}", methods=["GET"])
@operation(str, content_types=["text/javascript", "text/css"], errors=[NotFound])
def load_asset_of_docs(asset: str) -> Response:
    """Get a script or a style sheet of that page."""
    from chalicelib.api import docs_page

    return docs_page.asset(asset)


@app.route("/users/signup", methods=["POST"])
@operation(responses.SignedUp, body=requests.SignUp, errors=[SignUpClosed, Conflict])
def sign_up(body: requests.SignUp) -> dict[str, Any]:
    """Create an account."""
    return {"ok": True, **services.accounts.sign_up(body.email, body.password, body.username)}


@app.route("/users/confirm", methods=["POST"])
@operation(responses.Ok, body=requests.Confirmation)
def confirm(body: requests.Confirmation) -> dict[str, Any]:
    """Confirm an account with the emailed code."""
    services.accounts.confirm(body.email, body.code)
    return {"ok": True}


@app.route("/users/confirm/resend", methods=["POST"])
@operation(responses.Ok, body=requests.Address)
def resend_code(body: requests.Address) -> dict[str, Any]:
    """Email another code, if the account is not confirmed yet."""
    services.accounts.resend_code(body.email)
    return {"ok": True}


@app.route("/users/signin", methods=["POST"])
@operation(responses.Tokens, body=requests.Credentials, errors=[NotSignedIn])
def sign_in(body: requests.Credentials) -> responses.Tokens:
    """Exchange a password for tokens."""
    return token_response(services.accounts.sign_in(body.email, body.password))


@app.route("/users/refresh", methods=["POST"])
@operation(responses.Tokens, body=requests.Refresh, errors=[NotSignedIn])
def refresh(body: requests.Refresh) -> responses.Tokens:
    """Exchange a refresh token for a new access token."""
    return token_response(services.accounts.refresh(body.refresh_token))


@app.route("/users/signout", methods=["POST"], authorizer=jwt_auth, content_types=ANY_TYPE)
@operation(responses.Ok)
def sign_out() -> dict[str, Any]:
    """End every session of the user."""
    services.accounts.sign_out(user_id())
    return {"ok": True}


@app.route("/users/password/forgot", methods=["POST"])
@operation(responses.Ok, body=requests.Address)
def forgot_password(body: requests.Address) -> dict[str, Any]:
    """Email a code that resets the password, if the address is known."""
    services.accounts.forgot_password(body.email)
    return {"ok": True}


@app.route("/users/password/reset", methods=["POST"])
@operation(responses.Ok, body=requests.PasswordReset)
def reset_password(body: requests.PasswordReset) -> dict[str, Any]:
    """Set a new password with the emailed code, and end every session."""
    services.accounts.reset_password(body.email, body.code, body.password)
    return {"ok": True}


@app.route("/users/links", methods=["GET"])
@operation(responses.Links, errors=[NotFound])
def links() -> dict[str, Any]:
    """Get the URLs of the pool's hosted pages."""
    return {"ok": True, **services.accounts.links()}


@app.route("/users/me", methods=["GET"], authorizer=jwt_auth)
@operation(responses.UserResponse, errors=[NotFound])
def get_profile() -> dict[str, Any]:
    """Get the user's account."""
    return {"ok": True, "user": services.accounts.profile(user_id())}


@app.route("/users/me", methods=["PATCH"], authorizer=jwt_auth)
@operation(responses.UserResponse, body=requests.Profile, errors=[NotFound])
def change_profile(body: requests.Profile) -> dict[str, Any]:
    """Change the user's display name."""
    services.accounts.rename(user_id(), body.username)
    return {"ok": True, "user": services.accounts.profile(user_id())}


@app.route("/users/me/password", methods=["PUT"], authorizer=jwt_auth)
@operation(responses.Ok, body=requests.PasswordChange, errors=[NotSignedIn])
def change_password(body: requests.PasswordChange) -> dict[str, Any]:
    """Change the password, and end every session."""
    services.accounts.change_password(user_id(), body.old_password, body.new_password)
    return {"ok": True}


@app.route("/users/me", methods=["DELETE"], authorizer=jwt_auth)
@operation(
    responses.Ok,
    body=requests.AccountDeletion,
    errors=[NotSignedIn],
    other_responses={202: responses.Remaining},
)
def delete_account(body: requests.AccountDeletion) -> Any:
    """Delete the account with everything in it."""
    services.accounts.begin_deletion(user_id(), body.password)
    remaining = services.photos.delete_all(user_id())
    if remaining:
        return Response({"ok": True, "remaining": remaining}, status_code=202)
    services.accounts.finish_deletion(user_id())
    return {"ok": True}


@app.route(
    "/photos/file", methods=["POST"], authorizer=jwt_auth, content_types=["multipart/form-data"]
)
@operation(
    responses.Uploaded,
    body=requests.UploadForm,
    headers=requests.UploadHeaders,
    errors=[Conflict, IdempotencyMismatch, QuotaExceeded, *BAD_IMAGE],
)
def upload_photo(body: "ImageUpload", headers: requests.UploadHeaders) -> dict[str, Any]:
    """Upload a photo."""
    key = headers.idempotency_key or None
    stored = services.uploads.upload(user_id(), body.data, body.metadata, key, body.on_duplicate)
    return upload_response(stored)


@app.route("/photos/uploads", methods=["POST"], authorizer=jwt_auth)
@operation(
    responses.UploadStarted,
    body=requests.UploadRequest,
    headers=requests.UploadHeaders,
    errors=[Conflict, IdempotencyMismatch, QuotaExceeded, TooLarge],
)
def begin_upload(body: requests.UploadRequest, headers: requests.UploadHeaders) -> dict[str, Any]:
    """Request to send a large photo directly to S3."""
    key = headers.idempotency_key or None
    started = services.uploads.begin(
        user_id(),
        body.filesize,
        photo_metadata(body),
        key,
        body.on_duplicate or "keep",
        body.sha256.lower() if body.sha256 else None,
    )
    return {"ok": True, **started}


@app.route(
    "/photos/uploads/{photo_id}/complete",
    methods=["POST"],
    authorizer=jwt_auth,
    content_types=ANY_TYPE,
)
@operation(responses.Uploaded, errors=[NotFound, Conflict, *BAD_IMAGE])
def complete_upload(photo_id: str) -> dict[str, Any]:
    """Create the photo from what was sent to S3."""
    return upload_response(services.uploads.complete(user_id(), photo_id))


@app.route("/photos", methods=["GET"], authorizer=jwt_auth)
@operation(responses.PhotoPage, query=requests.ListParameters)
def list_photos(query: requests.ListParameters) -> dict[str, Any]:
    """List the user's photos, page by page."""
    page = services.lists.page(user_id(), photo_query(query))
    return {"ok": True, "photos": page.photos, "nextCursor": page.next_cursor}


@app.route("/photos/map", methods=["GET"], authorizer=jwt_auth)
@operation(
    responses.PhotoMap, query=requests.ListParameters, content_types=["application/geo+json"]
)
def map_photos(query: requests.ListParameters) -> dict[str, Any]:
    """List the user's photos that have a position, as GeoJSON."""
    return services.lists.map(user_id(), photo_query(query))


@app.route("/photos/tags", methods=["GET"], authorizer=jwt_auth)
@operation(responses.Tags)
def count_tags() -> dict[str, Any]:
    """List the user's tags with the number of photos of each."""
    return {"ok": True, "tags": services.counts.tags(user_id())}


@app.route("/photos/timeline", methods=["GET"], authorizer=jwt_auth)
@operation(responses.Timeline)
def count_months() -> dict[str, Any]:
    """List the months of the user's photos with the number of photos of each."""
    months = services.counts.months(user_id())
    photo_count = sum(month["count"] for month in months)
    return {"ok": True, "photo_count": photo_count, "months": months}


@app.route("/photos/known", methods=["POST"], authorizer=jwt_auth)
@operation(responses.KnownImages, body=requests.ImageHashes)
def find_known_images(body: requests.ImageHashes) -> dict[str, Any]:
    """Find out which of some images the user already has."""
    found = services.known_images.find(user_id(), [sha256.lower() for sha256 in body.sha256])
    known = {one: found[one.lower()] for one in body.sha256 if one.lower() in found}
    return {"ok": True, "known": known}


@app.route("/photos/batch", methods=["POST"], authorizer=jwt_auth)
@operation(responses.BatchDone, body=requests.BatchRequest)
def change_photos(body: requests.BatchRequest) -> dict[str, Any]:
    """Trash, restore, delete or tag many photos, or make them favorites."""
    result = services.batches.run(user_id(), body.ids, body.action, batch_tags(body))
    failed = [{"photo_id": one, **error_body(error)} for one, error in result.failed.items()]
    return {"ok": True, "done": result.done, "failed": failed, "remaining": result.remaining}


@app.route("/photos/trash", methods=["DELETE"], authorizer=jwt_auth)
@operation(responses.Ok, other_responses={202: responses.Remaining})
def empty_own_trash() -> Any:
    """Delete everything in the trash permanently."""
    remaining = services.trash.empty(user_id())
    if remaining:
        return Response({"ok": True, "remaining": remaining}, status_code=202)
    return {"ok": True}


@app.route("/photos/{photo_id}", methods=["GET"], authorizer=jwt_auth)
@operation(
    responses.PhotoResponse,
    query=requests.PhotoMode,
    errors=[NotFound],
    other_responses={302: None},
)
def get_photo(photo_id: str, query: requests.PhotoMode) -> Any:
    """Get one photo's data, or be redirected to one of its files."""
    if not query.mode:
        return {"ok": True, "photo": services.photos.get(user_id(), photo_id)}
    location = services.photos.url(user_id(), photo_id, query.mode)
    return Response("", status_code=302, headers={"Location": location})


@app.route("/photos/{photo_id}", methods=["PATCH"], authorizer=jwt_auth)
@operation(responses.PhotoResponse, body=requests.PhotoEdit, errors=[NotFound, Conflict])
def edit_photo(photo_id: str, body: requests.PhotoEdit) -> dict[str, Any]:
    """Edit the metadata of one photo, or make it a favorite."""
    return {"ok": True, "photo": services.photos.edit(user_id(), photo_id, photo_edit(body))}


@app.route(
    "/photos/{photo_id}/trash", methods=["POST"], authorizer=jwt_auth, content_types=ANY_TYPE
)
@operation(responses.PhotoResponse, errors=[NotFound])
def trash_photo(photo_id: str) -> dict[str, Any]:
    """Move one photo to the trash."""
    return {"ok": True, "photo": services.photos.trash(user_id(), photo_id)}


@app.route(
    "/photos/{photo_id}/restore", methods=["POST"], authorizer=jwt_auth, content_types=ANY_TYPE
)
@operation(responses.PhotoResponse, errors=[NotFound, Conflict])
def restore_photo(photo_id: str) -> dict[str, Any]:
    """Put one photo from the trash back."""
    return {"ok": True, "photo": services.photos.restore(user_id(), photo_id)}


@app.route("/photos/{photo_id}", methods=["DELETE"], authorizer=jwt_auth)
@operation(responses.Deleted, errors=[NotFound])
def delete_photo(photo_id: str) -> dict[str, Any]:
    """Delete one photo permanently."""
    services.photos.delete(user_id(), photo_id)
    return {"ok": True, "photo_id": photo_id}


def user_id() -> str:
    """Return the caller's verified `sub`."""
    sub: str = app.current_request.context["authorizer"]["sub"]
    return sub


def upload_response(stored: "Stored") -> dict[str, Any]:
    """Return an uploaded photo in the shape that clients expect."""
    response = {"ok": True, "photo_id": stored.photo["id"], "photo": stored.photo}
    return response | ({"duplicate": True} if stored.is_duplicate else {})


def token_response(tokens: "Tokens") -> responses.Tokens:
    """Return tokens in the shape that clients expect."""
    return responses.Tokens(tokens.access_token, tokens.refresh_token, tokens.expires_in)
