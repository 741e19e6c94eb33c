"""The page of the virtual house: its HTTP routes, and a person who uses it in a real browser."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from drivers.virtual.web import PAGE, application
from hub.core.model.effects import Show, Signal
from hub.shared.language import Language
from hub.shared.messages import messages
from tests.drivers.home import living, served

pytestmark = pytest.mark.usefixtures("pins")


def visitor(path: Path, host: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=application(str(path)))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


async def touch(path: Path, body: bytes, kind: str = "application/json") -> tuple[int, Any]:
    async with visitor(path) as browser:
        told = await browser.post("/touch", content=body, headers={"Content-Type": kind})
        return told.status_code, told.json()


def test_a_touch_moves_the_contact(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert (await touch(home.path, b'{"do":"press","what":"help"}'))[0] == 200
            assert (await touch(home.path, b'{"do":"press","what":"help"}'))[0] == 409
            assert (await touch(home.path, b'{"do":"release","what":"help"}'))[0] == 200
            assert home.contacts["help"].closed() == [False, True, False]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"do":"watch"}', "application/json", 400),
        (b'{"do":"press"}', "application/json", 400),
        (b"[" * 3000, "application/json", 400),
        (b"x" * 5000, "application/json", 413),
        (b'{"do":"press","what":"help"}', "text/plain", 415),
        (b"do=press", "application/x-www-form-urlencoded", 415),
        (b'{"do":"press","what":"door"}', "application/json", 409),
    ],
)
def test_a_browser_that_sends_nonsense_hears_a_plain_sentence(
    tmp_path: Path, body: bytes, kind: str, status: int
) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            code, told = await touch(home.path, body, kind)
            assert code == status
            assert not told["ok"]
            assert told["detail"]
            assert home.contacts["help"].closed() == [False]

    asyncio.run(story())


def test_without_a_house_a_touch_says_so(tmp_path: Path) -> None:
    code, told = asyncio.run(touch(tmp_path / "none", b'{"do":"press","what":"help"}'))
    assert (code, told["error"]) == (503, "no_house")


def test_a_foreign_name_gets_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with visitor(tmp_path, "evil.example") as browser:
            assert (await browser.get("/")).status_code == 400
        async with visitor(tmp_path) as browser:
            index = await browser.get("/")
            assert "default-src 'self'" in index.headers["content-security-policy"]
            assert (await browser.get("/page/../house.py")).status_code == 404
            assert set((await browser.get("/words.json")).json()) == {"ko", "en"}

    asyncio.run(story())


def test_every_text_of_the_page_is_in_the_message_files() -> None:
    html = (PAGE / "house.html").read_text(encoding="utf-8")
    script = (PAGE / "house.js").read_text(encoding="utf-8")
    wanted = set(re.findall(r'data-(?:t|label)="(\w+)"', html))
    wanted |= set(re.findall(r't\("page", "(\w+)"\)', script))
    assert wanted <= set(messages("drivers.virtual", Language.KOREAN)["page"])
    assert not re.findall(r"https?://(?!www\.w3\.org)", html + script)


def test_the_stream_is_the_houses_own_words(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home, served(home.path) as url:
            home.tell(Show(Signal.RAISED))
            async with (
                httpx.AsyncClient() as browser,
                browser.stream("GET", httpx.URL(url).join("/events")) as stream,
            ):
                async for line in stream.aiter_lines():
                    told = json.loads(line.removeprefix("data: ")) if line else {}
                    if told.get("signal") == "raised" and told["lamps"]["red"]["on"]:
                        break

    asyncio.run(story())
