"""Lengths of time in words (`5시간 20분`), and times without seconds. Pure."""

from center.domain import times
from center.service.texts import Texts

LONGEST_S = 3650 * 86_400.0  # a broken clock may give any length


def length(seconds: float, t: Texts) -> str:
    """Write seconds as days and hours, hours and minutes, minutes, or seconds below one minute."""
    whole = int(min(max(0.0, seconds), LONGEST_S))
    if whole < 60:  # noqa: PLR2004 - a minute
        return t("length.s", s=whole)
    days, hours, minutes = whole // 86_400, whole // 3600, whole // 60 % 60
    if days >= 2:  # noqa: PLR2004 - below it hours say more
        return t("length.dh", d=days, h=hours % 24) if hours % 24 else t("length.d", d=days)
    if hours:
        return t("length.hm", h=hours, m=minutes) if minutes else t("length.h", h=hours)
    return t("length.m", m=minutes)


def clock(utc: float, now: float) -> str:
    """Write the time of day as `07:10`, with the date before it where that is not today."""
    moment, today = times.local(utc), times.local(now)
    if moment is None:
        return "--:--"
    is_today = today is not None and moment.date() == today.date()
    return f"{moment:%H:%M}" if is_today else f"{moment:%m-%d %H:%M}"
