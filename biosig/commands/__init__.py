"""The sub-commands of floor two."""
