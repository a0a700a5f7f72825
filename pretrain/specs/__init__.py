"""What a recipe may say: typed, checked, and nothing else."""
