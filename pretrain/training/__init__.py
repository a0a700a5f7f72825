"""The run: learner, loop, checkpoints, progress, and what is written down."""
