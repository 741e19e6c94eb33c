"""The county control centre: it stores what the hubs say, and shows it to the people who help."""
