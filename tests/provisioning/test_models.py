"""`anbu models`: errors of a server are noticed, and no wrong file is installed."""

import errno
import hashlib
import io
import json
import os
import ssl
import subprocess
import sys
import threading
import zipfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hub.__main__ import main
from hub.shared.findings import Finding
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning import findings
from provisioning.models import catalog as models_catalog
from provisioning.models import command
from provisioning.models.catalog import Archive, Catalog, File, Model
from provisioning.models.download import Timeouts, Why
from provisioning.models.install import Installer, Progress
from tests.broker import certs
from tests.layout import REPO

BIG = bytes(range(256)) * 400  # 102,400 bytes
HURRIED = Timeouts(
    connect_s=2.0, silence_s=0.3, window_s=0.2, least_bytes_s=1000.0, retries=2, pause_s=0.0
)
Answer = Callable[["Visit"], None]


class Visit(BaseHTTPRequestHandler):
    """One request. The server holds the answers."""

    server: "ModelServer"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range", "")))
        answers = self.server.answers.get(self.path, [refuses(404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(self)

    def begin(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write no log."""


class ModelServer(ThreadingHTTPServer):
    """A server with a list of answers for each path; the last one is given again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, str]] = []
        self.over = threading.Event()

    def handle_error(self, *_: object) -> None:
        """Print nothing: the tests make clients disconnect and refuse our certificate."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def gives(data: bytes, *, breaks_after: int | None = None, resumes: bool = True) -> Answer:
    def answer(visit: Visit) -> None:
        span = visit.headers.get("Range", "")
        begin = int(span.removeprefix("bytes=").rstrip("-")) if span and resumes else 0
        if begin and begin >= len(data):
            visit.begin(416, 0)
            return
        kind = {"Content_Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"} if begin else {}
        visit.begin(206 if begin else 200, len(data) - begin, **kind)
        visit.wfile.write(data[begin:] if breaks_after is None else data[begin:][:breaks_after])

    return answer


def refuses(status: int) -> Answer:
    return lambda visit: visit.begin(status, 0)


def sends_to(url: str) -> Answer:
    return lambda visit: visit.begin(302, 0, Location=url)


def drips(data: bytes) -> Answer:
    def answer(visit: Visit) -> None:
        visit.begin(200, len(data))
        for byte in data:
            if visit.server.over.wait(0.02):
                return
            try:
                visit.wfile.write(bytes([byte]))
            except OSError:
                return  # the other side has had enough

    return answer


def falls_silent(visit: Visit) -> None:
    visit.begin(200, len(BIG))
    visit.server.over.wait(10)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file(name: str, data: bytes) -> File:
    return File(name, len(data), sha256(data))


def one(data: bytes = BIG) -> Catalog:
    return {"ears": Model((file("deep/model.bin", data),))}


def zipped(data: bytes, inside: str = "made-0.22/") -> Catalog:
    packed = Archive("https://models.example/made.zip", len(data), sha256(data), inside)
    return {"ears": Model((file("am/final.mdl", BIG), file("c.conf", b"c")), archive=packed)}


def pack(**more: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"am/final.mdl": BIG, "c.conf": b"c", "README": b"r", **more}.items():
            archive.writestr(name if name.startswith("../") else f"made-0.22/{name}", data)
    return written.getvalue()


def bring(catalog: Catalog, folder: Path, mirror: str) -> list[Finding]:
    with closing(Installer(folder, mirror, Progress(io.StringIO()), HURRIED)) as installer:
        found = [installer.install(name, model) for name, model in catalog.items()]
    assert all(findings.tell(finding) for finding in found)  # each has its sentences
    return found


def codes(catalog: Catalog, folder: Path, server: ModelServer) -> list[str]:
    return [finding.code for finding in bring(catalog, folder, server.url)]


def lying(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_whole_file_is_put_in_its_place(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [gives(BIG)]
    assert codes(one(), tmp_path, server) == ["fetched"]
    assert (tmp_path / "ears/deep/model.bin").read_bytes() == BIG
    assert lying(tmp_path) == ["ears/deep/model.bin"]


def test_what_is_there_already_is_not_fetched(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [gives(BIG)]
    assert codes(one(), tmp_path, server) == ["fetched"]
    assert codes(one(), tmp_path, server) == ["good"]
    assert len(server.asked) == 1


def test_a_damaged_file_is_fetched_again(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [gives(BIG)]
    codes(one(), tmp_path, server)
    (tmp_path / "ears/deep/model.bin").write_bytes(BIG[:-1] + b"x")
    assert models_catalog.examine("ears", one()["ears"], tmp_path).code == "damaged"
    assert codes(one(), tmp_path, server) == ["fetched"]
    assert (tmp_path / "ears/deep/model.bin").read_bytes() == BIG


def test_a_download_goes_on_where_it_broke_off(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [gives(BIG, breaks_after=70_000), gives(BIG)]
    assert codes(one(), tmp_path, server) == ["fetched"]
    assert [span for _, span in server.asked] == ["", "bytes=70000-"]
    assert (tmp_path / "ears/deep/model.bin").read_bytes() == BIG


def test_a_download_goes_on_after_the_program_was_ended(
    server: ModelServer, tmp_path: Path
) -> None:
    part = tmp_path / "ears/deep/model.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(BIG[:1000])
    server.answers["/ears/deep/model.bin"] = [gives(BIG)]
    assert codes(one(), tmp_path, server) == ["fetched"]
    assert server.asked == [("/ears/deep/model.bin", "bytes=1000-")]
    assert lying(tmp_path) == ["ears/deep/model.bin"]


def test_a_server_that_cannot_resume_begins_anew(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [
        gives(BIG, breaks_after=70_000),
        gives(BIG, resumes=False),
    ]
    assert codes(one(), tmp_path, server) == ["fetched"]
    assert len(server.asked) == 2


def test_a_part_of_something_else_is_thrown_away_once(server: ModelServer, tmp_path: Path) -> None:
    part = tmp_path / "ears/deep/model.bin.part"
    part.parent.mkdir(parents=True)
    server.answers["/ears/deep/model.bin"] = [gives(BIG)]
    for foreign in (b"foreign", b"f" * len(BIG), b"f" * (len(BIG) + 1)):
        part.write_bytes(foreign)
        assert codes(one(), tmp_path, server) == ["fetched"]
        (tmp_path / "ears/deep/model.bin").unlink()


def test_a_wrong_hash_deletes_and_names_the_file(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [gives(BIG[:-1] + b"x")]
    (finding,) = bring(one(), tmp_path, server.url)
    assert (finding.code, finding.values["file"]) == (Why.WRONG_HASH, "deep/model.bin")
    assert lying(tmp_path) == []
    assert len(server.asked) == 1  # the same bytes would come again


def test_a_file_that_is_cut_short_is_no_file(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [gives(BIG[:5000])]
    assert codes(one(), tmp_path, server) == [Why.CUT_OFF]
    assert lying(tmp_path) == ["ears/deep/model.bin.part"]


def test_a_file_without_end_is_not_read_to_its_end(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [gives(BIG * 50)]
    assert codes(one(), tmp_path, server) == [Why.TOO_LONG]
    assert (tmp_path / "ears/deep/model.bin.part").stat().st_size == 0


@pytest.mark.parametrize(
    ("status", "asked"), [(404, 1), (403, 1), (500, 3), (503, 3), (429, 3), (206, 1)]
)
def test_a_refusal_is_told_and_retried_only_where_that_may_help(
    server: ModelServer, tmp_path: Path, status: int, asked: int
) -> None:
    server.answers["/ears/deep/model.bin"] = [refuses(status)]
    (finding,) = bring(one(), tmp_path, server.url)
    assert (finding.code, finding.values["status"]) == (Why.REFUSED, str(status))
    assert len(server.asked) == asked


def test_a_server_that_recovers_is_forgiven(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [refuses(503), falls_silent, gives(BIG)]
    assert codes(one(), tmp_path, server) == ["fetched"]


def test_an_answer_that_skips_some_is_not_taken(server: ModelServer, tmp_path: Path) -> None:
    def skips(visit: Visit) -> None:
        visit.begin(206, 10, Content_Range=f"bytes {len(BIG) - 10}-{len(BIG) - 1}/{len(BIG)}")
        visit.wfile.write(BIG[-10:])

    server.answers["/ears/deep/model.bin"] = [gives(BIG, breaks_after=70_000), skips]
    (finding,) = bring(one(), tmp_path, server.url)
    assert (finding.code, finding.values["status"]) == (Why.REFUSED, "206")


def test_a_slow_drip_is_no_download(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [drips(BIG)]
    assert codes(one(), tmp_path, server) == [Why.SLOW]
    assert len(server.asked) == 3


def test_a_silent_server_is_told(server: ModelServer, tmp_path: Path) -> None:
    server.answers["/ears/deep/model.bin"] = [falls_silent]
    assert codes(one(), tmp_path, server) == [Why.BROKEN]


def test_nobody_at_home_is_told(server: ModelServer, tmp_path: Path) -> None:
    with ModelServer() as gone:
        pass
    assert codes(one(), tmp_path, gone) == [Why.UNREACHABLE]
    assert server.asked == []


def test_a_redirect_is_followed_but_never_to_plain_http_elsewhere(
    server: ModelServer, tmp_path: Path
) -> None:
    server.answers["/ears/deep/model.bin"] = [sends_to("/store?signed=1")]
    server.answers["/store?signed=1"] = [gives(BIG)]
    assert codes(one(), tmp_path / "a", server) == ["fetched"]
    server.answers["/store?signed=1"] = [sends_to("http://models.example/x")]
    (finding,) = bring(one(), tmp_path / "b", server.url)
    assert (finding.code, finding.values["url"]) == (Why.INSECURE, "http://models.example/x")
    server.answers["/store?signed=1"] = [sends_to("/store?signed=1")]
    assert codes(one(), tmp_path / "c", server) == [Why.REFUSED]


@pytest.fixture
def safe(server: ModelServer) -> ModelServer:
    """A server that speaks TLS with a certificate of the tests' own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs() / "broker.crt", certs() / "broker.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def test_a_certificate_is_always_verified(
    safe: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = safe.url.replace("http:", "https:")
    safe.answers["/ears/deep/model.bin"] = [gives(BIG)]
    assert [found.code for found in bring(one(), tmp_path, address)] == [Why.TLS]
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certs() / "ca.crt"))
    assert [found.code for found in bring(one(), tmp_path / "a", address)] == ["fetched"]
    safe.answers["/ears/deep/model.bin"] = [sends_to("http://127.0.0.1:1/x")]
    assert [found.code for found in bring(one(), tmp_path / "b", address)] == [Why.INSECURE]


