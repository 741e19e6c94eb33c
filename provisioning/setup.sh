# shellcheck shell=bash
# What a fresh Debian or Raspberry Pi OS lacks, made good once. Sourced by ./check and ./demo.
#
#   need_packages mosquitto gcc     apt packages, when dpkg does not have them
#   need_python [3.13]              sets PYTHON, an interpreter of at least 3.11
#   need_environment LOCK [FOLDER]  a virtual environment that holds exactly requirements/LOCK.txt

say() { printf '%s\n' "$*" >&2; }

# quietly COMMAND...: what it says is shown only when it fails
quietly() {
    local said
    said=$("$@" 2>&1) || {
        say "$said"
        exit 1
    }
}

need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    if ! command -v apt-get >/dev/null || { [ ${#root[@]} -gt 0 ] && ! command -v sudo >/dev/null; }; then
        say "필요한 패키지를 먼저 설치하십시오. / Please install first: ${missing[*]}"
        exit 1
    fi
    say "패키지를 설치합니다. / Installing packages: ${missing[*]}"
    [ -n "${lists_are_fresh:-}" ] || quietly "${root[@]}" apt-get update
    lists_are_fresh=yes
    quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"
}

# need_python [VERSION]: the distribution's own first, else one that pyenv keeps.
need_python() {
    local wanted=${1:-} candidate
    local candidates=("python$wanted" "$(pyenv prefix "$wanted" 2>/dev/null || true)/bin/python")
    [ -n "$wanted" ] || candidates=(python3 python3.13 python3.12 python3.11)
    for candidate in "${candidates[@]}"; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            PYTHON=$candidate
            need_python_parts
            return
        fi
    done
    say "Python ${wanted:-3.11 이상}이 필요합니다. / Python ${wanted:-3.11 or later} is needed."
    exit 1
}

# Debian parts what a Python needs to make environments and to build extensions from it.
need_python_parts() {
    local version
    version=$("$PYTHON" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}")')
    "$PYTHON" -c 'import ensurepip' 2>/dev/null || need_packages "$version-venv"
    "$PYTHON" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' \
        2>/dev/null || need_packages "$version-dev"
}

# need_environment LOCK [FOLDER]: installs only when a lock, the project file or Python has changed.
need_environment() {
    local lock=$1 folder=${2:-.venv}
    local stamp wanted
    stamp="$folder/.anbu-$lock"
    wanted=$("$PYTHON" -V; cat pyproject.toml requirements/build.txt "requirements/$lock.txt" |
        sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    say "파이썬 환경을 준비합니다. / Preparing $folder from requirements/$lock.txt"
    [ "$("$folder/bin/python" -V 2>/dev/null)" = "$("$PYTHON" -V)" ] ||
        "$PYTHON" -m venv --clear "$folder"
    local install=("$folder/bin/python" -m pip --disable-pip-version-check install)
    quietly "${install[@]}" --require-hashes -r requirements/build.txt
    quietly "${install[@]}" --require-hashes --no-build-isolation -r "requirements/$lock.txt"
    quietly "${install[@]}" --no-deps --no-build-isolation -e .
    printf '%s\n' "$wanted" >"$stamp"
}
