"""ECG with known diagnoses: ground truth for tests, first runs and teaching."""

# Imported to register their diagnoses: changes of rhythm apply before changes of shape.
import biosig.simulate.rhythm_diagnoses
import biosig.simulate.shape_diagnoses  # noqa: F401
from biosig.simulate.combinations import draw
from biosig.simulate.corpus import write_corpus
from biosig.simulate.diagnoses import SIMULATED_CONCEPTS, Diagnosis, conflicts
from biosig.simulate.electrocardiogram import ecg
from biosig.simulate.heart import Subject
from biosig.simulate.noise import Noise

__all__ = ["SIMULATED_CONCEPTS", "Diagnosis", "Noise", "Subject", "conflicts", "draw", "ecg", "write_corpus"]
