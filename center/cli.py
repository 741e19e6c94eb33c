"""`anbu center`: run the control centre; list, add and remove operators, tokens, records, hubs."""

import argparse
import asyncio
import getpass
import logging
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec
from sqlalchemy import Connection

from center import app
from center.config import Settings, database_url, rooted
from center.domain import times
from center.domain.enrolment import Reason
from center.domain.incident import Deed, Entry
from center.domain.record import Record
from center.service import auth, homes, removal
from center.service.auth import Role
from center.service.removal import Removed
from center.service.texts import Texts, of_file
from center.store import dialect
from center.store.dialect import StoreError
from center.store.rows import accounts, hubs, partners, records, revocations
from center.store.store import Store
from hub.contract.forms import Name, composed
from hub.shared.messages import usual_language
from hub.shared.settings import Noted, noted_by, read, refuse, text_of, unnoted

PASSWORD_MIN = 10
NAME_MAX = 64
CENTER = "center"  # the centre's own name at the broker: no hub's
DEFAULT = Path("center.toml")
FAILED = 1
NOT_UNDERSTOOD = 2

Command = Callable[[argparse.Namespace, Texts], int]
Things: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name
T = TypeVar("T")


class WrongNameError(ValueError):
    """A name that is not allowed; the text says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command: alone it runs the centre; its subcommands change what is stored."""
    t = _texts()
    parser.add_argument(
        "--config", type=Path, default=DEFAULT, metavar="FILE", help=t("about.config")
    )
    parser.set_defaults(command_of_center=_serve)
    things = parser.add_subparsers(metavar="COMMAND", help=t("about.command"))
    user = _thing(things, "user", t)
    _leaf(user, "list", t("about.list"), _list_users)
    adding = _named(_leaf(user, "add", t("about.add_user"), _add_user), "name")
    _roled(adding, t, tuple(Role))
    adding.add_argument("--password-stdin", action="store_true", help=t("about.password_stdin"))
    _named(_leaf(user, "remove", t("about.remove_user"), _remove_user), "name")
    token = _thing(things, "token", t)
    _leaf(token, "list", t("about.list"), _list_tokens)
    making = _named(_leaf(token, "add", t("about.add_token"), _add_token), "name")
    _roled(making, t, (Role.OPERATOR, Role.SUPERVISOR))
    _named(_leaf(token, "remove", t("about.remove_token"), _remove_token), "name")
    partner = _thing(things, "partner", t)
    _leaf(partner, "list", t("about.list"), _list_partners)
    _named(_leaf(partner, "add", t("about.add_partner"), _add_partner), "name")
    _named(_leaf(partner, "remove", t("about.remove_partner"), _remove_partner), "name")
    _add_homes(things, t)


def _add_homes(things: Things, t: Texts) -> None:
    home = _thing(things, "home", t)
    _leaf(home, "list", t("about.list"), _list_homes)
    record = _named(_leaf(home, "set", t("about.set_home"), _set_home), "hub")
    record.add_argument(
        "--file", type=Path, required=True, metavar="RECORD.toml", help=t("about.file")
    )
    _named(_leaf(home, "remove", t("about.remove_home"), _remove_home), "hub")
    hub = _thing(things, "hub", t)
    _leaf(hub, "list", t("about.list"), _list_hubs)
    _named(_leaf(hub, "remove", t("about.remove_hub"), _remove_hub), "hub")
    striking = _named(_leaf(hub, "strike-off", t("about.strike_off"), _strike_off), "hub")
    reasons = [reason.value for reason in (Reason.STOLEN, Reason.RETURNED)]
    striking.add_argument("--reason", choices=reasons, required=True, help=t("about.reason"))


def run(args: argparse.Namespace) -> int:
    """Run the command: 0 done, 1 failed, 2 not understood. Raise `SettingsError` for a bad file."""
    command: Command = args.command_of_center
    try:
        return command(args, _texts())
    except WrongNameError as error:
        return _complain(str(error), NOT_UNDERSTOOD)
    except OSError as error:
        return _complain(f"{error.filename or args.config}: {error.strerror}", NOT_UNDERSTOOD)
    except StoreError as error:
        return _complain(str(error), FAILED)


