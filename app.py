"""CloudAlbum: a private photo album with no server to keep. This is its front door."""

from typing import TYPE_CHECKING, Any

from chalice import AuthResponse, AuthRoute, Chalice, CORSConfig, Response
from chalice.app import AuthRequest, CloudWatchEvent

from chalicelib import __version__, forms, schemas, services
from chalicelib.errors import (
    Conflict,
    NotFound,
    NotSignedIn,
    QuotaExceeded,
    TooLarge,
    UndecodableImage,
    UnsupportedImage,
)
from chalicelib.logs import request_logged
from chalicelib.operations import operations_of
from chalicelib.sessions import bearer
from chalicelib.settings import authorizer_ttl_seconds, cors_allow_origin

if TYPE_CHECKING:
    from chalicelib.cognito import Tokens

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
BAD_PICTURE = [TooLarge, UnsupportedImage, UndecodableImage]


@app.authorizer(ttl_seconds=authorizer_ttl_seconds())
def jwt_auth(request: AuthRequest) -> AuthResponse:
    """Let in whoever holds a live access token; its `sub` reaches the routes.

    What is raised here is a gateway error: a good token is never refused because AWS is down.
    """
    with request_logged("authorizer") as line:
        try:
            caller = services.sessions().authenticate(bearer(request.token))
        except NotSignedIn:
            line["refusal"] = "NotSignedIn"
            return AuthResponse(routes=[], principal_id="stranger")
        line["sub"] = caller.sub
    # Who is leaving can do nothing but finish that.
    leaving = [AuthRoute(path, ["DELETE"]) for path in ("/users/me", "/users/me/")]
    routes = leaving if caller.is_leaving else ["*"]
    context = {"sub": caller.sub, "origin_jti": caller.origin_jti}
    return AuthResponse(routes=routes, principal_id=caller.sub, context=context)


@app.schedule("rate(1 day)")
def check_integrity(event: CloudWatchEvent) -> str:
    """Look once a day whether anything is lost or forgotten; an alarm hears of what is raised."""
    return services.integrity().watch()


@app.route("/health", methods=["GET"])
@operation(schemas.Health)
def health() -> dict[str, Any]:
    """Tell that the app is up, and its version."""
    return {"ok": True, "version": __version__}


@app.route("/openapi.json", methods=["GET"])
@operation(dict)
def describe_api() -> dict[str, Any]:
    """Describe every route, as OpenAPI 3.1."""
    from chalicelib import openapi

    return openapi.document(app)


@app.route("/docs", methods=["GET"])
@operation(str, content_types=["text/html"])
def show_docs() -> Response:
    """Show a page on which the API can be read and tried."""
    from chalicelib import docs_page

    return docs_page.page(app.current_request.context["path"])


@app.route("/docs/{asset}", methods=["GET"])
@operation(str, content_types=["text/javascript", "text/css"], refusals=[NotFound])
def load_asset_of_docs(asset: str) -> Response:
    """Load a script or a style sheet of that page."""
    from chalicelib import docs_page

    return docs_page.asset(asset)


@app.route("/users/signup", methods=["POST"])
@operation(schemas.SignedUp, body=schemas.SignUp, refusals=[Conflict])
def sign_up(body: schemas.SignUp) -> dict[str, Any]:
    """Make an account."""
    told = services.accounts().sign_up(body.email, body.password, body.username)
    return {"ok": True, **told}


@app.route("/users/confirm", methods=["POST"])
@operation(schemas.Ok, body=schemas.Confirmation)
def confirm(body: schemas.Confirmation) -> dict[str, Any]:
    """Confirm an account with the code that was mailed."""
    services.accounts().confirm(body.email, body.code)
    return {"ok": True}


@app.route("/users/confirm/resend", methods=["POST"])
@operation(schemas.Ok, body=schemas.Address)
def resend_code(body: schemas.Address) -> dict[str, Any]:
    """Mail another code, if the address waits for one."""
    services.accounts().resend_code(body.email)
    return {"ok": True}


