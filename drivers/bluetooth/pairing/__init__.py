"""Pairing, only in a window that a person opens: the agent, who is bonded, the phone, the list.

`window` leads it: its order opens it, `agent` answers BlueZ with what a person said, `phone` is
what a phone finds in its Bluetooth settings, `roster` writes the list of devices. Programs on this
machine reach it through `control`; `bonds` needs BlueZ only.
"""

__all__ = ["add_cli", "bonds", "bonds_cli", "control", "pair_cli", "roster", "window"]
