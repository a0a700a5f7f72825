"""How far a probability can be trusted: calibration, reliability, prediction sets, and when to stay silent."""