@app.route("/users/signin", methods=["POST"])
@operation(schemas.Tokens, body=schemas.Credentials, refusals=[NotSignedIn])
def sign_in(body: schemas.Credentials) -> schemas.Tokens:
    """Exchange a password for tokens."""
    return tokens(services.accounts().sign_in(body.email, body.password))


@app.route("/users/refresh", methods=["POST"])
@operation(schemas.Tokens, body=schemas.Refresh, refusals=[NotSignedIn])
def refresh(body: schemas.Refresh) -> schemas.Tokens:
    """Exchange a refresh token for a new access token."""
    return tokens(services.accounts().refresh(body.refresh_token))


@app.route("/users/signout", methods=["POST"], authorizer=jwt_auth, content_types=ANY_TYPE)
@operation(schemas.Ok)
def sign_out() -> dict[str, Any]:
    """End every session of the user."""
    services.accounts().sign_out(user_id(), session_id(), access_token())
    return {"ok": True}


@app.route("/users/password/forgot", methods=["POST"])
@operation(schemas.Ok, body=schemas.Address)
def forgot_password(body: schemas.Address) -> dict[str, Any]:
    """Mail a code that resets the password, if the address is known."""
    services.accounts().forget_password(body.email)
    return {"ok": True}


@app.route("/users/password/reset", methods=["POST"])
@operation(schemas.Ok, body=schemas.PasswordReset)
def reset_password(body: schemas.PasswordReset) -> dict[str, Any]:
    """Set a new password with the code that was mailed, and end every session."""
    services.accounts().reset_password(body.email, body.code, body.password)
    return {"ok": True}


@app.route("/users/links", methods=["GET"])
@operation(schemas.Links, refusals=[NotFound])
def links() -> dict[str, Any]:
    """Tell where the pool's hosted pages are."""
    return {"ok": True, **services.accounts().links()}


@app.route("/users/me", methods=["GET"], authorizer=jwt_auth)
@operation(schemas.UserAnswer, refusals=[NotFound])
def get_profile() -> dict[str, Any]:
    """Describe the user's account."""
    return {"ok": True, "user": services.accounts().profile(user_id())}


@app.route("/users/me", methods=["PATCH"], authorizer=jwt_auth)
@operation(schemas.UserAnswer, body=schemas.Profile, refusals=[NotFound])
def change_profile(body: schemas.Profile) -> dict[str, Any]:
    """Change the name a person is shown by."""
    services.accounts().rename(user_id(), body.username)
    return {"ok": True, "user": services.accounts().profile(user_id())}


@app.route("/users/me/password", methods=["PUT"], authorizer=jwt_auth)
@operation(schemas.Ok, body=schemas.PasswordChange, refusals=[NotSignedIn])
def change_password(body: schemas.PasswordChange) -> dict[str, Any]:
    """Change the password, and end every session."""
    services.accounts().change_password(
        user_id(), session_id(), access_token(), body.old_password, body.new_password
    )
    return {"ok": True}


@app.route("/users/me", methods=["DELETE"], authorizer=jwt_auth)
@operation(schemas.Ok, body=schemas.Deletion, refusals=[NotSignedIn], also={202: schemas.Remaining})
def delete_account(body: schemas.Deletion) -> Any:
    """Delete the account with everything in it."""
    services.accounts().begin_deletion(user_id(), body.password)
    remaining = services.photos().delete_all(user_id())
    if remaining:
        return Response({"ok": True, "remaining": remaining}, status_code=202)
    services.accounts().finish_deletion(user_id())
    return {"ok": True}


@app.route(
    "/photos/file", methods=["POST"], authorizer=jwt_auth, content_types=["multipart/form-data"]
)
@operation(
    schemas.Uploaded,
    body=schemas.UploadForm,
    headers=schemas.UploadHeaders,
    refusals=[Conflict, QuotaExceeded, *BAD_PICTURE],
)
def upload_photo(body: forms.PhotoForm, headers: schemas.UploadHeaders) -> dict[str, Any]:
    """Store one picture."""
    key = headers.idempotency_key or None
    photo = services.uploads().upload(user_id(), body.data, body.metadata, key)
    return {"ok": True, "photo_id": photo["id"], "photo": photo}


