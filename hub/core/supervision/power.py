"""Batteries and mains: a low battery is told every day; reports after a power cut are spread."""

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.contract.scaip import Report
from hub.core.model.effects import Effect
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step
from hub.core.model.supervision import Battery, Mains, due_by
from hub.core.supervision import faults


def battery_measured(state: HomeState, device: str, pct: float, at: float, rules: Rules) -> Step:
    """Apply a battery's charge; a low battery counts as fixed only when it is much fuller."""
    old = state.watch.batteries.get(device)
    stood = faults.stands(state, device, FaultKind.LOW_BATTERY)
    low = pct < rules.watch.fair_pct if stood else pct <= rules.watch.low_pct
    new = replace(old, pct=pct) if old and low else Battery(pct)
    batteries = {**state.watch.batteries, device: new}
    state = replace(state, watch=replace(state.watch, batteries=batteries))
    if not low:
        return faults.mend(state, FaultKind.LOW_BATTERY, device, at, rules)
    if new.told_at is not None:
        return state, []
    flaps = f"{device}:{FaultKind.LOW_BATTERY}" in state.faults  # its end was only held back
    state, fault = faults.fail(state, FaultKind.LOW_BATTERY, device, at, rules)
    if flaps:
        state, report = _note_told(state, device, at), list[Effect]()
    else:
        state, report = tell_battery(state, device, at, rules)
    watch = due_by(state.watch, at + rules.watch.remind_s)
    return replace(state, watch=watch), fault + report


def tell_battery(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Report a low battery, at first and again every day."""
    state = _note_told(state, device, at)
    pct = state.watch.batteries[device].pct
    return faults.report(state, Report.BATTERY_LOW, pct, at, rules, device)


def mains_changed(state: HomeState, device: str, at: float, rules: Rules, *, present: bool) -> Step:
    """Apply that the mains came or went; their loss is told only when it lasts."""
    old = state.watch.mains.get(device)
    if old is not None and old.present == present:
        return state, []
    lost_utc = state.clock.utc(at) if old is None or old.present else old.lost_utc
    mains = {**state.watch.mains, device: Mains(present, at, lost_utc)}
    state = replace(state, watch=replace(state.watch, mains=mains))
    if present:
        return tell_mains_back(state, device, at, rules)
    watch = due_by(state.watch, at + rules.watch.mains_lost_s)
    return replace(state, watch=watch), []


def tell_mains_lost(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Report that the mains are gone, always at once."""
    lasted_s = at - state.watch.mains[device].since
    state, fault = faults.fail(state, FaultKind.MAINS_LOST, device, at, rules)
    if not fault:
        return state, []
    state, report = faults.report(state, Report.MAINS_LOST, lasted_s, at, rules, device)
    return state, fault + report


def tell_mains_back(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Report that the mains are back, if their loss was reported; later for a loose plug."""
    if not faults.stands(state, device, FaultKind.MAINS_LOST):
        return state, []
    state, effects = faults.mend(state, FaultKind.MAINS_LOST, device, at, rules)
    if not effects:
        return state, []
    state, report = _report_mains_back(state, device, at, at, rules)
    return state, effects + report


def mains_stayed(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Report that the mains are back for good, after a while in which they came and went."""
    mains = state.watch.mains.get(device)
    if mains is None:  # a snapshot that was read late had only the fault
        return state, []
    return _report_mains_back(state, device, at, mains.since, rules)


def hold_reports(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Hold back what can wait: power is back in a whole town, each home has its own time."""
    until = at + state.watch.chance * rules.watch.spread_s
    return replace(state, watch=replace(state.watch, hold_until=until))


def release_reports(state: HomeState, _device: str, _at: float, rules: Rules) -> Step:
    """Report what was held back, as far as it is still true."""
    watch = state.watch
    state = replace(state, watch=replace(watch, untold=(), waiting=()))
    effects: list[Effect] = []
    for fault in (fault for fault in watch.untold if fault in state.faults):
        state, more = faults.publish_fault(state, fault, rules)
        effects += more
    for waiting in watch.waiting:
        state, more = faults.send_report(state, waiting, rules)
        effects += more
    return state, effects


def _report_mains_back(
    state: HomeState, device: str, at: float, back_at: float, rules: Rules
) -> Step:
    """Report how long the mains were gone; other reports of the town are spread."""
    state = hold_reports(state, at, rules)
    lasted_s = max(state.clock.utc(back_at) - state.watch.mains[device].lost_utc, 0.0)
    return faults.report(state, Report.MAINS_BACK, lasted_s, at, rules, device)


def _note_told(state: HomeState, device: str, at: float) -> HomeState:
    told = replace(state.watch.batteries[device], told_at=at, told_utc=state.clock.utc(at))
    batteries = {**state.watch.batteries, device: told}
    return replace(state, watch=replace(state.watch, batteries=batteries))