def test_only_the_known_files_of_an_archive_are_unpacked(
    server: ModelServer, tmp_path: Path
) -> None:
    packed = pack()
    server.answers["/ears/made.zip"] = [gives(packed, breaks_after=100), gives(packed)]
    assert codes(zipped(packed), tmp_path, server) == ["fetched"]
    assert lying(tmp_path) == ["ears/am/final.mdl", "ears/c.conf"]
    assert models_catalog.examine("ears", zipped(packed)["ears"], tmp_path).code == "good"


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (pack(**{"../../evil": b"e"}), Why.UNSAFE),
        (pack(**{"c.conf": b"changed"}), Why.WRONG_HASH),
        (pack(**{"c.conf": b""}), Why.WRONG_HASH),
        (pack().replace(b"c.conf", b"d.conf"), Why.NOT_INSIDE),
        (b"no archive at all", Why.BAD_ARCHIVE),
    ],
)
def test_an_archive_that_is_not_right_leaves_nothing_wrong_behind(
    server: ModelServer, tmp_path: Path, packed: bytes, why: Why
) -> None:
    server.answers["/ears/made.zip"] = [gives(packed)]
    assert codes(zipped(packed), tmp_path / "in" / "side", server) == [why]
    assert set(lying(tmp_path)) <= {"in/side/ears/am/final.mdl"}


