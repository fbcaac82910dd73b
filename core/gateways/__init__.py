"""The ways out: one folder per SMS provider."""
