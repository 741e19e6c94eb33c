"""Pages of tasks: calls to make, and equipment that fails."""

__all__ = ["calls", "equipment_page", "equipment_view"]