def load(config: Path, noted: Noted = unnoted) -> tuple[Settings, str]:
    """Return the settings of a file and the database's URL; raise `SettingsError` or `OSError`."""
    text = text_of(config.read_bytes(), str(config), noted)
    settings = read(text, str(config), Settings)
    folder = config.resolve().parent
    database = database_url(settings.center, folder)
    if flaw := dialect.flaw(database):
        raise refuse(text, str(config), ("center", "database"), flaw)
    return rooted(settings, folder), database


def _serve(args: argparse.Namespace, t: Texts) -> int:
    settings, database = load(args.config, noted_by(args))
    for file in filter(None, _files(settings)):
        Path(file).read_bytes()  # OpenSSL would not name the file that it misses
    try:
        if settings.authority:
            app.registered(settings.authority)
    except ValueError as error:
        return _complain(t("said.authority", reason=error), NOT_UNDERSTOOD)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(app.serve(settings, database))
    return 0


def _files(settings: Settings) -> tuple[str, ...]:
    """Return the files of certificates and keys that the settings name; '' for none."""
    own, of_center = settings.authority, settings.center
    files = (of_center.certificate, of_center.key)
    return (*files, own.certificate, own.key, own.ca_certificate, own.ca_key) if own else files


def _list_users(args: argparse.Namespace, t: Texts) -> int:
    return _print(_accounts(_change(args, accounts.operators), t), t)


def _add_user(args: argparse.Namespace, t: Texts) -> int:
    name = _name(args.name, t)
    try:
        if args.password_stdin:
            password = sys.stdin.readline().rstrip("\n")
        else:
            password = getpass.getpass(t("said.password"))
    except UnicodeDecodeError:
        return _complain(t("said.password_unreadable"), NOT_UNDERSTOOD)
    if len(password) < PASSWORD_MIN:
        return _complain(t("said.password_short", least=PASSWORD_MIN), NOT_UNDERSTOOD)
    hashed = auth.hash_password(password)
    _change(args, lambda conn: accounts.put_operator(conn, time.time(), name, args.role, hashed))
    return 0


def _remove_user(args: argparse.Namespace, t: Texts) -> int:
    gone = _change(args, lambda conn: accounts.remove_operator(conn, time.time(), args.name))
    return _told(args.name, t, "said.no_user", gone=gone)


def _list_tokens(args: argparse.Namespace, t: Texts) -> int:
    return _print(_accounts(_change(args, accounts.tokens), t), t)


def _add_token(args: argparse.Namespace, t: Texts) -> int:
    name, token = _name(args.name, t), "anbu_" + secrets.token_urlsafe(32)
    hashed = auth.digest(token)
    _change(args, lambda conn: accounts.put_token(conn, time.time(), name, args.role, hashed))
    sys.stdout.write(token + "\n")
    return 0


def _remove_token(args: argparse.Namespace, t: Texts) -> int:
    gone = _change(args, lambda conn: accounts.remove_token(conn, time.time(), args.name))
    return _told(args.name, t, "said.no_token", gone=gone)


def _list_partners(args: argparse.Namespace, t: Texts) -> int:
    found = _change(args, partners.names)
    return _print(((name, times.in_full(utc)) for name, utc in found), t)


def _add_partner(args: argparse.Namespace, t: Texts) -> int:
    name, token = _name(args.name, t), "anbu_fhir_" + secrets.token_urlsafe(32)
    hashed = auth.digest(token)
    _change(args, lambda conn: partners.put(conn, time.time(), name, hashed))
    sys.stdout.write(token + "\n")
    return 0


def _remove_partner(args: argparse.Namespace, t: Texts) -> int:
    gone = _change(args, lambda conn: partners.remove(conn, time.time(), args.name))
    return _told(args.name, t, "said.no_partner", gone=gone)


def _list_homes(args: argparse.Namespace, t: Texts) -> int:
    return _print(
        ((hub, name, times.in_full(utc)) for hub, name, utc in _change(args, records.kept)), t
    )


def _set_home(args: argparse.Namespace, t: Texts) -> int:
    hub = _hub(args.hub, t)
    record = read(args.file.read_bytes(), str(args.file), Record, noted=noted_by(args))
    change = Entry(time.time(), Deed.RECORD_CHANGED, version=0)
    _change(args, lambda conn: homes.put(conn, hub, record, change))
    warning = _change(args, lambda conn: _standing(conn, hub))
    return _complain(t(warning, hub=hub), 0) if warning else 0


def _remove_home(args: argparse.Namespace, t: Texts) -> int:
    gone = _change(args, lambda conn: removal.remove_home(conn, time.time(), args.hub))
    return _told(args.hub, t, "said.no_home", gone=gone)


