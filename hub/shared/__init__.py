"""What every process needs: settings, texts, back-off, TLS, unix sockets, clock and memory."""

__all__ = [
    "backoff",
    "command_line",
    "decoding",
    "files",
    "findings",
    "language",
    "messages",
    "models",
    "settings",
    "system",
    "tls",
    "toml_lines",
    "unix_socket",
]
