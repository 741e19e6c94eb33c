"""The Korean language: hangul, numbers, pronunciation, similar sounds, sentences."""