def test_a_full_disk_is_seen_before_anything_is_fetched(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(tmp_path)
    scarce = os.statvfs_result([*real[:3], 5, 5, *real[5:]])
    monkeypatch.setattr(os, "statvfs", lambda _: scarce)
    assert codes(one() | zipped(pack()), tmp_path / "not" / "yet", server) == [Why.FULL]
    assert server.asked == []


@pytest.mark.parametrize(("number", "why"), [(errno.ENOSPC, Why.FULL), (errno.EIO, Why.UNWRITABLE)])
def test_a_disk_that_fails_meanwhile_is_told(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, why: Why
) -> None:
    def fails(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    server.answers["/ears/deep/model.bin"] = [gives(BIG)]
    assert codes(one(), tmp_path, server) == [why]
    assert lying(tmp_path) == ["ears/deep/model.bin.part"]


def test_a_folder_that_is_a_file_is_told(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "ears").write_text("a file", encoding="utf-8")
    assert codes(one(), tmp_path, server) == [Why.UNWRITABLE]


def called(catalog: Catalog, *words_: str) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words_), catalog)


def test_a_program_gets_json_and_an_exit_code(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--dir", str(tmp_path), "--json")
    assert called(one(), "check", *where) == 1
    assert json.loads(capsys.readouterr().out)[0]["code"] == "missing"
    server.answers["/ears/deep/model.bin"] = [gives(BIG)]
    assert called(one(), "fetch", "ears", "--from", server.url, *where) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)[0]["code"] == "fetched"
    assert "ears/deep/model.bin 받는 중" in said.err
    assert called(one(), "check", *where) == 0


