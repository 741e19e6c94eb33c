"""The voice of the home: hears and speaks, in a process of its own."""
