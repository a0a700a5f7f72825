"""Towers, contrastive objectives and the training loop."""
