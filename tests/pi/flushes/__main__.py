"""`python -m tests.pi.flushes FOLDER`: replay a record that a run has kept."""

from tests.pi.flushes.replay import main

main()
