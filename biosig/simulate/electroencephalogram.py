"""One trial of one person: the sources of the stimulus, late, seen through the head, under the person's own EEG."""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np
from jaxtyping import Float

from biosig.errors import BiosigError
from biosig.recording import Code, Event, Modality, Recording
from biosig.simulate.experiment import Experiment, Stream
from biosig.simulate.head import CAPS, Patterns, electrode_positions, posterior
from biosig.simulate.latency import Latency, draw_latency, latency_at
from biosig.simulate.spectrum import Band, band_noise, pink_noise

# Microvolts, root mean square: 1/f background, alpha at the back of the head, amplifier.
PINK, ALPHA, SENSOR = 10.0, 8.0, 1.0
# How many independent generators the background has; fewer than electrodes, so that neighbours agree.
_GENERATORS = 12
# The rhythm of each class in turn. Alpha comes last: everybody has it anyway.
_CLASS_BANDS: tuple[Band, ...] = ((14.0, 29.0), (4.0, 7.0), (30.0, 45.0), (8.0, 13.0))


def eeg(experiment: Experiment, subject: int, trial: int) -> Recording:
    r"""The EEG of one person while one stimulus is presented.

        x(t) = g A s(t - l(t)) + sum_b P_b n_b(t) + alpha(t) + rhythm(t) + sensor(t)

    s are the sources of the stimulus, the same for everybody; l is the latency of the person (and trial, where it
    drifts); A = sqrt(1 - v) A_common + sqrt(v) A_person are smooth spatial patterns, v the variation; n_b is 1/f noise,
    alpha is at the back of the head at the person's own frequency, waxing and waning. The rhythm of the stimulus's
    class has a band and a pattern, and nothing to do with the time of the stimulus; sensor noise is white. Everything
    but the sensor noise is defined on the whole head, so that the recording of fewer electrodes is part of that of
    more.

    Args:
        experiment: Who and what.
        subject: Counted from 0; may go beyond `experiment.subjects`, for persons of the same kind.
        trial: Which presentation of the person's session, counted from 0.

    Returns:
        Microvolts. One event covers the trial and names stimulus and class; the class is also the code of the system
        `simulated-eeg`. `meta["latency"]` has the latency at every whole second (`biosig.simulate.latency_at` for any
        time), one number if it is fixed; `meta["latency_kind"]` says which.

    Raises:
        BiosigError: If there is no such subject or trial.

    References:
        Shared stimulus-locked responses: Dmochowski et al., Front. Hum. Neurosci. 6, 112 (2012). 1/f background: He,
        Trends Cogn. Sci. 18, 480 (2014).
    """
    if subject < 0 or not 0 <= trial < experiment.stimuli:
        raise BiosigError(
            f"expected a subject of 0 or more and a trial of 0 to {experiment.stimuli - 1}, got {subject} and {trial}"
        )
    shown = int(experiment.order(subject)[trial])
    stimulus = experiment.stimulus(shown)
    where = electrode_positions(experiment.electrodes)
    time = np.arange(round(experiment.duration * experiment.sampling_rate)) / experiment.sampling_rate
    latency = _latency(experiment, subject, trial)

    mixing = _patterns(experiment, Stream.COMMON_PATTERNS, subject, experiment.sources).at_electrodes(where)
    locked = mixing @ stimulus.at(time - latency_at(latency, time)) / math.sqrt(experiment.sources)
    signal = _locked_amplitude(experiment) * locked + _own_activity(experiment, subject, trial, where, len(time))
    signal += _class_rhythm(experiment, subject, trial, where, len(time))
    known = latency[:1] if experiment.latency is Latency.FIXED else latency
    return Recording(
        signal=signal.astype(np.float32),
        channels=experiment.electrodes,
        sampling_rate=float(experiment.sampling_rate),
        modality=(Modality.EEG,) * len(where),
        record_id=f"s{subject:04d}t{trial + 1:03d}",
        subject_id=f"S{subject:04d}",
        session="1",
        codes=(Code("simulated-eeg", stimulus.label),),
        events=(Event(0.0, len(time) / experiment.sampling_rate, stimulus.label, "", stimulus.name, trial + 1),),
        meta={"latency": tuple(known.tolist()), "latency_kind": str(experiment.latency)},
    )


