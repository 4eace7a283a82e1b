"""The tokens with which IAM users log into a database: a signed URL of 15 minutes, in place of a password."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

_LONGEST = timedelta(minutes=15)
_CLOCKS_DIFFER = timedelta(minutes=5)


class TokenError(Exception):
    """A token lets nobody in; the text says why."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, by which access key."""

    user: str
    access_key_id: str


def login_by(token: str, *, user: str, endpoint: str, now: datetime) -> Login:
    """
    Return who logs in by *token* as *user* of the database at *endpoint* (host:port).

    All is checked but the signature, which only whoever has the secret key can.

    Raises:
        TokenError: The token is for somebody or something else, or is not valid now.
    """
    # The token is the URL without its scheme.
    parts = urlsplit(f"https://{token}")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    try:
        signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lifetime = timedelta(seconds=int(query["X-Amz-Expires"]))
        access_key_id, _, _, service, _ = query["X-Amz-Credential"].split("/")
        asked = (parts.netloc, query["Action"], query["DBUser"], service)
        signature = query["X-Amz-Signature"]
    except (KeyError, ValueError) as error:
        raise TokenError(f"no token of IAM ({type(error).__name__})") from error
    if asked != (endpoint, "connect", user, "rds-db"):
        raise TokenError(f"the token is for {asked}, not for {(endpoint, 'connect', user, 'rds-db')}")
    if not signature or lifetime > _LONGEST:
        raise TokenError("the token is not signed, or for longer than 15 minutes")
    if not -_CLOCKS_DIFFER <= now - signed_at <= lifetime:
        raise TokenError(f"the token was signed at {signed_at:%H:%M:%S} and is not valid now")
    return Login(user, access_key_id)
