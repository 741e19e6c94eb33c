"""The packages of a hub, and the same as a later version."""

import subprocess
from pathlib import Path

OURS = ("anbu-common", "anbu-python", "anbu-hub")


def newer(debs: list[Path], folder: Path) -> list[Path]:
    """Make the same packages as a later version, with other settings."""
    made = []
    for deb in (deb for deb in debs if deb.name.startswith(OURS)):
        place = folder / deb.stem
        subprocess.run(["dpkg-deb", "-R", deb, place], check=True)
        control = place / "DEBIAN/control"
        version = deb.stem.split("_")[1]
        control.write_text(control.read_text("utf-8").replace(version, f"9.{version}"), "utf-8")
        settings = place / "etc/anbu/hub.toml"
        if settings.exists():
            settings.write_text(settings.read_text("utf-8") + "\n# a later version\n", "utf-8")
        made.append(folder / f"{deb.stem.replace(version, f'9.{version}')}.deb")
        words = ["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(place), str(made[-1])]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return made
