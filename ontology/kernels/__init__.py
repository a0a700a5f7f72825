"""How alike two concepts are: the kernels that soften the targets of graph-smoothed contrast.

Every kernel is a function `(graph, *, ids=None, ...) -> (K, K)`: float64, symmetric, ones on the diagonal, no entry
below zero or above one. `ids` are the concepts, all observed ones by default. More come by `KERNELS.register`.

| kernel | alike is what | limits |
|---|---|---|
| `identity` | is the same | |
| `hop` | is few is-a edges apart | sigma -> 0 identity, infinity ones |
| `heat` | warmth reaches early, by every path | beta -> 0 identity, infinity ones |
| `pagerank` | a walk that restarts meets often | alpha -> 1 identity, 0 ones |
| `wu-palmer` | has its common ground deep down | |
| `lin` | has its common ground in something rare | all counts in one concept: see there |
| `severity` | is equally grave for the CinC 2021 score | |
| `random` | is few edges apart in a rewired graph: the control | as `hop` |

"Ones" means ones among concepts that some path joins, zeros else.
"""

from ontology.kernels.base import KERNELS, identity
from ontology.kernels.diffusion import heat, pagerank
from ontology.kernels.hops import hop, random
from ontology.kernels.severity import SEVERITY, severity
from ontology.kernels.taxonomy import lin, wu_palmer

__all__ = ["KERNELS", "SEVERITY", "heat", "hop", "identity", "lin", "pagerank", "random", "severity", "wu_palmer"]