def test_a_person_reads_one_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    optional = {"mouth": Model((file("model.onnx", BIG),), needed=False)}
    assert called(one() | optional, "check", "--dir", str(tmp_path)) == 1
    said = capsys.readouterr().out
    assert "✗ 음성 모델 ears: 파일이 없습니다" in said
    assert "Voice model" not in said
    assert "· 음성 모델 mouth: 없습니다" in said
    monkeypatch.setenv("ANBU_LANG", "en")
    assert called(optional, "check", "--dir", str(tmp_path)) == 0
    assert "· Voice model mouth: not there" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [
        ("fetch", "--from", "http://models.example/"),
        ("fetch", "--from", "ftp://127.0.0.1/"),
        ("fetch", "--from", "nonsense"),
        ("check", "mind"),
    ],
)
def test_what_is_not_understood_leaves_with_two(
    wrong: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(one(), *wrong, "--dir", str(tmp_path)) == 2
    assert capsys.readouterr().err
    assert lying(tmp_path) == []


def test_a_terminal_is_told_how_far_it_is() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    with Progress(screen).of("ears/model.bin", 2_000_000) as watch:
        watch(1_000_000)
        watch(2_000_000)
    assert "\r  100%  2.0MB" in screen.getvalue()


def test_the_shipped_addresses_are_safe_and_every_model_has_its_files() -> None:
    catalog = models_catalog.shipped()
    assert set(catalog) == {"whisper", "vosk", "kokoro"}
    for model in catalog.values():
        assert model.files
        base = model.archive.url if model.archive else model.folder
        assert all((file.url or base).startswith("https://") for file in model.files)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", ""])
def test_a_table_cannot_name_a_file_outside(name: str) -> None:
    table = f'[[ears]]\nname = "{name}"\nsize = 1\nsha256 = "{"0" * 64}"\n'
    with pytest.raises(ValueError, match="name"):
        models_catalog.join(table, "[ears]\n")


def test_the_command_is_known_to_anbu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "check", "whisper", "--dir", str(tmp_path)]) == 1
    assert "whisper" in capsys.readouterr().out


def test_both_languages_have_the_same_words_for_it() -> None:
    korean, english = (set(messages("provisioning", language)["models"]) for language in Language)
    assert korean == english
    assert {f"model_{why}" for why in Why} <= set(
        messages("provisioning", Language.KOREAN)["doctor"]
    )


def test_who_only_checks_models_loads_no_http_library(tmp_path: Path) -> None:
    """`anbu models check` needs no network."""
    check = f"main(['models', 'check', '--dir', {str(tmp_path)!r}])"
    look = f"import sys; from hub.__main__ import main; {check}; "
    words_ = [sys.executable, "-c", f"{look} sys.exit(2 * ('requests' in sys.modules))"]
    assert subprocess.run(words_, cwd=REPO, capture_output=True, check=False).returncode == 0
