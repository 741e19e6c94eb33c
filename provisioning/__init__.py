"""What installs and checks a hub: certificates, broker configuration, models, demo and doctor."""
