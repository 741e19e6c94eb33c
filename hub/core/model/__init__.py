"""The core's facts, orders, rules and state, as types."""
