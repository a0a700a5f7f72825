"""What a recipe says of the views of a window."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from pretrain.specs.architecture import Spec


class Copies(Spec):
    """Each window so many times, each time augmented anew."""

    kind: Literal["copies"] = "copies"
    number: PositiveInt = 1

    @property
    def count(self) -> int:
        """Views of a window."""
        return self.number


class LeadViews(Spec):
    """Each window once for each of these leads, without the others; augmented each for itself.

    The leads of the paper of CLOCS by default.
    """

    kind: Literal["leads"]
    leads: tuple[str, ...] = Field(default=("II", "V2", "aVL", "aVR"), min_length=2)

    @property
    def count(self) -> int:
        """Views of a window."""
        return len(self.leads)


Views = Annotated[Copies | LeadViews, Field(discriminator="kind")]
