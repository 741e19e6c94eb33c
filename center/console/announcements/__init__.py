"""Pages for announcements to homes."""
