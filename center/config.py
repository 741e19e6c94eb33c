"""The centre's settings, from TOML. Every number has a default; paths are relative to the file."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from center.domain.incident import Patience
from center.domain.need import AGAIN_S, TEST_S
from center.domain.record import Phone
from center.store.dialect import AUDIT_KEPT_S
from hub.contract.addresses import Flaw, FlawError
from hub.contract.forms import Broker, FilePath, Form, of

YEAR_S = 366 * 86400.0
Seconds = Annotated[float, Meta(gt=0, le=10 * 365 * 86_400.0)]  # ten years
Dialling = Annotated[float, Meta(gt=0, le=600)]
Kept = Annotated[int, Meta(ge=0, lt=2**32)]  # seconds: MQTT 5 has 32 bits for it


class Center(Struct, frozen=True, forbid_unknown_fields=True):
    """`listen` is host:port; `database` a file, or a SQLAlchemy URL."""

    listen: Annotated[str, of(Form.LISTEN)] = "127.0.0.1:8080"
    database: FilePath = "anbu-center.db"
    certificate: FilePath = ""  # TLS of the console; without it, loopback or a proxy in front
    key: FilePath = ""
    phone: Phone = ""  # of the centre, for residents: it is printed on their sheet
    behind_tls: bool = False  # a proxy in front speaks TLS: cookies then stay on TLS
    take_expires_s: Seconds = 600.0
    present_expires_s: Seconds = 4 * 3600.0  # without an act nobody is on site any more
    answer_s: Seconds = 60.0  # for the holder of a call that came again; then it rings everybody
    fresh_act_s: Seconds = 180.0  # a holder who did nothing for longer is not waited for
    session_s: Seconds = 12 * 3600.0  # a long shift
    beat_s: Seconds = 5.0  # how often the feed says that it lives
    telemetry_keep_s: Seconds = 30 * 86400.0  # `service.retention` has the reason of each table
    telemetry_keep_rows: Annotated[int, Meta(ge=1)] = 1_000_000
    replies_keep_s: Seconds = 30 * 86400.0
    incidents_keep_s: Seconds = 3 * YEAR_S
    audit_keep_s: Annotated[float, Meta(ge=AUDIT_KEPT_S)] = 5 * YEAR_S
    lost_task_s: Seconds = 300.0  # a Pi that restarts for an update is back within three minutes
    trigger_task_s: Seconds = 60.0  # a driver that stumbles is back within seconds
    device_task_s: Seconds = 86400.0  # the resident airs the room, a battery is changed: no task
    task_again_s: Seconds = AGAIN_S
    press_task_s: Seconds = 30 * 86400.0  # alarm makers ask for a test press once a month
    press_tasks_a_day: Annotated[int, Meta(ge=0)] = 20  # calls that one operator can make besides
    test_press_s: Annotated[float, Meta(ge=60, le=3600)] = TEST_S
    days_keep_s: Seconds = 400 * 86400.0  # activity, check-ins, tasks that were dealt with
    max_body_bytes: Annotated[int, Meta(ge=1024)] = 64 * 1024

    def __post_init__(self) -> None:
        """Refuse a key without its certificate: the server could not start."""
        if self.key and not self.certificate:
            raise FlawError(Flaw.KEY_ALONE)

    @property
    def patience(self) -> Patience:
        """How long the holder of an incident counts as looking after it without an act."""
        return Patience(
            self.take_expires_s, self.present_expires_s, self.answer_s, self.fresh_act_s
        )


class Mqtt(Struct, frozen=True, forbid_unknown_fields=True):
    """`brokers` are tried in turn, as tls://host:port or, for tests, tcp://host:port."""

    brokers: Annotated[tuple[Broker, ...], Meta(min_length=1)] = ("tls://127.0.0.1:8883",)
    ca: FilePath = ""
    cert: FilePath = ""
    key: FilePath = ""
    protocol: Literal["5", "3.1.1"] = "5"  # 3.1.1 for a county's old broker
    client_id: Annotated[str, Meta(min_length=1, max_length=64)] = "center"  # as the certificate
    keepalive_s: Annotated[int, Meta(ge=1, le=600)] = 2  # a half-open link shows in 2 x this
    session_s: Kept = 7 * 86400  # the broker keeps messages for us for so long
    connect_s: Dialling = 3.0
    ack_s: Dialling = 4.0  # a PUBACK later than this means that the link is dead
    look_s: Dialling = 15.0  # another centre that is alive connects again well before
    aside_s: Seconds = 60.0  # between looks while another centre has the hubs; each costs it 1 s
    back_off_s: Dialling = 2.0  # the longest pause between tries, 64 s at most; it is random


class Authority(Struct, frozen=True, forbid_unknown_fields=True):
    """The port at which hubs get and renew their certificates (EST, RFC 7030)."""

    certificate: FilePath  # of this port's TLS; hubs know who has signed it
    key: FilePath
    ca_certificate: FilePath  # of the authority that signs hubs; may be a chain, its own one first
    ca_key: FilePath
    listen: Annotated[str, of(Form.LISTEN)] = "127.0.0.1:8444"
    broker_dir: FilePath = ""  # where the broker's helper looks for hubs that are struck off
    days: Annotated[int, Meta(ge=2, le=398)] = 90  # of a certificate; renewed at a third of it
    late_days: Annotated[int, Meta(ge=0, le=3650)] = 90  # an ended one may still be renewed so long
    waiting_s: Annotated[float, Meta(ge=60, le=86400)] = (
        900.0  # for an installer to type the digits
    )
    waiting_most: Annotated[int, Meta(ge=1, le=100_000)] = 5000  # requests, from everywhere
    waiting_of_network: Annotated[int, Meta(ge=1, le=100_000)] = 50  # an office that prepares hubs


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the centre."""

    center: Center = field(default_factory=Center)
    mqtt: Mqtt = field(default_factory=Mqtt)
    authority: Authority | None = None


def rooted(settings: Settings, folder: Path) -> Settings:
    """Return the settings with relative paths below `folder`, that of the settings file."""

    def path(name: str) -> str:
        return str(folder / name) if name else ""

    center, mqtt, est = settings.center, settings.mqtt, settings.authority
    return Settings(
        replace(center, certificate=path(center.certificate), key=path(center.key)),
        replace(mqtt, ca=path(mqtt.ca), cert=path(mqtt.cert), key=path(mqtt.key)),
        est
        and replace(
            est,
            certificate=path(est.certificate),
            key=path(est.key),
            ca_certificate=path(est.ca_certificate),
            ca_key=path(est.ca_key),
            broker_dir=path(est.broker_dir),
        ),
    )


def database_url(center: Center, folder: Path) -> str:
    """Return the database's URL: a bare file name is SQLite beside the settings file."""
    if "://" in center.database:
        return center.database
    return f"sqlite:///{folder / center.database}"