def _latency(experiment: Experiment, subject: int, trial: int) -> Float[np.ndarray, " second"]:
    key = [experiment.seed, Stream.LATENCY, subject] + ([trial] if experiment.latency is Latency.DRIFTING else [])
    return draw_latency(
        experiment.latency,
        experiment.spread,
        experiment.duration,
        np.random.default_rng(key),
        timescale=experiment.drift_seconds,
    )


class _Mixed:
    """Patterns of which a share is common to all persons and the rest a person's own."""

    def __init__(self, common: Patterns, own: Patterns, variation: float) -> None:
        self._parts = ((math.sqrt(1 - variation), common), (math.sqrt(variation), own))

    def at_electrodes(self, where: Float[np.ndarray, "electrode 3"]) -> Float[np.ndarray, "electrode pattern"]:
        return np.asarray(sum(share * patterns.at(where) for share, patterns in self._parts))


def _patterns(experiment: Experiment, stream: Stream, subject: int, count: int, *key: int) -> _Mixed:
    common = Patterns(count, np.random.default_rng([experiment.seed, stream, *key]))
    own = Patterns(count, np.random.default_rng([experiment.seed, Stream.OWN_PATTERNS, subject, stream, *key]))
    return _Mixed(common, own, experiment.variation)


def _locked_amplitude(experiment: Experiment) -> float:
    """Microvolts that give the signal-to-noise ratio asked for, over the power expected at an average electrode."""
    # Of one cap, whichever is worn: fewer electrodes must not change what the others see.
    alpha = float((posterior(electrode_positions(CAPS[19])) ** 2).mean()) * ALPHA**2
    return math.sqrt((PINK**2 + alpha + SENSOR**2) * 10 ** (experiment.snr / 10))


def _own_activity(
    experiment: Experiment, subject: int, trial: int, where: Float[np.ndarray, "electrode 3"], n_times: int
) -> Float[np.ndarray, "electrode time"]:
    """1/f background, alpha, and sensor noise."""
    rate = experiment.sampling_rate
    person = np.random.default_rng([experiment.seed, Stream.PERSON, subject])
    generators = Patterns(_GENERATORS, person)
    frequency = float(person.uniform(8.5, 11.5))
    rng = np.random.default_rng([experiment.seed, Stream.BACKGROUND, subject, trial])
    pink = generators.at(where) @ pink_noise(_GENERATORS, n_times, rate, rng) * (PINK / math.sqrt(_GENERATORS))
    # Noise of a narrow band waxes and wanes over about a second.
    alpha = ALPHA * posterior(where)[:, None] * band_noise(1, n_times, rate, (frequency - 0.5, frequency + 0.5), rng)
    # Each electrode has an amplifier of its own, whatever cap it is in.
    keys = [[experiment.seed, Stream.SENSOR, subject, trial, crc32(name.encode())] for name in experiment.electrodes]
    sensor = SENSOR * np.stack([np.random.default_rng(key).standard_normal(n_times) for key in keys])
    return np.asarray(pink + alpha + sensor)


def _class_rhythm(
    experiment: Experiment, subject: int, trial: int, where: Float[np.ndarray, "electrode 3"], n_times: int
) -> Float[np.ndarray, "electrode time"]:
    """Band power with a pattern of the class, in nobody's step: what differential entropy can see."""
    shown = int(experiment.order(subject)[trial])
    number = shown % experiment.classes
    possible = [band for band in _CLASS_BANDS if band[1] <= 0.5 * experiment.sampling_rate]
    if experiment.strength == 0 or not possible:
        return np.zeros((len(where), n_times))
    pattern = _patterns(experiment, Stream.CLASS, subject, 1, number).at_electrodes(where)
    rng = np.random.default_rng([experiment.seed, Stream.CLASS, subject, trial, shown])
    rhythm = band_noise(1, n_times, experiment.sampling_rate, possible[number % len(possible)], rng)
    return np.asarray(experiment.strength * PINK * pattern * rhythm)
