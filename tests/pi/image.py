"""The virtual Pi's base image: Debian 12 with systemd, a 54-line GPIO chip, an agent; no hub yet.

Three stages, each cached: root file system -> GPIO module -> kernel, initramfs and ext4 image.
"""

import logging
import re
import shutil
import sys
from pathlib import Path

from tests.pi.stages import GUEST, BuildError, download, key_of, need_packages, run, stage

SUITE = "bookworm"
IMAGE_SIZE = "3G"
GUEST_PACKAGES = (
    "systemd,systemd-sysv,dbus,udev,kmod,initramfs-tools,linux-base,busybox-static,zstd,"
    "iproute2,procps,python3,python3-venv,ca-certificates,libsystemd0,bluez"
)
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "ext4")
HOST_TOOLS = (
    ("qemu-system-x86", Path("/usr/bin/qemu-system-x86_64")),
    ("qemu-utils", Path("/usr/bin/qemu-img")),
    ("debootstrap", Path("/usr/sbin/debootstrap")),
    ("e2fsprogs", Path("/sbin/mke2fs")),
    ("socat", Path("/usr/bin/socat")),
    ("linux-source-6.1", Path("/usr/src/linux-source-6.1.tar.xz")),
    ("linux-headers-amd64", Path("/usr/share/doc/linux-headers-amd64")),
    ("build-essential", Path("/usr/share/doc/build-essential")),
    ("libsystemd-dev", Path("/usr/include/systemd/sd-daemon.h")),
    ("pkg-config", Path("/usr/bin/pkg-config")),
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
KERNEL_FILES = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")


def kernel_version() -> str:
    """The newest Debian 6.1 kernel whose headers are installed here, as `6.1.0-NN-amd64`."""
    found = sorted(Path("/usr/src").glob("linux-headers-6.1.*-amd64"), key=_numbers)
    if not found:
        message = "no linux-headers-6.1.*-amd64 under /usr/src"
        raise BuildError(message)
    return found[-1].name.removeprefix("linux-headers-")


def _numbers(path: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", path.name)]


def mirror(suite: str = SUITE) -> str:
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


def _rootfs(version: str, folder: Path) -> None:
    root = folder / "rootfs"
    include = f"--include={GUEST_PACKAGES}"
    download(
        "debootstrap", "--variant=minbase", include, SUITE, root, mirror(),
        clean=lambda: shutil.rmtree(root, ignore_errors=True),
    )  # fmt: skip
    (root / "etc/initramfs-tools/modules").write_text("\n".join(MODULES) + "\n")
    (root / "etc/initramfs-tools/conf.d/anbu").write_text("MODULES=list\n")
    # As root apt drops to a user who may not write here; the download itself is verified anyway.
    apt = ("apt-get", "-o", "APT::Sandbox::User=root", "download")
    download(*apt, f"linux-image-{version}", cwd=folder)
    package = next(folder.glob("linux-image-*.deb"))
    shutil.move(package, root / "kernel.deb")
    run("chroot", root, "dpkg", "-i", "/kernel.deb")
    (root / "kernel.deb").unlink()
    run("chroot", root, "python3", "-m", "venv", "/opt/anbu")
    shutil.rmtree(root / "var/cache/apt/archives")


def _gpio_module(version: str, folder: Path) -> None:
    """gpio-sim and irq_sim as one module: Debian builds neither (as one out-of-tree module)."""
    source = "linux-source-6.1"
    tar = "/usr/src/linux-source-6.1.tar.xz"
    run("tar", "-xf", tar, "-C", folder, *(f"{source}/{name}" for name in KERNEL_FILES))
    for name in KERNEL_FILES:
        shutil.move(folder / source / name, folder)
    irq = folder / "irq_sim.c"
    wanted, exported = "handle_simple_irq(irq_to_desc(irqnum))", "generic_handle_irq_safe(irqnum)"
    text = irq.read_text()
    if wanted not in text:
        message = "irq_sim.c has changed: look again at the call that replaces handle_simple_irq"
        raise BuildError(message)
    irq.write_text(text.replace(wanted, exported))
    (folder / "Makefile").write_text(
        "obj-m := gpio-sim-hub.o\ngpio-sim-hub-objs := gpio-sim.o irq_sim.o\n"
    )
    run("make", "-C", f"/usr/src/linux-headers-{version}", f"M={folder}", "modules")


def _put_guest_files(root: Path) -> None:
    """Lay `guest/` over the root file system; the paths below it are the guest's own."""
    for source in (path for path in GUEST.rglob("*") if path.is_file()):
        if "__pycache__" not in source.parts:
            target = root / source.relative_to(GUEST)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(0o644)
    run("chroot", root, "systemctl", "enable", *ENABLED)
    run("chroot", root, "systemctl", "mask", *MASKED)
    run("chroot", root, "systemd-sysusers")


def _image(version: str, base: Path, module: Path, folder: Path) -> None:
    root = folder / "rootfs"
    run("cp", "-a", base / "rootfs", root)
    extra = root / "lib/modules" / version / "extra"
    extra.mkdir()
    shutil.copy(module / "gpio-sim-hub.ko", extra)
    run("chroot", root, "depmod", version)
    _put_guest_files(root)
    for tag in ("vmlinuz", "initrd.img"):
        shutil.move(root / "boot" / f"{tag}-{version}", folder / tag)
    run("mke2fs", "-q", "-t", "ext4", "-d", root, "-L", "anbu-pi", folder / "base.img", IMAGE_SIZE)
    shutil.rmtree(root)


def build() -> Path:
    """The folder with `vmlinuz`, `initrd.img` and `base.img`; minutes at first, then at once."""
    need_packages(HOST_TOOLS)
    version = kernel_version()
    source = Path(__file__)
    rootfs = stage(
        "rootfs",
        key_of(SUITE, GUEST_PACKAGES, *MODULES, version),
        lambda folder: _rootfs(version, folder),
    )
    module = stage(
        "gpio", key_of(version, *KERNEL_FILES), lambda folder: _gpio_module(version, folder)
    )
    return stage(
        "image",
        key_of(rootfs.name, module.name, GUEST, source),
        lambda folder: _image(version, rootfs, module, folder),
    )


def main() -> None:
    """Build, and print where it is."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        sys.stdout.write(f"{build()}\n")
    except BuildError as trouble:
        sys.exit(f"tests/pi/build: {trouble}")
