"""Scores of records by concept, with a bootstrap over subjects."""
