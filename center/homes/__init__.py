"""The homes: who lives there, how their days go, what they need, and what was a false alarm."""
