"""Numbers of a recording (age, heart rate) and time to an event, with rivals and intervals."""
