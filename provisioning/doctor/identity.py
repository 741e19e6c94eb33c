"""Checks of a registered hub: the county's file, the identity and its board, its renewal.

The identity is made and renewed by `anbu provision run`; the hub only uses it.
"""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from hub.shared import identity
from hub.shared.county import County
from hub.shared.county import load as load_county
from hub.shared.findings import Finding, bad, good, note
from hub.shared.identity import CERTIFICATE, FACTS, FOLDER, KEY, NEXT, Identity, in_use
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning.certs import inspect
from provisioning.doctor import voice
from provisioning.enrol import keys
from provisioning.findings import HubConfig, Readers, reading
from provisioning.settings import ProvisionSettings
from provisioning.settings import load as load_settings
from provisioning.status import State, state_of

SOON_DAYS = 180  # of the county's authority: time for a new image and a visit
KEPT_DAYS = 90  # for so long the centre renews a certificate that has ended (decision 0046)
OTHERS = 0o077
TOLD_HERE = {"expired", "expires_soon", "exposed", "wrong_name", "good"}  # of the certificate


class Board(Struct, frozen=True):
    """Where a machine says which board it is; another one in tests."""

    serial: Path = identity.SERIAL
    product: Path = identity.PRODUCT
    machine: Path = identity.MACHINE

    def id(self) -> str:
        """Return what tells this board from others."""
        return identity.this_board(self.serial, self.product, self.machine)

    def is_sure(self) -> bool:
        """Whether each user of the machine sees the same: a Pi's serial, a PC's only root."""
        return self.serial.exists() or not self.product.exists()


def county(config: HubConfig, readers: Readers) -> tuple[County, list[Finding]]:
    """Return the county's settings, empty where there are none, and the findings about them."""
    file = Path(config.county)
    if not voice.exists(file):
        return County(), [bad("county", "none", file=file)]
    found, said = reading("county", file, load_county, readers)
    if found is None:
        return County(), said
    if not found.center:
        return found, [*said, bad("county", "no_center", file=file)]
    return found, [*said, _authority(found)]


def _authority(of: County) -> Finding:
    """Return until when this image knows its centre: a hub may have lain in a box for years."""
    file = Path(of.ca)
    try:
        known = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        return bad("county", "no_ca", file=file, error=error)
    roots = [one for one in known if one.issuer == one.subject] or known
    ends = max(one.not_valid_after_utc for one in roots)  # the next one may be beside the old one
    told = {"name": of.county, "center": of.center, "date": f"{ends:%Y-%m-%d}", "file": of.ca}
    if ends < datetime.now(UTC):
        return bad("county", "expired", **told)
    soon = ends < datetime.now(UTC) + timedelta(days=SOON_DAYS)
    return note("county", "soon", **told) if soon else good("county", **told)


def examine(config: HubConfig, readers: Readers, given: Path, board: Board) -> Iterator[Finding]:
    """Yield the findings on a hub that is registered by digits. `given`: the hub's settings."""
    settings, said = _settings(config, given, readers)
    yield from said
    state = state_of(settings)
    yield from _process(state, Path(settings.run_dir))
    root = Path(config.state_dir) / FOLDER
    try:
        begun = root.exists() and any(root.iterdir())
    except PermissionError:
        yield note("identity", "forbidden", folder=root)
        return
    held = in_use(root)
    if held is None:
        yield _unregistered(root, state, begun=begun)
    else:
        yield from _held(config, root, held, board)


def _settings(
    config: HubConfig, given: Path, readers: Readers
) -> tuple[ProvisionSettings, list[Finding]]:
    """Return the settings of the process that registers; it must have the hub's state folder."""
    file = voice.config_of(given, None, "provision.toml")
    usual = ProvisionSettings(state_dir=config.state_dir)
    if not voice.exists(file):
        return usual, []
    found, said = reading("provision_config", file, load_settings, readers)
    if found and Path(found.state_dir).resolve() != Path(config.state_dir).resolve():
        said.append(
            bad("provision_config", "state", hub=config.state_dir, provision=found.state_dir)
        )
    return found or usual, said


