"""What a support person needs of a hub, without personal data, shown before it leaves."""

__all__ = ["bundle"]
