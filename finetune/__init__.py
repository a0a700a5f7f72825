"""Heads, protocols, metrics and reports with intervals."""
