"""Pulse, oxygen, pressure and stress: limits that first ask, trends, stress against one's own.

    a wearable's pulse --> beats    five minutes of beats at rest, and what they say
                       '-> pulse    minutes; too fast at rest, or too slow, for ten of them
    a cuff, an oximeter --> readings
                            question  the resident is asked; then an alarm, a task, or nothing
                            summary   what the centre is told

`vitals` is the door. A reading is never a diagnosis, and never alone a reason to be calm.
"""

__all__ = ["question", "restart", "vitals"]
