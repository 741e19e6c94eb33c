"""Pages of tasks: calls to make, and equipment that fails."""
