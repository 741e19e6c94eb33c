"""What was meant by what was heard: intents, phrases, likeness, weighing."""
