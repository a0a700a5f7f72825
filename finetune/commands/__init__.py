"""The sub-commands that adapt a model, and ask it."""
