"""What leaves the machine: embeddings as a table, models on the hub, their pages."""
