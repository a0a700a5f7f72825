"""What can stop a pretraining: a recipe, a model folder or a run that cannot be used as it is."""

from biosig.errors import BiosigError


class RecipeError(BiosigError):
    """A recipe with a field that is missing, unknown or out of range."""


class ModelError(BiosigError):
    """A model folder, or an input, that does not fit the model."""


class TrainingError(BiosigError):
    """A run that cannot start, go on or be resumed."""


class LossError(BiosigError, ValueError):
    """Features or labels of a batch of which no loss can be computed; all processes find the same."""
