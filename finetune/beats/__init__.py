"""Beats and rhythms over time: what every beat of a long recording is, and where atrial fibrillation is."""
