"""Delineation: where P, QRS and T begin, peak and end in every lead."""
