"""Several processes as one: gathering, sharding, launching."""
