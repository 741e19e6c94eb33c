"""Is the centre behind this network? Real TLS servers and portals; each trouble is told apart."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.contract.provision import NetworkTrouble
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning.certs import dev
from provisioning.certs.authority import Pair, authority, issue
from provisioning.network import checks
from provisioning.network.checks import Center, Way, check
from tests.broker import certs, free_port

NAME = "localhost"
DAY = timedelta(days=1)
Told = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(body: bytes = b"", head: str = "200 OK", more: str = "") -> Told:
    """A server that answers each request so."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            words = f"HTTP/1.1 {head}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
            writer.write(words.encode() + body)
            await writer.drain()
        except (OSError, EOFError):
            pass  # whoever asked does not like our certificate
        finally:
            writer.close()

    return met


def clock(ahead_s: float = 0.0) -> Told:
    """A centre whose clock is behind ours by so much."""
    return answering(f'{{"utc": {time.time() - ahead_s}}}'.encode())


@asynccontextmanager
async def served(told: Told, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(told, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def tls_of(folder: Path, pair: Pair) -> ssl.SSLContext:
    """What a server with this certificate speaks."""
    dev.write(folder, "server", pair)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context


def right() -> Pair:
    parent = dev.read(certs(), "ca")
    assert parent
    return parent


def found(
    folder: Path, pair: Pair | None, told: Told, portal: Told | None = None, host: str = NAME
) -> Way:
    """What a check finds of a centre with this certificate; `portal`: what answers on port 80."""

    async def story() -> Way:
        tls = tls_of(folder, pair) if pair else None
        async with served(told, tls) as port, served(portal or answering(head="404 No")) as http:
            return await check(Center(host, port, f"{certs()}/ca.crt"), http)

    return asyncio.run(story())


def test_the_right_centre_is_found_and_tells_its_time(tmp_path: Path) -> None:
    way = found(tmp_path, issue(right(), "center", hosts=(NAME,)), clock(90.0))
    assert way.trouble is None
    assert way.ahead_s == pytest.approx(90.0, abs=5.0)


def test_an_authority_of_another_maker_tells_its_time_by_its_date(tmp_path: Path) -> None:
    date = datetime.now(UTC) - timedelta(seconds=60)
    more = f"Date: {date:%a, %d %b %Y %H:%M:%S} GMT\r\n"
    certificate = issue(right(), "center", hosts=(NAME,))
    way = found(tmp_path, certificate, answering(b"nothing here", "404 No", more))
    assert way.trouble is None
    assert way.ahead_s == pytest.approx(60.0, abs=5.0)
    silent = found(tmp_path, certificate, answering(b"?", "404 No"))
    assert silent == Way(None, None)


def test_another_centre_is_told_by_its_authority_and_by_its_name(tmp_path: Path) -> None:
    for wrong in (
        issue(authority(), "center", hosts=(NAME,)),
        issue(right(), "center", hosts=("elsewhere.example",)),
    ):
        assert found(tmp_path, wrong, clock()).trouble is NetworkTrouble.WRONG_CENTER


def test_a_certificate_that_lapsed_is_the_centres_fault_where_our_clock_is_right(
    tmp_path: Path,
) -> None:
    now = datetime.now(UTC)
    lapsed = issue(right(), "center", hosts=(NAME,), begins=now - 9 * DAY, ends=now - DAY)
    assert found(tmp_path, lapsed, clock()).trouble is NetworkTrouble.WRONG_CENTER


@pytest.mark.parametrize("days", [400, -400])
def test_a_clock_that_is_off_is_told_with_how_far(tmp_path: Path, days: int) -> None:
    """To a clock of 1970 the certificate is not valid yet; to one of the future it has lapsed."""
    there = datetime.now(UTC) - days * DAY
    certificate = issue(
        right(), "center", hosts=(NAME,), begins=there - 9 * DAY, ends=there + 9 * DAY
    )
    way = found(tmp_path, certificate, clock(days * DAY.total_seconds()))
    assert way.trouble is NetworkTrouble.NO_TIME
    assert way.ahead_s == pytest.approx(days * DAY.total_seconds(), abs=5.0)


def test_a_stranger_cannot_set_our_clock_right(tmp_path: Path) -> None:
    """Where only the dates are left aside, the authority still has to be ours."""
    there = datetime.now(UTC) - 400 * DAY
    certificate = issue(
        authority(), "center", hosts=(NAME,), begins=there - 9 * DAY, ends=there + 9 * DAY
    )
    way = found(tmp_path, certificate, clock(400 * DAY.total_seconds()))
    assert way == Way(NetworkTrouble.WRONG_CENTER)


def test_what_speaks_no_tls_is_another_machine(tmp_path: Path) -> None:

    async def mail(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        writer.close()

    assert found(tmp_path, None, mail).trouble is NetworkTrouble.WRONG_CENTER


@pytest.mark.parametrize(
    "portal",
    [
        answering(head="302 Found", more="Location: http://login.example/\r\n"),
        answering(b"<h1>please sign in</h1>"),
        answering(head="511 Network Authentication Required"),
    ],
)
def test_a_portal_is_told_by_its_answer_for_any_address(tmp_path: Path, portal: Told) -> None:
    stranger = issue(authority(), "login", hosts=("login.example",))
    way = found(tmp_path, stranger, answering(), portal)
    assert way.trouble is NetworkTrouble.CAPTIVE_PORTAL


@pytest.mark.parametrize(
    "own",
    [
        answering(head="301 Moved", more=f"Location: https://{NAME}/\r\n"),
        answering(head="404 Not Found"),
        answering(head="nonsense"),
    ],
)
def test_a_web_server_of_the_centres_own_is_no_portal(tmp_path: Path, own: Told) -> None:
    stranger = issue(authority(), "center", hosts=(NAME,))
    assert found(tmp_path, stranger, answering(), own).trouble is NetworkTrouble.WRONG_CENTER


def test_a_portal_that_lets_no_tls_through_is_told_too() -> None:
    async def story() -> Way:
        async with served(answering(b"sign in")) as http:
            return await check(Center("127.0.0.1", free_port(), f"{certs()}/ca.crt"), http)

    assert asyncio.run(story()).trouble is NetworkTrouble.CAPTIVE_PORTAL


def test_a_centre_that_is_off_or_silent_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "STEP_S", 0.3)

    async def story() -> Way:
        return await check(Center("127.0.0.1", free_port(), f"{certs()}/ca.crt"), free_port())

    assert asyncio.run(story()).trouble is NetworkTrouble.CENTER_UNREACHABLE
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        center = Center("127.0.0.1", deaf.getsockname()[1], f"{certs()}/ca.crt")
        way = asyncio.run(check(center, free_port()))
    assert way.trouble is NetworkTrouble.CENTER_UNREACHABLE


def test_an_answer_that_has_no_end_is_no_centre_and_ends_the_check(tmp_path: Path) -> None:
    """The check raised; the network waited for its end, and no way was ever checked again."""
    endless = answering(more=f"X: {'x' * 2 * checks.ANSWER_BYTES}\r\n")
    way = found(tmp_path, issue(right(), "center", hosts=(NAME,)), endless)
    assert way.trouble is NetworkTrouble.CENTER_UNREACHABLE


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (socket.EAI_AGAIN, NetworkTrouble.NO_DNS),
        (socket.EAI_FAIL, NetworkTrouble.NO_DNS),
        (socket.EAI_NONAME, NetworkTrouble.WRONG_CENTER),
    ],
)
def test_no_dns_is_told_from_a_name_that_there_is_not(
    monkeypatch: pytest.MonkeyPatch, code: int, why: NetworkTrouble
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    way = asyncio.run(check(Center("center.example", 1, f"{certs()}/ca.crt"), 1))
    assert way.trouble is why


def test_without_the_countys_certificate_no_centre_is_trusted(tmp_path: Path) -> None:
    way = asyncio.run(check(Center("127.0.0.1", free_port(), f"{tmp_path}/ca.crt"), free_port()))
    assert way.trouble is NetworkTrouble.WRONG_CENTER


def test_an_address_names_host_and_port() -> None:
    assert Center.at("https://center.example:8444", "ca") == Center("center.example", 8444, "ca")
    assert Center.at("https://center.example", "ca").port == 443


@pytest.mark.parametrize("language", Language)
def test_each_trouble_has_a_sentence_that_says_what_to_do(language: Language) -> None:
    words = messages("provisioning", language, "network")["result"]
    said = {str(one): words[one] for one in NetworkTrouble}
    assert len(set(said.values())) == len(said)
    assert all(text.endswith(".") and text.count(".") > 1 for text in said.values())
