"""What was meant by what was heard: intents, phrases, likeness, weighing."""

__all__ = ["home", "intents", "likeness", "phrases", "understand", "weighing", "wordless"]
