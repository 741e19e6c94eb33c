"""Hubs that are struck off, in files: what the centre writes, and what the broker may use of it.

    REVOKED/denied   the ids of hubs that may say and hear nothing, one a line
    REVOKED/crl.pem  the authority's list of certificates that are no longer valid

A deny rule ends a hub's traffic at once, also in a session that stands. The list keeps it from
coming back, and is the only way to refuse an old certificate whose name lives on in a new one. Once
past its `nextUpdate` a list makes OpenSSL refuse *everybody*: such a list is left out.
"""

import hashlib
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from hub.shared.files import shipped_file, write_whole

DENIED, CRL = "denied", "crl.pem"
TAKEN = "taken"  # beside the broker's rules
SPARE = timedelta(days=3)  # a list that ends sooner is left out: time for somebody to look
HUB = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # as `hub.contract.forms.Name`
CENTER = "center"  # the centre's user at the broker
RULE = "user {hub}\ntopic deny #\n\n"
END = b"-----END X509 CRL-----\n"
TEMPLATE = shipped_file("center", "broker") / "acl"


def rules(revoked: Path | None) -> str:
    """Return the broker's rules with those of denied hubs. Raises `OSError`."""
    before, center, after = TEMPLATE.read_text(encoding="utf-8").partition(f"user {CENTER}\n")
    refused = "".join(RULE.format(hub=hub) for hub in denied(revoked))
    return before + refused + center + after


def denied(revoked: Path | None) -> tuple[str, ...]:
    """Return the ids of denied hubs; a line that is no id is left out: it could be a rule."""
    with suppress(FileNotFoundError):
        if revoked is not None:
            lines = (revoked / DENIED).read_text(encoding="utf-8", errors="replace").split("\n")
            return tuple(sorted({one for one in lines if HUB.fullmatch(one)} - {CENTER}))
    return ()


class Taken(Struct, frozen=True):
    """What a running broker has taken up: a digest of rules and list, and whose sessions ended.

    It is noted last: what was cut off before is done again.
    """

    digest: str = ""
    ended: frozenset[str] = frozenset()


def digest_of(rules: str, usable: bytes | None) -> str:
    """Return what tells rules and list from others."""
    return hashlib.sha256(rules.encode() + b"\0" + (usable or b"")).hexdigest()


def taken(run_dir: Path) -> Taken:
    """Return what was noted. Raises `OSError`."""
    try:
        digest, *ended = (run_dir / TAKEN).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ValueError):
        return Taken()
    return Taken(digest, frozenset(ended))


def note(run_dir: Path, one: Taken) -> None:
    """Note what was taken up. Raises `OSError`."""
    text = "".join(f"{line}\n" for line in (one.digest, *sorted(one.ended)))
    write_whole(run_dir / TAKEN, text.encode(), 0o640)


def list_of(revoked: Path | None, certs: Path, now: datetime) -> bytes | None:
    """Return the list if the broker may use it, else None.

    It must be valid now, and for some days yet, and there must be one of each authority in
    `ca.crt`: OpenSSL refuses everybody whose authority has none.
    """
    if revoked is None:
        return None
    try:
        found = (revoked / CRL).read_bytes()
        lists = [x509.load_pem_x509_crl(part + END) for part in found.split(END)[:-1]]
        authorities = x509.load_pem_x509_certificates((certs / "ca.crt").read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    is_valid = all(
        one.next_update_utc and one.last_update_utc <= now and one.next_update_utc > now + SPARE
        for one in lists
    )
    covered = all(any(_is_of(one, parent) for one in lists) for parent in authorities)
    return found if is_valid and covered else None


def _is_of(one: x509.CertificateRevocationList, parent: x509.Certificate) -> bool:
    key = parent.public_key()
    return one.issuer == parent.subject and one.is_signature_valid(key)  # type: ignore[arg-type]
