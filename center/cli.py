"""`anbu center`: run the control centre; add operators, tokens for programs, homes' records."""

import argparse
import asyncio
import getpass
import logging
import os
import secrets
import sys
import time
import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path

from center import accounts, app, auth, dialect
from center.auth import Role
from center.config import Settings, database_url, rooted
from center.dialect import StoreError
from center.homes import record_rows
from center.homes.record import Record
from center.incident import Deed, Entry
from center.store import Store
from hub.core.forms import composed
from hub.core.language import Language, chosen
from hub.core.settings import Noted, noted_by, read, refuse, text_of, unnoted

PASSWORD_MIN = 10
NAME_MAX = 64
DEFAULT = Path("center.toml")
FAILED = 1
NOT_UNDERSTOOD = 2

Command = Callable[[argparse.Namespace], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command: bare it runs the centre; `user`, `token` and `home` fill its lists."""
    about = _words()["about"]
    _config(parser, DEFAULT)
    parser.set_defaults(command_of_center=_serve)
    things = parser.add_subparsers(metavar="COMMAND", help=about["command"])
    user = _thing(things, "user")
    _addition(user, about["user_add"], _add_user).add_argument(
        "--password-stdin", action="store_true", help=about["password_stdin"]
    )
    _addition(_thing(things, "token"), about["token_add"], _add_token)
    home = _thing(things, "home")
    record = home.add_parser("set", help=about["home_set"], description=about["home_set"])
    record.add_argument("hub", type=_name, metavar="HUB", help=about["hub"])
    record.add_argument(
        "--file", type=Path, required=True, metavar="RECORD.toml", help=about["file"]
    )
    _config(record, argparse.SUPPRESS)
    record.set_defaults(command_of_center=_set_home)


def run(args: argparse.Namespace) -> int:
    """Run the command: 0 done, 1 failed, 2 not understood. Raise `SettingsError` for a bad file."""
    command: Command = args.command_of_center
    try:
        return command(args)
    except OSError as error:
        return _complain(f"{error.filename or args.config}: {error.strerror}", NOT_UNDERSTOOD)
    except StoreError as error:
        return _complain(str(error), FAILED)


def load(config: Path, noted: Noted = unnoted) -> tuple[Settings, str]:
    """Give the settings of a file and the database's URL; raise `SettingsError` or `OSError`."""
    text = text_of(config.read_bytes(), str(config), noted)
    settings = read(text, str(config), Settings)
    folder = config.resolve().parent
    database = database_url(settings.center, folder)
    if flaw := dialect.flaw(database):
        raise refuse(text, str(config), ("center", "database"), flaw)
    return rooted(settings, folder), database


def _serve(args: argparse.Namespace) -> int:
    settings, database = load(args.config, noted_by(args))
    for file in filter(None, (settings.center.certificate, settings.center.key)):
        Path(file).read_bytes()  # OpenSSL would not name the file that it misses
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(app.serve(settings, database))
    return 0


def _add_user(args: argparse.Namespace) -> int:
    said = _words()["say"]
    try:
        if args.password_stdin:
            password = sys.stdin.readline().rstrip("\n")
        else:
            password = getpass.getpass(said["password"])
    except UnicodeDecodeError:
        return _complain(said["password_unreadable"], NOT_UNDERSTOOD)
    if len(password) < PASSWORD_MIN:
        return _complain(said["password_short"].format(least=PASSWORD_MIN), NOT_UNDERSTOOD)
    hashed = auth.hash_password(password)
    _write(
        args,
        lambda store: store.submit(
            lambda conn: accounts.put_operator(conn, time.time(), args.name, args.role, hashed)
        ).result(),
    )
    return 0


def _add_token(args: argparse.Namespace) -> int:
    token = "anbu_" + secrets.token_urlsafe(32)
    _write(
        args,
        lambda store: store.submit(
            lambda conn: accounts.put_token(
                conn, time.time(), args.name, args.role, auth.digest(token)
            )
        ).result(),
    )
    sys.stdout.write(token + "\n")
    return 0


def _set_home(args: argparse.Namespace) -> int:
    record = read(args.file.read_bytes(), str(args.file), Record, noted=noted_by(args))
    change = Entry(time.time(), Deed.RECORD_CHANGED, version=0)
    _write(
        args,
        lambda store: store.submit(
            lambda conn: record_rows.put(conn, args.hub, record, change)
        ).result(),
    )
    return 0


def _write(args: argparse.Namespace, put: Callable[[Store], object]) -> None:
    store = Store(load(args.config, noted_by(args))[1])
    try:
        put(store)
    finally:
        store.close()


def _thing(
    things: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """Add a kind of thing that commands are about; give where its commands are added."""
    about = _words()["about"]
    thing = things.add_parser(name, help=about[name], description=about[name])
    return thing.add_subparsers(required=True, metavar="COMMAND", help=about["action"])


def _addition(
    things: "argparse._SubParsersAction[argparse.ArgumentParser]", about: str, command: Command
) -> argparse.ArgumentParser:
    parser = things.add_parser("add", help=about, description=about)
    said = _words()["about"]
    parser.add_argument("name", type=_name, metavar="NAME", help=said["name"])
    roles = [role.value for role in Role]
    parser.add_argument("--role", choices=roles, default=Role.OPERATOR.value, help=said["role"])
    _config(parser, argparse.SUPPRESS)
    parser.set_defaults(command_of_center=command)
    return parser


def _config(parser: argparse.ArgumentParser, default: object) -> None:
    about = _words()["about"]["config"]
    parser.add_argument("--config", type=Path, default=default, metavar="FILE", help=about)


def _name(text: str) -> str:
    name = composed(text.strip())
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise argparse.ArgumentTypeError(_words()["say"]["name_wrong"].format(most=NAME_MAX))
    return name


@cache
def _messages(language: Language) -> dict[str, dict[str, str]]:
    file = resources.files("center") / "messages" / f"cli.{language}.toml"
    return tomllib.loads(file.read_text("utf-8"))


def _words() -> dict[str, dict[str, str]]:
    """Give what is said at the shell, in its language."""
    return _messages(chosen(os.environ))


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(sentence + "\n")
    return code