def _process(state: State, run_dir: Path) -> Iterator[Finding]:
    """Yield whether the process runs that registers and renews, and what it complains about."""
    if not state.runs:
        hidden = run_dir.exists() and not os.access(run_dir, os.R_OK | os.X_OK)
        yield note("provision_process", "unseen") if hidden else bad("provision_process", "stopped")
        return
    yield good("provision_process")
    if trouble := state.shown.trouble:
        said = {}
        for language in Language:
            words = messages("provisioning", language, "provision")["enrol"]
            said[str(language)] = words.get(trouble, trouble)
        yield bad("provision_process", "trouble", **said)


def _unregistered(root: Path, state: State, *, begun: bool) -> Finding:
    damaged = [n for n in identity.generations(root) if (root / str(n) / FACTS).exists()]
    if damaged:
        return bad("identity", "damaged", folder=root / str(damaged[0]))
    if state.shown.digits:
        return bad("identity", "waits")
    return bad("identity", "begun" if begun else "none")


def _held(config: HubConfig, root: Path, held: Identity, board: Board) -> Iterator[Finding]:
    told = {"hub": held.hub, "n": str(held.number)}
    named = identity.read(root)
    if named is None:
        yield note("identity", "fallback", **told)
    try:
        issued = keys.load(Path(held.file(CERTIFICATE)).read_bytes())
    except (OSError, ValueError):
        yield bad("identity", "damaged", folder=held.folder)
        return
    yield from (one for one in inspect.examine(config) if one.code not in TOLD_HERE)
    yield renewal(issued.leaf, _waiting(root), told)
    yield fits(held, board)
    yield modes(root, Path(config.state_dir).stat().st_uid)


def _waiting(root: Path) -> x509.Certificate | None:
    """Return the renewed certificate that no session has proven yet, or None."""
    found = identity.read(root, NEXT)
    try:
        return keys.load(Path(found.file(CERTIFICATE)).read_bytes()).leaf if found else None
    except (OSError, ValueError):
        return None


def renewal(
    current: x509.Certificate, waiting: x509.Certificate | None, told: dict[str, str]
) -> Finding:
    """Return how many days the certificate has left, and whether it should have been renewed.

    One that waits counts only until its own end: then the current one is what is renewed.
    """
    now = datetime.now(UTC)
    fresh = waiting is not None and waiting.not_valid_after_utc > now
    leaf = waiting if waiting is not None and fresh else current
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    told = told | {"days": str((ends - now).days), "date": f"{ends:%Y-%m-%d}"}
    if now >= ends + timedelta(days=KEPT_DAYS):
        return bad("identity", "ended", **told)
    if now >= ends:
        return bad("identity", "expired", **told)
    past = (now - begins) / (ends - begins)
    if past >= keys.OVERDUE:
        return bad("identity", "overdue", **told)
    if fresh:
        return note(
            "identity", "next", **told | {"date": f"{current.not_valid_after_utc:%Y-%m-%d}"}
        )
    return note("identity", "due", **told) if past >= keys.RENEW_AT else good("identity", **told)


def fits(held: Identity, board: Board) -> Finding:
    """Return whether the identity was made for this board."""
    told = {"hub": held.hub}
    if not held.facts.board:
        return note("board", "unbound", **told)
    if held.fits(board.id()):
        return good("board", **told)
    return bad("board", "other", **told) if board.is_sure() else note("board", "unsure", **told)


def is_ours(config: HubConfig) -> bool:
    """Whether the identity was made on this board, as far as this user can tell."""
    held = in_use(Path(config.state_dir) / FOLDER)
    return held is None or held.fits(Board().id())


def modes(root: Path, owner: int) -> Finding:
    """Return whether the hub can read its key and nobody else can. `owner`: the hub's user."""
    try:
        files = [root, *(path for path in root.rglob("*") if not path.is_symlink())]
        stats = {path: path.stat() for path in files if path == root or path.name == KEY}
        foreign = [path for path in files if path.stat().st_uid != owner]
    except OSError as error:
        return note("identity_modes", "unseen", folder=root, error=error.strerror)
    exposed = [path for path, held in stats.items() if stat.S_IMODE(held.st_mode) & OTHERS]
    if exposed:
        return bad("identity_modes", "exposed", file=exposed[0], folder=root)
    if foreign:
        return bad("identity_modes", "foreign", file=foreign[0], folder=root)
    return good("identity_modes")
