"""Masked modelling: which patches are hidden, what is made of the others, and what is guessed."""
