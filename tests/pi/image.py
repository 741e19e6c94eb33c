"""The virtual Pi's base images: a Debian with systemd, a 54-line GPIO chip, an agent; no hub yet.

Three stages, each cached: root file system -> GPIO module -> kernel, initramfs and ext4 image.
`BOOKWORM` is small. `TRIXIE` has what Raspberry Pi OS Lite has of Debian's packages, so that what
listens there listens on a real one, too.
"""

import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.pi.stages import (
    GUEST,
    GUEST_13,
    BuildError,
    cache_folder,
    download,
    key_of,
    need_packages,
    run,
    stage,
)

BASIC = (
    "systemd,systemd-sysv,dbus,udev,kmod,initramfs-tools,linux-base,busybox-static,zstd,"
    "iproute2,procps,python3,python3-venv,ca-certificates,libsystemd0,bluez"
)


@dataclass(frozen=True)
class Release:
    """A Debian to make an image of: its kernel's series, and its packages besides `BASIC`.

    `overlay` has files of the guest by their paths, laid over those of `guest/`.
    """

    suite: str
    kernel: str
    packages: tuple[str, ...]
    size: str
    overlay: Path | None = None
    contacts_win: bool = False  # against a pull-up that a program asks for


BOOKWORM = Release("bookworm", "6.1", (), "3G")
TRIXIE = Release(
    "trixie",
    "6.12",
    (
        "alsa-utils", "avahi-daemon", "bash-completion", "cloud-init", "console-setup", "cron",
        "curl", "dnsmasq-base", "e2fsprogs", "ethtool", "fake-hwclock", "iputils-ping", "iw",
        "locales", "logrotate", "man-db", "netplan.io", "network-manager", "openssh-server",
        "polkitd", "rfkill", "sudo", "systemd-timesyncd", "tzdata", "unattended-upgrades",
        "wireless-regdb", "wpasupplicant",
    ),
    "5G",
    GUEST_13,
    contacts_win=True,
)  # fmt: skip
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "ext4")
HOST_TOOLS = (
    ("qemu-system-x86", Path("/usr/bin/qemu-system-x86_64")),
    ("qemu-utils", Path("/usr/bin/qemu-img")),
    ("debootstrap", Path("/usr/sbin/debootstrap")),
    ("e2fsprogs", Path("/sbin/mke2fs")),
    ("socat", Path("/usr/bin/socat")),
)
ENABLED = ("anbu-pi-agent.service", "anbu-pi-board.service", "anbu-pi-radio.service")
MASKED = (  # they would share the serial line, or two slow cores, with the test
    "serial-getty@ttyS0.service", "getty@tty1.service", "systemd-networkd-wait-online.service",
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "fstrim.timer", "e2scrub_reap.service", "systemd-update-utmp.service", "systemd-logind.service",
    "dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
    "sys-fs-fuse-connections.mount", "modprobe@configfs.service", "modprobe@dm_mod.service",
    "modprobe@drm.service", "modprobe@efi_pstore.service", "modprobe@fuse.service",
    "modprobe@loop.service", "kmod-static-nodes.service", "systemd-pstore.service",
)  # fmt: skip
UNEXPORTED = "handle_simple_irq(irq_to_desc(irqnum))"
EXPORTED = "generic_handle_irq_safe(irqnum)"
# A pull-up that a program asks for must not open a contact that is closed to ground.
WEAK = "case PIN_CONFIG_BIAS_PULL_UP:\n\t\treturn gpio_sim_apply_pull(chip, offset, 1);"
WEAKER = "case PIN_CONFIG_BIAS_PULL_UP:\n\t\treturn 0;"
KERNEL_FILES = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")


def mirror(suite: str = BOOKWORM.suite) -> str:
    """The address that this machine's own apt takes Debian's main part from.

    A mirror has all releases: that of `suite` comes first, that of another serves as well.
    """
    listed = run("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)")
    sites = {
        release: site
        for site, release, component in map(str.split, listed.splitlines())
        if component == "main" and "-" not in release and site.endswith("/debian")
    }
    if not sites:
        message = "apt on this machine has no source for Debian's main part"
        raise BuildError(message)
    return sites.get(suite) or next(iter(sites.values()))


def _rootfs(release: Release, folder: Path) -> None:
    root = folder / "rootfs"
    include = f"--include={BASIC}"
    download(
        "debootstrap", "--variant=minbase", include, release.suite, root, mirror(release.suite),
        clean=lambda: shutil.rmtree(root, ignore_errors=True),
    )  # fmt: skip
    (root / "etc/initramfs-tools/modules").write_text("\n".join(MODULES) + "\n")
    (root / "etc/initramfs-tools/conf.d/anbu").write_text("MODULES=list\n")
    _apt(root, "install", "-y", "--no-install-recommends", "linux-image-amd64", *release.packages)
    shutil.rmtree(root / "var/cache/apt/archives")


