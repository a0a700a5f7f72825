"""From stores to batches: examples, labels, views, micro-batches, read ahead."""
