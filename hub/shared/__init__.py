"""Code that every process uses: settings, messages, back-off, TLS, unix sockets, clock, memory."""

__all__ = [
    "anew",
    "backoff",
    "bluetooth",
    "command_line",
    "county",
    "decoding",
    "files",
    "findings",
    "identity",
    "language",
    "messages",
    "models",
    "settings",
    "sidecar",
    "system",
    "tls",
    "toml_lines",
    "unix_socket",
]
