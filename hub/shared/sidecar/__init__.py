"""A process of its own beside the hub, such as voice and radio: it may die or hang at any time.

`host` is the hub's end of its unix socket, with its supervision; `link` is the process's end;
`reports` keeps what it tells of itself from becoming a flood.
"""

__all__ = ["host", "link", "peer", "reports"]