def _list_hubs(args: argparse.Namespace, t: Texts) -> int:
    known = _change(args, hubs.heard_and_removed)
    return _print(((hub, _seen(heard, removed, t)) for hub, heard, removed in known), t)


def _remove_hub(args: argparse.Namespace, t: Texts) -> int:
    found = _change(args, lambda conn: removal.remove_hub(conn, time.time(), args.hub))
    said = t(f"removed.{found}", name=args.hub)
    if found is not Removed.DONE:
        return _complain(said, FAILED)
    sys.stdout.write(said + "\n")
    return 0


def _strike_off(args: argparse.Namespace, t: Texts) -> int:
    hub, reason = _hub(args.hub, t), Reason(args.reason)
    done = _change(args, lambda conn: revocations.strike_off(conn, hub, time.time(), "", reason))
    if not done:
        return _complain(t("said.not_struck_off", name=hub), FAILED)
    sys.stdout.write(t("said.struck_off", name=hub) + "\n")
    return 0


def _standing(conn: Connection, hub: str) -> str | None:
    """Return the key of a warning where a home's hub was never heard, or is removed; else None."""
    found = hubs.known(conn, hub)
    if not found:
        return "said.never_heard"
    return None if found[0].removed_utc is None else "said.gone"


def _seen(heard_utc: float, removed_utc: float | None, t: Texts) -> str:
    key, utc = ("heard", heard_utc) if removed_utc is None else ("removed", removed_utc)
    return t(f"hub.{key}", time=times.in_full(utc))


def _accounts(found: Iterable[tuple[str, str, float]], t: Texts) -> Iterable[tuple[str, ...]]:
    return ((name, t.word("role", role), times.in_full(utc)) for name, role, utc in found)


def _change(args: argparse.Namespace, job: Callable[[Connection], T]) -> T:
    store = Store(load(args.config, noted_by(args))[1])
    try:
        return store.submit(job).result()
    finally:
        store.close()


def _thing(things: Things, name: str, t: Texts) -> Things:
    about = t(f"about.{name}")
    thing = things.add_parser(name, help=about, description=about)
    return thing.add_subparsers(required=True, metavar="COMMAND", help=t("about.action"))


def _leaf(things: Things, verb: str, about: str, command: Command) -> argparse.ArgumentParser:
    parser = things.add_parser(verb, help=about, description=about)
    about = _texts()("about.config")
    parser.add_argument(
        "--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help=about
    )
    parser.set_defaults(command_of_center=command)
    return parser


def _named(parser: argparse.ArgumentParser, what: str) -> argparse.ArgumentParser:
    parser.add_argument(what, metavar=what.upper(), help=_texts()(f"about.named_{what}"))
    return parser


def _roled(parser: argparse.ArgumentParser, t: Texts, allowed: Iterable[Role]) -> None:
    roles = [role.value for role in allowed]
    parser.add_argument("--role", choices=roles, default=Role.OPERATOR.value, help=t("about.role"))


def _name(text: str, t: Texts) -> str:
    name = composed(text.strip())
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise WrongNameError(t("said.name", most=NAME_MAX, name=ascii(text)))
    return name


def _hub(text: str, t: Texts) -> str:
    """Return a hub's id, or raise `WrongNameError` with the one that may have been meant."""
    if _is_hub(text):
        return text
    meant = text.strip().lower()
    hint = f" {t('said.meant', meant=meant)}" if _is_hub(meant) else ""
    raise WrongNameError(t("said.hub_id", name=ascii(text)) + hint)


def _is_hub(text: str) -> bool:
    try:
        return bool(msgspec.convert(text, Name)) and text != CENTER
    except msgspec.ValidationError:
        return False


def _texts() -> Texts:
    """Return the texts of the command line, in the shell's language."""
    return of_file("cli", usual_language())


def _print(rows: Iterable[tuple[str, ...]], t: Texts) -> int:
    lines = ["\t".join(row) for row in rows]
    sys.stdout.write("".join(f"{line}\n" for line in lines or [t("said.none")]))
    return 0


def _told(name: str, t: Texts, otherwise: str, *, gone: bool) -> int:
    if not gone:
        return _complain(t(otherwise, name=name), FAILED)
    sys.stdout.write(t("said.removed", name=name) + "\n")
    return 0


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(sentence + "\n")
    return code
