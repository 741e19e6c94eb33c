"""Identity, certificates, broker configuration, the demo and the doctor: what installs a hub."""
