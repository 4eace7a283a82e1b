"""
Statements about users that only Aurora understands, as the server behind the proxy understands them.

Users who log in by IAM have no password there: the door asks them for a token, and nobody else reaches the server.
"""

import re

_BY_IAM = re.compile(r"\bIDENTIFIED\s+WITH\s+['\"`]?AWSAuthenticationPlugin['\"`]?\s+AS\s+['\"]RDS['\"]", re.IGNORECASE)
# Between the door and the server nothing is encrypted.
_REQUIRES_TLS = re.compile(r"\s+REQUIRE\s+SSL\b", re.IGNORECASE)
_ABOUT_USERS = re.compile(r"\s*(CREATE|ALTER)\s+USER\b", re.IGNORECASE)
_GRANT_LOADING = re.compile(r"\s*GRANT\s+['\"`]?AWS_LOAD_S3_ACCESS['\"`]?(@'%')?\s+TO\s+(?P<who>.+)", re.IGNORECASE)
_DEFAULT_ROLE = re.compile(r"\s*(SET\s+DEFAULT\s+ROLE|ALTER\s+USER\s.*\bDEFAULT\s+ROLE)\b", re.IGNORECASE | re.DOTALL)


def as_the_server_knows_it(sql: str) -> str | None:
    """Return the statement to run in place of *sql*; None when *sql* says nothing about users that is Aurora's own."""
    loading = _GRANT_LOADING.fullmatch(sql)
    if loading:
        # The server reads a file of its own in place of the object.
        return f"GRANT FILE ON *.* TO {loading['who']}"
    if _DEFAULT_ROLE.match(sql):
        return "DO 0"
    if _ABOUT_USERS.match(sql) and (_BY_IAM.search(sql) or _REQUIRES_TLS.search(sql)):
        return _REQUIRES_TLS.sub("", _BY_IAM.sub("IDENTIFIED BY ''", sql))
    return None
