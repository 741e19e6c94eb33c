"""Pages of announcements to homes: the form, the list, each announcement."""

__all__ = ["form", "pages", "view"]
