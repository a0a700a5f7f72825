"""ECG with known diagnoses and EEG with known latencies: ground truth for tests, first runs and teaching."""

# Imported to register their diagnoses: changes of rhythm apply before changes of shape.
import biosig.simulate.rhythm_diagnoses
import biosig.simulate.shape_diagnoses  # noqa: F401 -- to register
from biosig.simulate.combinations import draw
from biosig.simulate.corpus import write_corpus
from biosig.simulate.diagnoses import SIMULATED_CONCEPTS, Diagnosis, conflicts
from biosig.simulate.electrocardiogram import ecg
from biosig.simulate.electroencephalogram import eeg
from biosig.simulate.experiment import Experiment
from biosig.simulate.experiment_files import write_experiment
from biosig.simulate.head import CAPS
from biosig.simulate.heart import Subject
from biosig.simulate.latency import Latency, latency_at
from biosig.simulate.noise import Noise
from biosig.simulate.sleep import night
from biosig.simulate.sleep_files import write_nights

__all__ = [
    "CAPS",
    "SIMULATED_CONCEPTS",
    "Diagnosis",
    "Experiment",
    "Latency",
    "Noise",
    "Subject",
    "conflicts",
    "draw",
    "ecg",
    "eeg",
    "latency_at",
    "night",
    "write_corpus",
    "write_experiment",
    "write_nights",
]
