"""Pictures of recordings and of embeddings: ECG paper, traces, scalps, maps. None touches the state of pyplot."""

from biosig.plot.band_power import band_power_maps
from biosig.plot.beats import annotated_beats, counted_rate
from biosig.plot.ecg import ecg_paper
from biosig.plot.embedding import Projection, embedding_map
from biosig.plot.heat import Heat
from biosig.plot.output import save
from biosig.plot.picture import picture
from biosig.plot.shade import Shade
from biosig.plot.topomap import topomaps
from biosig.plot.traces import traces

__all__ = [
    "Heat",
    "Projection",
    "Shade",
    "annotated_beats",
    "band_power_maps",
    "counted_rate",
    "ecg_paper",
    "embedding_map",
    "picture",
    "save",
    "topomaps",
    "traces",
]
