"""What installs, registers and checks a hub: certificates, network, models, demo and doctor."""
