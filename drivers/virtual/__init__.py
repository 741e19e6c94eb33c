"""A virtual house: every device on simulated pins, a web page and a command line."""
