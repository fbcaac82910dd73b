"""A stand-in for a provider: takes messages, answers and reports like one, and keeps a log of its own."""
