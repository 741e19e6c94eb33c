"""Announcements to homes: written by operators, ordered from hubs until each hub has them."""
