"""What a run can be asked while it trains: one file a probe, all of them in one registry."""

from pretrain.probes import knn, same_moment, zero_shot
from pretrain.probes.base import PROBES, Probe, Watched, probes_of

__all__ = ["PROBES", "Probe", "Watched", "knn", "probes_of", "same_moment", "zero_shot"]
