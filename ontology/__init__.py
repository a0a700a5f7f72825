"""Concept graphs over SNOMED-CT: the knowledge that enters labels, losses and scores."""