def _apt(root: Path, *words: str) -> None:
    """Run apt in a root. As root it drops to a user who may not write everywhere there."""
    apt = ("chroot", root, "apt-get", "-q", "-o", "APT::Sandbox::User=root")
    download(*apt, "update")
    download(*apt, *words)


def kernel_of(rootfs: Path) -> str:
    """The version of the one kernel in a root file system, such as `6.12.117+deb13-amd64`."""
    (found,) = (rootfs / "lib/modules").iterdir()
    return found.name


def _gpio_module(release: Release, rootfs: Path, folder: Path) -> None:
    """gpio-sim and irq_sim as one module: Debian builds neither (as one out-of-tree module)."""
    version, source = kernel_of(rootfs), f"linux-source-{release.kernel}"
    root = folder / "rootfs"
    run("cp", "-a", rootfs, root)
    wanted = ("build-essential", f"linux-headers-{version}", source)
    _apt(root, "install", "-y", "--no-install-recommends", *wanted)
    build = root / "build"
    build.mkdir()
    names = [f"{source}/{name}" for name in KERNEL_FILES]
    run("tar", "-xf", root / f"usr/src/{source}.tar.xz", "-C", build, *names)
    for name in KERNEL_FILES:
        shutil.move(build / source / name, build)
    _change(build / "irq_sim.c", UNEXPORTED, EXPORTED)
    if release.contacts_win:
        _change(build / "gpio-sim.c", WEAK, WEAKER)
    (build / "Makefile").write_text(
        "obj-m := gpio-sim-hub.o\ngpio-sim-hub-objs := gpio-sim.o irq_sim.o\n"
    )
    run("chroot", root, "make", "-C", f"/usr/src/linux-headers-{version}", "M=/build", "modules")
    shutil.move(build / "gpio-sim-hub.ko", folder)
    shutil.rmtree(root)


def _change(source: Path, old: str, new: str) -> None:
    """Change the kernel's source for this module."""
    text = source.read_text()
    if old not in text:
        message = f"{source.name} has changed: look again at what stands for {old!r} now"
        raise BuildError(message)
    source.write_text(text.replace(old, new))


def _put_guest_files(release: Release, root: Path) -> None:
    """Lay `guest/` over the root file system; the paths below it are the guest's own."""
    for folder in (GUEST, release.overlay):
        for source in folder.rglob("*") if folder else ():
            if source.is_file() and "__pycache__" not in source.parts:
                target = root / source.relative_to(folder or GUEST)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
                target.chmod(0o644)
    run("chroot", root, "systemctl", "enable", *ENABLED)
    run("chroot", root, "systemctl", "mask", *MASKED)
    run("chroot", root, "systemd-sysusers")


def _image(release: Release, base: Path, module: Path, folder: Path) -> None:
    root, version = folder / "rootfs", kernel_of(base)
    run("cp", "-a", base, root)
    extra = root / "lib/modules" / version / "extra"
    extra.mkdir()
    shutil.copy(module / "gpio-sim-hub.ko", extra)
    run("chroot", root, "depmod", version)
    if release is BOOKWORM:  # wheels come into it; Debian 13 gets the hub by its package
        run("chroot", root, "python3", "-m", "venv", "/usr/lib/anbu/hub")
    _put_guest_files(release, root)
    for tag in ("vmlinuz", "initrd.img"):
        shutil.move(root / "boot" / f"{tag}-{version}", folder / tag)
    size = release.size
    run("mke2fs", "-q", "-t", "ext4", "-d", root, "-L", "anbu-pi", folder / "base.img", size)
    shutil.rmtree(root)


def rootfs_of(release: Release = BOOKWORM) -> Path:
    """The root file system of a release, from which environments for it are made."""
    key = key_of(release.suite, BASIC, *release.packages, *MODULES)
    return _stage(release, "rootfs", key, partial(_rootfs, release)) / "rootfs"


def build(release: Release = BOOKWORM) -> Path:
    """The folder with `vmlinuz`, `initrd.img` and `base.img`; minutes at first, then at once."""
    need_packages(HOST_TOOLS)
    rootfs = rootfs_of(release)
    changed = (WEAK, WEAKER) if release.contacts_win else ()
    key = key_of(rootfs.parent.name, *KERNEL_FILES, *changed)
    module = _stage(release, "gpio", key, partial(_gpio_module, release, rootfs))
    overlay = release.overlay or ""
    key = key_of(rootfs.parent.name, module.name, GUEST, overlay, Path(__file__))
    return _stage(release, "image", key, partial(_image, release, rootfs, module))


def _stage(release: Release, name: str, key: str, make: Callable[[Path], None]) -> Path:
    """A stage in the release's own folder of the cache: two images are kept side by side."""
    cache = cache_folder() / release.suite
    cache.mkdir(exist_ok=True)
    return stage(name, key, make, cache)


def main() -> None:
    """Build, and print where it is. An argument names the release."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    release = TRIXIE if TRIXIE.suite in sys.argv[1:] else BOOKWORM
    try:
        sys.stdout.write(f"{build(release)}\n")
    except BuildError as trouble:
        sys.exit(f"tests/pi/build: {trouble}")
