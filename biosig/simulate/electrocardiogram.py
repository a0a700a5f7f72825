"""One recording: a person, their diagnoses, a timetable, waves, leads, noise, a report."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from biosig.channels import LEADS_12
from biosig.errors import BiosigError
from biosig.leads import TWELVE_FROM_EIGHT
from biosig.recording import Code, Modality, Recording
from biosig.simulate.beat import ventricular
from biosig.simulate.diagnoses import resolve
from biosig.simulate.heart import Heart, Subject
from biosig.simulate.noise import Noise, noise_in_leads
from biosig.simulate.report import report
from biosig.simulate.rhythm import schedule
from biosig.simulate.tracing import trace


def ecg(
    concepts: Collection[str] = (),
    *,
    seed: int,
    duration: float = 10.0,
    sampling_rate: float = 500.0,
    noise: Noise | float | None = 22.0,
    subject: Subject | None = None,
    record_id: str = "",
) -> Recording:
    """A 12-lead ECG that shows the given diagnoses.

    The heart is a dipole in space, a sum of Gaussian waves around each beat; leads I, II and V1 to V6 see it through
    the person's lead field, and the other four follow from them, so Einthoven's and Goldberger's laws hold to rounding,
    noise included. What the person looks like, what the beats do, the noise and the words of the report come from
    separate streams of the seed: the same heart can be had at another rate or with other noise.

    Args:
        concepts: SNOMED-CT identifiers from `SIMULATED_CONCEPTS`; without a rhythm among them it is sinus rhythm.
        seed: Equal seeds give equal recordings.
        duration: Seconds.
        sampling_rate: Hz.
        noise: Its mix and level; a number is the signal-to-noise ratio in dB with the usual mix; None is a clean
            recording.
        subject: Whose heart it is; without one it is drawn from the seed.
        record_id: Its name.

    Returns:
        Microvolts in the standard order of leads. `events` holds every beat at its R time (`N`, `L`, `R`, `A`, `V`,
        `/`, `E`) and the extent of its waves (`p`, `qrs`, `t`).

    Raises:
        UnknownNameError: If a concept cannot be simulated.
        BiosigError: If two concepts cannot go together, or the recording would have no or far too many samples.

    References:
        McSharry et al., IEEE Trans Biomed Eng 50, 289 (2003); Sameni et al., EURASIP J Adv Signal Process, 43407
        (2007); Dower et al., J Electrocardiol 13, 1 (1980).
    """
    n_times = round(duration * sampling_rate) if math.isfinite(duration * sampling_rate) else 0
    if not 2 <= n_times <= 100_000_000 or sampling_rate <= 0:
        raise BiosigError(f"expected a positive duration and rate, got {duration!r} s at {sampling_rate!r} Hz")
    found = resolve(concepts)
    subject = subject or Subject.draw(seed)
    heart = _heart_today(subject, concepts, seed)

    rng = np.random.default_rng([seed, 2])
    own = ventricular(heart)
    times = schedule(heart, duration, own.onset, rng)
    time = np.arange(n_times) / sampling_rate
    dipole, events = trace(heart, own, times, time, rng)
    eight = heart.lead_field @ dipole
    if noise is not None:
        level = noise if isinstance(noise, Noise) else Noise(snr=noise)
        eight += _noise(level, eight, sampling_rate, heart.respiration, np.random.default_rng([seed, 3]))
    intervals = [beat.rr for beat in times.beats if 0 <= beat.time < duration]
    rate = 60 / float(np.mean(intervals)) if intervals else heart.rate
    return Recording(
        signal=(1000 * (TWELVE_FROM_EIGHT @ eight)).astype(np.float32),
        channels=LEADS_12,
        sampling_rate=float(sampling_rate),
        modality=(Modality.ECG,) * 12,
        record_id=record_id or f"simulated-{seed}",
        subject_id=subject.subject_id,
        codes=tuple(Code("simulated", diagnosis.id) for diagnosis in found),
        concepts=frozenset(concepts),
        report=report(found, rate, heart, np.random.default_rng([seed, 4])),
        events=events,
        meta={"age": subject.age, "sex": subject.sex},
    )


def _heart_today(subject: Subject, concepts: Collection[str], seed: int) -> Heart:
    """The person's heart with the diagnoses, and electrodes placed not quite where they were last time."""
    visit = np.random.default_rng([seed, 1])
    heart = replace(
        subject.heart,
        lead_field=subject.heart.lead_field + 0.025 * visit.standard_normal((8, 3)),
        rate=float(np.clip(subject.heart.rate * np.exp(0.05 * visit.standard_normal()), 62, 96)),
    )
    for diagnosis in resolve(concepts):
        own = np.random.default_rng([subject.seed, int(diagnosis.id)])
        heart = diagnosis.change(heart, own if diagnosis.lasting else visit)
    return heart


def _noise(
    noise: Noise, clean: Float[np.ndarray, "8 time"], rate: float, respiration: float, rng: np.random.Generator
) -> Float[np.ndarray, "8 time"]:
    """Noise at the level asked for, as measured in all twelve leads."""
    added = noise_in_leads(noise, clean.shape[1], rate, respiration, rng)
    signal, disturbance = (_power(TWELVE_FROM_EIGHT @ leads) for leads in (clean, added))
    scale = math.sqrt(signal / (disturbance * 10 ** (noise.snr / 10))) if disturbance > 0 else 0.0
    return scale * added


def _power(leads: Float[np.ndarray, "12 time"]) -> float:
    return float(leads.var(1).mean())
