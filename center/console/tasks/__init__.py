"""Pages of tasks: the calls to make, and the equipment that fails."""

__all__ = ["calls", "equipment_page", "equipment_view"]
