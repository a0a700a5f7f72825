"""A page on this machine to look at stores: records by what is known of them, their signals, and what a model sees."""
