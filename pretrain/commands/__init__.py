"""Further sub-commands of `biosig` that pretraining brings."""
