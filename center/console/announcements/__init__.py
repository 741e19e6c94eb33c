"""Pages for announcements to homes."""

__all__ = ["form", "pages", "view"]
