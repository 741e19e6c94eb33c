"""The hub as a service: supervised tasks, watchdog, black box, one process per state folder."""

__all__ = ["blackbox", "claim", "supervisor", "watchdog"]