@app.route("/photos/uploads", methods=["POST"], authorizer=jwt_auth)
@operation(
    schemas.UploadBegun,
    body=schemas.UploadRequest,
    headers=schemas.UploadHeaders,
    refusals=[Conflict, QuotaExceeded, TooLarge],
)
def begin_upload(body: schemas.UploadRequest, headers: schemas.UploadHeaders) -> dict[str, Any]:
    """Tell where to send one picture straight to S3."""
    key = headers.idempotency_key or None
    return {"ok": True, **services.uploads().begin(user_id(), forms.upload_request(body), key)}


@app.route(
    "/photos/uploads/{photo_id}/complete",
    methods=["POST"],
    authorizer=jwt_auth,
    content_types=ANY_TYPE,
)
@operation(schemas.Uploaded, refusals=[NotFound, Conflict, QuotaExceeded, *BAD_PICTURE])
def complete_upload(photo_id: str) -> dict[str, Any]:
    """Make a photo of what was sent to S3."""
    photo = services.uploads().complete(user_id(), photo_id)
    return {"ok": True, "photo_id": photo_id, "photo": photo}


@app.route("/photos", methods=["GET"], authorizer=jwt_auth)
@operation(schemas.PhotoPage, query=schemas.PhotoQuery)
def list_photos(query: schemas.PhotoQuery) -> dict[str, Any]:
    """List the user's photos, page by page."""
    page = services.lists().page(user_id(), forms.photo_query(query))
    return {"ok": True, "photos": page.photos, "nextCursor": page.next_cursor}


@app.route("/photos/map", methods=["GET"], authorizer=jwt_auth)
@operation(schemas.PhotoMap, query=schemas.PhotoQuery, content_types=["application/geo+json"])
def map_photos(query: schemas.PhotoQuery) -> dict[str, Any]:
    """List the user's photos that have a position, as GeoJSON."""
    return services.lists().map(user_id(), forms.photo_query(query))


@app.route("/photos/tags", methods=["GET"], authorizer=jwt_auth)
@operation(schemas.Tags)
def count_tags() -> dict[str, Any]:
    """List the user's tags with how many photos have them."""
    return {"ok": True, "tags": services.lists().tags(user_id())}


@app.route("/photos/{photo_id}", methods=["GET"], authorizer=jwt_auth)
@operation(schemas.PhotoAnswer, query=schemas.PhotoMode, refusals=[NotFound], also={302: None})
def get_photo(photo_id: str, query: schemas.PhotoMode) -> Any:
    """Describe one photo, or with `?mode=` redirect to its bytes."""
    if not query.mode:
        return {"ok": True, "photo": services.photos().get(user_id(), photo_id)}
    location = services.photos().url(user_id(), photo_id, query.mode)
    return Response("", status_code=302, headers={"Location": location})


@app.route("/photos/{photo_id}", methods=["PATCH"], authorizer=jwt_auth)
@operation(schemas.PhotoAnswer, body=schemas.Metadata, refusals=[NotFound])
def edit_photo(photo_id: str, body: schemas.Metadata) -> dict[str, Any]:
    """Change what is known about one photo."""
    changes = forms.photo_changes(body)
    return {"ok": True, "photo": services.photos().edit(user_id(), photo_id, changes)}


@app.route("/photos/{photo_id}", methods=["DELETE"], authorizer=jwt_auth)
@operation(schemas.Deleted, refusals=[NotFound])
def delete_photo(photo_id: str) -> dict[str, Any]:
    """Delete one photo for good."""
    services.photos().delete(user_id(), photo_id)
    return {"ok": True, "photo_id": photo_id}


def user_id() -> str:
    """Return the verified `sub` of who is asking."""
    sub: str = app.current_request.context["authorizer"]["sub"]
    return sub


def session_id() -> str:
    """Return what all tokens have in common that came of the same sign-in."""
    origin_jti: str = app.current_request.context["authorizer"]["origin_jti"]
    return origin_jti


def access_token() -> str:
    """Return the verified access token of who is asking."""
    return bearer(app.current_request.headers["authorization"])


def tokens(given: "Tokens") -> schemas.Tokens:
    """Return tokens as clients expect them."""
    return schemas.Tokens(given.access_token, given.refresh_token, given.expires_in)
