"""Which rows make a batch: uniform, moments, segments, mixtures of stores."""
