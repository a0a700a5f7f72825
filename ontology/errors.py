"""What can be wrong with a graph, a code or a crosswalk."""


class OntologyError(ValueError):
    """A graph, a concept or a mapping that cannot be used as it is."""
