"""Towers side by side in one space, what goes into them, and how they are saved and loaded."""
