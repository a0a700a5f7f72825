"""A night of sleep whose stages are known: what each stage looks like in two derivations of EEG and one of EOG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int

from biosig.recording import Event, Modality, Recording
from biosig.simulate.spectrum import Band, band_noise, pink_noise

RATE, EPOCH = 100.0, 30.0
CHANNELS = ("Fpz-Cz", "Pz-Oz", "EOG horizontal")
STAGES = ("W", "N1", "N2", "N3", "R")
#: What a hypnogram of Sleep-EDF calls them; N3 is drawn as stage 3 or 4.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "W": "Sleep stage W",
        "N1": "Sleep stage 1",
        "N2": "Sleep stage 2",
        "N3": "Sleep stage 3",
        "R": "Sleep stage R",
    }
)
# Mean epochs of a stay, and where it goes.
_STAY = {"W": 5, "N1": 4, "N2": 18, "N3": 22, "R": 16}
_NEXT: Mapping[str, Mapping[str, float]] = {
    "W": {"N1": 1.0},
    "N1": {"N2": 0.8, "W": 0.2},
    "N2": {"N3": 0.5, "R": 0.3, "N1": 0.1, "W": 0.1},
    "N3": {"N2": 0.9, "N1": 0.05, "W": 0.05},
    "R": {"N2": 0.35, "N1": 0.35, "W": 0.3},
}


@dataclass(frozen=True)
class _Rhythm:
    """Noise of a band, with a root mean square in microvolts for each channel and stage."""

    band: Band
    channels: tuple[float, float, float]
    stages: Mapping[str, float]


@dataclass(frozen=True)
class _Waves:
    """Single waves: how many a minute in each stage, how large in each channel, and their shape."""

    a_minute: Mapping[str, float]
    channels: tuple[float, float, float]
    draw: Callable[[np.random.Generator], Float[np.ndarray, " time"]]

    def at(self, busy: float) -> _Waves:
        """So many times as often."""
        return replace(self, a_minute={name: busy * rate for name, rate in self.a_minute.items()})


# Made up, after the words of the AASM manual.
_RHYTHMS = (
    _Rhythm((0.5, 2.0), (1.0, 0.6, 0.4), {"W": 4, "N1": 7, "N2": 14, "N3": 32, "R": 6}),
    _Rhythm((4.0, 7.0), (0.8, 0.9, 0.3), {"W": 5, "N1": 9, "N2": 8, "N3": 8, "R": 8}),
    _Rhythm((16.0, 30.0), (0.8, 0.6, 0.3), {"W": 4, "N1": 3, "N2": 2.5, "N3": 2, "R": 3}),
)
_ALPHA = {"W": 12, "N1": 6, "N2": 3, "N3": 2, "R": 4}
# A minute: spindles, K-complexes, eye movements.
_SPINDLES = {"N2": 3.0, "N3": 1.0}
_K_COMPLEXES = {"N2": 1.2}
_SACCADES = {"R": 7.0, "W": 5.0}
_PINK, _SENSOR, _ROLLING = 7.0, 1.5, 20.0
# How much sizes differ from epoch to epoch (log), and how often a scorer puts a border an epoch early, or late.
_UNSTEADY, _EARLY = 0.35, 0.15


def stages(epochs: int, rng: np.random.Generator) -> Int[np.ndarray, " epoch"]:
    """Numbers of `STAGES`, epoch by epoch: a semi-Markov chain that begins awake; stays are of a gamma distribution."""
    found: list[int] = []
    now = "W"
    while len(found) < epochs:
        stay = max(1, round(rng.gamma(2.0, _STAY[now] / 2)))
        found += [STAGES.index(now)] * stay
        now = str(rng.choice(list(_NEXT[now]), p=list(_NEXT[now].values())))
    return np.array(found[:epochs])


def night(subject: int, *, hours: float = 3.0, seed: int = 0, number: int = 1) -> Recording:
    """A night of one subject, with one event for each stay in a stage.

    A border between stages is scored an epoch early or late in three of ten cases, as scorers do.
    A person has a frequency and a size of alpha, a gain, and rates of spindles and eye movements, the same every night.
    Amplitudes glide from stage to stage over a few seconds. What is simulated is what textbooks write of stages; real
    nights are harder: scorers disagree, sweat, movement and disease are not there.

    Args:
        subject: Counted from 0.
        hours: How long.
        seed: Equal seeds give equal nights.
        number: Which night.
    """
    person = np.random.default_rng([seed, 40, subject])
    alpha, gain = person.uniform(8.5, 11.5), np.exp(0.2 * person.standard_normal())
    alpha_size, busy = np.exp(0.4 * person.standard_normal()), np.exp(0.3 * person.standard_normal(3))
    rng = np.random.default_rng([seed, 41, subject, number])
    epochs = max(1, round(hours * 3600 / EPOCH))
    chain = stages(epochs, rng)
    n = int(epochs * EPOCH * RATE)
    x = _PINK * pink_noise(3, n, RATE, rng) + _SENSOR * rng.standard_normal((3, n))
    for rhythm in _RHYTHMS:
        sizes = np.array([rhythm.stages[name] for name in STAGES], dtype=float)
        size = _glide(sizes[chain] * _unsteady(epochs, rng))
        x += np.array(rhythm.channels)[:, None] * size * band_noise(3, n, RATE, rhythm.band, rng)
    sizes = alpha_size * np.array([_ALPHA[name] for name in STAGES])
    size = _glide(sizes[chain] * _unsteady(epochs, rng))
    x += np.array([[0.3], [1.0], [0.1]]) * size * band_noise(1, n, RATE, (alpha - 1, alpha + 1), rng)
    x[2] += _glide(np.where(chain == 1, _ROLLING, 0.0)) * band_noise(1, n, RATE, (0.2, 0.6), rng)[0]
    for waves, rate in (
        (_Waves(_SPINDLES, (1.0, 0.7, 0.2), _spindle), busy[0]),
        (_Waves(_K_COMPLEXES, (1.0, 0.6, 0.5), _k_complex), busy[1]),
        (_Waves(_SACCADES, (0.25, 0.05, 1.0), _saccade), busy[2]),
    ):
        _add(x, chain, waves.at(float(rate)), rng)
    return Recording(
        signal=(gain * x).astype(np.float32),
        channels=CHANNELS,
        sampling_rate=RATE,
        modality=(Modality.EEG, Modality.EEG, Modality.EOG),
        record_id=f"night{number}",
        subject_id=f"S{subject:02d}",
        session=str(number),
        events=tuple(_stays(chain, rng)),
        meta={"age": float(person.integers(20, 80)), "sex": str(person.choice(["female", "male"]))},
    )


def _stays(chain: Int[np.ndarray, " epoch"], rng: np.random.Generator) -> list[Event]:
    starts = np.flatnonzero(np.diff(chain, prepend=-1))
    moved = starts + rng.choice([-1, 0, 1], len(starts), p=[_EARLY, 1 - 2 * _EARLY, _EARLY])
    # A stay keeps at least an epoch; the first begins with the recording.
    free = (np.diff(starts, append=len(chain)) > 2) & (np.diff(starts, prepend=-3) > 2)
    names, starts = chain[starts], np.where(free & (starts > 0), moved, starts)
    ends = np.append(starts[1:], len(chain))
    found = []
    for number, start, end in zip(names.tolist(), starts.tolist(), ends.tolist(), strict=True):
        name = STAGES[number]
        word = WORDS[name] if name != "N3" or rng.random() < 0.5 else "Sleep stage 4"
        found.append(Event(start * EPOCH, (end - start) * EPOCH, word, ""))
    return found


def _unsteady(epochs: int, rng: np.random.Generator) -> Float[np.ndarray, " epoch"]:
    return np.exp(_UNSTEADY * rng.standard_normal(epochs))


def _glide(sizes: Float[np.ndarray, " epoch"]) -> Float[np.ndarray, " time"]:
    """A size for each sample, straight between epochs for the seconds around their border."""
    starts = np.arange(len(sizes)) * EPOCH
    times = np.stack([starts + 2, starts + EPOCH - 2], axis=1).ravel()
    return np.interp(np.arange(int(len(sizes) * EPOCH * RATE)) / RATE, times, np.repeat(sizes, 2))


def _add(
    x: Float[np.ndarray, "channel time"], chain: Int[np.ndarray, " epoch"], waves: _Waves, rng: np.random.Generator
) -> None:
    """Add waves at random times of the stages that have them."""
    rates = np.array([waves.a_minute.get(name, 0.0) for name in STAGES]) * EPOCH / 60
    for epoch, count in enumerate(rng.poisson(rates[chain])):
        for start in (epoch + rng.random(count)) * EPOCH * RATE:
            part = x[:, int(start) :]
            wave = waves.draw(rng)[: part.shape[1]]
            part[:, : len(wave)] += np.array(waves.channels)[:, None] * wave


def _spindle(rng: np.random.Generator) -> Float[np.ndarray, " time"]:
    """Half a second to one and a half of 12 to 15 Hz, waxing and waning."""
    seconds, size, rate = rng.uniform(0.5, 1.5), rng.uniform(18, 32), rng.uniform(12, 15)
    time = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(size * np.sin(np.pi * time / seconds) * np.sin(2 * np.pi * rate * time))


def _k_complex(rng: np.random.Generator) -> Float[np.ndarray, " time"]:
    """A sharp negative wave, and a slower positive one: about a second."""
    time = np.arange(int(1.2 * RATE)) / RATE
    wave = -np.exp(-(((time - 0.3) / 0.1) ** 2)) + 0.6 * np.exp(-(((time - 0.7) / 0.2) ** 2))
    return np.asarray(rng.uniform(70, 130) * wave)


def _saccade(rng: np.random.Generator) -> Float[np.ndarray, " time"]:
    """The eyes jump, and the amplifier forgets it."""
    time = np.arange(int(2 * RATE)) / RATE
    size = rng.choice([-1, 1]) * rng.uniform(40, 110)
    return np.asarray(size * (1 - np.exp(-time / 0.03)) * np.exp(-time / 0.4))
