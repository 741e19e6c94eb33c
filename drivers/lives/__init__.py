"""Simulated lives: invented people over 65 who live alone, to judge the rules for inactivity.

`home` draws a person and a home; `year`, `agenda`, `day` and `diary` make what happens; `sensors`
and `body` make what is reported; `generate` joins trace and truth; `dice` draws random numbers.
"""

__all__ = ["cli"]
