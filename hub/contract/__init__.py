"""What crosses a border: messages, topics, SCAIP codes, and the protocols between processes."""

__all__ = [
    "addresses",
    "border",
    "forms",
    "json_lines",
    "messages",
    "provision",
    "radio",
    "reading",
    "scaip",
    "times",
    "voice",
    "wire",
]
