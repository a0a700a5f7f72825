"""Which weights a fine-tuning moves, and how fast: none but the head, low-rank additions, the last blocks, or all."""
