"""What was meant by what was heard: intents, phrases, signs, likeness, weighing, the rules."""

__all__ = ["home", "intents", "likeness", "phrases", "understand", "weighing", "wordless"]
