"""Every diagnosis is in the signal: measured as a cardiologist measures, never read from the parameters."""

from __future__ import annotations

from collections.abc import Callable

import neurokit2
import numpy as np
import pytest

from biosig.simulate import SIMULATED_CONCEPTS, ecg
from tests.biosig.simulate.measure import IDS, Measured, clean, r_times

SEEDS = range(12)
LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")


def measured(*abbreviations: str) -> list[Measured]:
    return [Measured(clean(*abbreviations, seed=seed)) for seed in SEEDS]


@pytest.fixture(scope="module")
def normal() -> list[Measured]:
    return measured("NSR")


def heart_rate(m: Measured) -> float:
    return float(60 / m.rr.mean())


def irregularity(m: Measured) -> float:
    """Coefficient of variation of RR."""
    return float(m.rr.std() / m.rr.mean())


def p_before_qrs(m: Measured) -> float:
    """Correlation of what comes before single QRS complexes with its mean: high only with P waves in place."""
    lead = m.recording.signal[1] / 1000
    rows = []
    for time in r_times(m.recording):
        r = round(time * m.rate)
        if r > 0.24 * m.rate:
            part = lead[r - round(0.24 * m.rate) : r - round(0.06 * m.rate)]
            rows.append(part - part.mean())
    mean = np.mean(rows, axis=0)
    return float(np.mean([np.corrcoef(row, mean)[0, 1] for row in rows]))


def atrial_rate(m: Measured) -> float:
    """Waves a minute between T and QRS, by the strongest frequency from 4 to 9 Hz in aVF with the QRS-T taken out."""
    lead, times = m.recording.signal[5].astype(float), r_times(m.recording)
    before, after = round(0.06 * m.rate), round(0.38 * m.rate)
    keep = np.ones(len(lead), bool)
    for time in times:
        keep[max(0, round(time * m.rate) - before) : round(time * m.rate) + after] = False
    t = np.arange(len(lead))[keep] / m.rate
    values = lead[keep] - lead[keep].mean()
    frequencies = np.arange(3.0, 9.0, 0.02)
    power = abs(np.exp(-2j * np.pi * frequencies[:, None] * t) @ values)
    return float(60 * frequencies[np.argmax(power)])


def p_duration(m: Measured) -> float:
    assert m.p
    return m.p[1] - m.p[0]


def r_in_v1(m: Measured) -> float:
    return float(m.qrs[6].max() - abs(m.qrs[6].min()))


def late_r_in_v1(m: Measured) -> float:
    """The highest point of V1 in the last third of the QRS, mV."""
    lead = m.qrs[6]
    return float(lead[2 * len(lead) // 3 :].max())


def worst_st(m: Measured) -> float:
    return min(level for name, level in m.st_levels.items() if name not in ("aVR", "V1"))


def best_st(m: Measured) -> float:
    return max(level for name, level in m.st_levels.items() if name != "aVR")


def deepest_t(m: Measured) -> float:
    return min(m.t_peak(name) for name in ("I", "II", "aVF", "V3", "V4", "V5", "V6"))


def q_size(m: Measured) -> float:
    """Second-largest product of depth (mV) and width (s) of an initial negative wave, where there should be none."""
    sizes = []
    for name in ("I", "II", "aVF", "V2", "V3", "V4", "V5", "V6"):
        lead = m.qrs[m.recording.channels.index(name)]
        crossings = np.flatnonzero(lead[3:] > 0)
        end = 3 + crossings[0] if len(crossings) else len(lead)
        sizes.append(-min(0.0, lead[:end].min()) * end / m.rate)
    return float(sorted(sizes)[-2])


def early_beats(m: Measured) -> float:
    """How much too early the earliest beat is, a share of the median interval."""
    return float(1 - m.rr.min() / np.median(m.rr))


def widest_beat(m: Measured) -> float:
    """Seconds that the widest QRS stays above a quarter of its height, in the root mean square of the leads."""
    size = np.sqrt((m.recording.signal**2).mean(0))
    widths = []
    for time in r_times(m.recording):
        r = round(time * m.rate)
        if 0.15 * m.rate < r < len(size) - 0.15 * m.rate:
            part = size[r - round(0.12 * m.rate) : r + round(0.12 * m.rate)]
            widths.append((part > 0.25 * part.max()).sum() / m.rate)
    return float(max(widths))


def spike_slope(m: Measured) -> float:
    """Sharpest corner between neighbouring samples, mV: no heart makes one, a pacemaker does."""
    return float(abs(np.diff(m.recording.signal, 2)).max() / 1000)


def missing_qrs(m: Measured) -> float:
    """P waves to a QRS complex."""
    return sum(event.code == "p" for event in m.recording.events) / len(r_times(m.recording))


# Concept -> a measurement, the value that tells it from sinus rhythm, and on which side it lies.
TELLS: dict[str, tuple[Callable[[Measured], float], float, str]] = {
    "SB": (heart_rate, 60, "below"),
    "STach": (heart_rate, 100, "above"),
    "SA": (irregularity, 0.06, "above"),
    "AF": (irregularity, 0.08, "above"),
    "AFL": (p_before_qrs, 0.0, "skip"),
    "PR": (spike_slope, 0.5, "above"),
    "IIAVB": (missing_qrs, 1.15, "above"),
    "CHB": (heart_rate, 50, "below"),
    "PAC": (early_beats, 0.15, "above"),
    "PVC": (widest_beat, 0.075, "above"),
    "IAVB": (lambda m: m.pr or 0.0, 0.205, "above"),
    "WPW": (lambda m: m.qrs_duration, 0.1055, "above"),
    "LBBB": (lambda m: m.qrs_duration, 0.120, "above"),
    "RBBB": (late_r_in_v1, 0.20, "above"),
    "IRBBB": (late_r_in_v1, 0.08, "above"),
    "LAD": (lambda m: m.axis, -30, "below"),
    "RAD": (lambda m: m.axis, 90, "above"),
    "LAnFB": (lambda m: m.axis, -44, "below"),
    "LVH": (lambda m: m.sokolow_lyon, 3.5, "above"),
    "RVH": (r_in_v1, 0.2, "above"),
    "LAE": (p_duration, 0.116, "above"),
    "LQRSV": (lambda m: m.limb_voltage, 0.5, "below"),
    "QAb": (q_size, 0.005, "above"),
    "STD": (worst_st, -0.06, "below"),
    "STE": (best_st, 0.10, "above"),
    "TInv": (deepest_t, -0.1, "below"),
    "LQT": (lambda m: m.qtc, 0.460, "above"),
}


def test_the_table_knows_every_concept() -> None:
    assert {*TELLS, "NSR"} == set(IDS)


@pytest.mark.parametrize("concept", [name for name, tell in TELLS.items() if tell[2] != "skip"])
def test_a_measurement_tells_the_concept_from_sinus_rhythm(concept: str, normal: list[Measured]) -> None:
    measure, limit, side = TELLS[concept]
    ill, well = [measure(m) for m in measured(concept)], [measure(m) for m in normal]
    if side == "above":
        assert max(well) < limit < min(ill)
    else:
        assert max(ill) < limit < min(well)


def test_sinus_rhythm_is_within_normal_limits(normal: list[Measured]) -> None:
    for m in normal:
        assert 60 <= heart_rate(m) <= 100
        assert 0.12 <= (m.pr or 0) <= 0.20
        assert 0.07 <= m.qrs_duration <= 0.11
        assert 0.35 <= m.qtc <= 0.45
        assert -30 <= m.axis <= 90
        assert m.limb_voltage >= 0.6
        assert m.sokolow_lyon < 3.5
        assert all(m.t_peak(name) > 0 for name in ("I", "II", "V3", "V4", "V5", "V6"))
        assert m.t_peak("aVR") < 0
        assert max(abs(level) for level in m.st_levels.values()) < 0.1
        # R grows from V1 to V4, S is deep on the right: the transition lies between.
        r, s = m.qrs[6:].max(1), -m.qrs[6:].min(1)
        assert r[0] < s[0]
        assert r[4] > s[4]


@pytest.mark.parametrize("concept", ["NSR", "SB", "STach", "SA", "AF", "PAC", "LVH", "IAVB", "LBBB"])
def test_neurokit_finds_the_annotated_beats(concept: str) -> None:
    for seed in range(3):
        recording = ecg([IDS[concept]], seed=seed, noise=25.0)
        lead = neurokit2.ecg_clean(recording.signal[10], sampling_rate=500)
        _, found = neurokit2.ecg_peaks(lead, sampling_rate=500)
        peaks, beats = found["ECG_R_Peaks"] / 500, r_times(recording)
        beats = beats[(beats > 0.4) & (beats < 9.6)]
        distance = abs(beats[:, None] - peaks).min(1)
        assert distance.max() < 0.06
        inner = peaks[(peaks > 0.35) & (peaks < 9.65)]
        assert 60 / np.diff(inner).mean() == pytest.approx(60 / np.diff(beats).mean(), rel=0.03)


@pytest.mark.parametrize(
    ("concept", "shortest", "longest"),
    [("NSR", 0.07, 0.11), ("IRBBB", 0.10, 0.122), ("LBBB", 0.12, 0.20), ("RBBB", 0.12, 0.17), ("PR", 0.12, 0.27)],
)
def test_qrs_duration(concept: str, shortest: float, longest: float) -> None:
    for m in measured(concept):
        assert shortest <= m.qrs_duration <= longest


def test_left_bundle_branch_block_has_its_shape() -> None:
    for m in measured("LBBB"):
        lead = dict(zip(m.recording.channels, m.qrs, strict=True))
        for left in ("I", "V6"):
            assert lead[left].max() > 5 * -lead[left].min()  # no Q, no S
            assert m.t_peak(left) < 0  # T against the QRS
        assert -lead["V1"].min() > 5 * lead["V1"].max()
        assert m.t_peak("V1") > 0


def test_right_bundle_branch_block_has_its_shape() -> None:
    for m in measured("RBBB"):
        late = slice(len(m.qrs[0]) * 55 // 100, None)
        assert m.qrs[6, late].max() > 0.2  # R' in V1
        assert m.qrs[0, late].min() < -0.08  # broad S in I
        assert m.qrs[11, late].min() < -0.1  # and in V6


@pytest.mark.parametrize(("concept", "low", "high"), [("LAD", -90, -30), ("RAD", 90, 180), ("LAnFB", -90, -44)])
def test_the_axis_lies_in_its_quadrant(concept: str, low: float, high: float) -> None:
    for m in measured(concept):
        assert low < m.axis < high
        lead_i, foot = m.qrs[0].sum(), m.qrs[5].sum()
        assert (lead_i > 0) == (concept != "RAD")
        assert (foot > 0) == (concept == "RAD")


def test_fibrillation_has_no_p_wave_and_flutter_has_its_rate() -> None:
    assert all(not any(event.code == "p" for event in m.recording.events) for m in measured("AF"))
    assert (
        np.mean([p_before_qrs(m) for m in measured("AF")]) < 0.7 < np.mean([p_before_qrs(m) for m in measured("NSR")])
    )
    for m in measured("AFL"):
        if heart_rate(m) < 120:  # at two to one too little is left between the beats to look at
            assert 240 <= atrial_rate(m) <= 350
            assert np.ptp(m.recording.signal[5]) > 100


def test_flutter_intervals_are_whole_cycles() -> None:
    for m in measured("AFL"):
        cycle = m.rr.min() / 2 if m.rr.min() < 0.55 else m.rr.min() / round(m.rr.min() / 0.2)
        ratios = m.rr / cycle
        assert abs(ratios - ratios.round()).max() < 0.12


def test_a_ventricular_extrasystole_is_wide_without_p_and_followed_by_a_full_pause() -> None:
    for m in measured("PVC"):
        events = m.recording.events
        times = r_times(m.recording)
        codes = [event.code for event in events if event.duration == 0]
        usual = float(np.median(m.rr))
        assert "V" in codes
        for k in [k for k, code in enumerate(codes) if code == "V" and 0 < k < len(codes) - 1]:
            assert times[k] - times[k - 1] < 0.8 * usual
            assert times[k + 1] - times[k - 1] == pytest.approx(2 * usual, rel=0.06)
            assert not any(event.code == "p" and 0 < times[k] - event.onset < 0.22 for event in events)
            width = next(e.duration for e in events if e.code == "qrs" and e.onset < times[k] < e.onset + e.duration)
            assert width >= 0.12


def test_an_atrial_extrasystole_is_narrow_with_another_p_and_a_shorter_pause() -> None:
    for m in measured("PAC"):
        codes = [event.code for event in m.recording.events if event.duration == 0]
        times, usual = r_times(m.recording), float(np.median(m.rr))
        assert "A" in codes
        for k in [k for k, code in enumerate(codes) if code == "A" and 0 < k < len(codes) - 1]:
            assert times[k] - times[k - 1] < 0.8 * usual
            assert times[k + 1] - times[k - 1] < 1.97 * usual
            assert any(event.code == "p" and 0.1 < times[k] - event.onset < 0.28 for event in m.recording.events)


def test_in_complete_block_atria_and_ventricles_do_not_heed_each_other() -> None:
    for m in measured("CHB"):
        p = np.array([event.onset for event in m.recording.events if event.code == "p"])
        delays = np.array([time - p[p < time].max() for time in r_times(m.recording) if (p < time).any()])
        assert np.diff(p).std() < 0.06 * np.diff(p).mean()
        assert np.ptp(delays) > 0.1
        assert len(p) > 1.3 * len(r_times(m.recording))


def test_wenckebach_lengthens_pr_until_a_beat_drops() -> None:
    seen = 0
    for seed in range(40):
        m = Measured(clean("IIAVB", seed=seed))
        p = [event.onset for event in m.recording.events if event.code == "p"]
        beats = r_times(m.recording)
        pr = [next((beat - onset for beat in beats if 0 < beat - onset < 0.55), None) for onset in p]
        runs = [(a, b) for a, b, c in zip(pr, pr[1:], pr[2:], strict=False) if a and b and c is None]
        if runs and runs[0][1] - runs[0][0] > 0.015:
            seen += 1
    assert seen > 5


def test_qt_follows_the_rate_by_fridericia() -> None:
    slow, fast = (np.mean([m.qt for m in measured(name)]) for name in ("SB", "NSR"))
    assert slow > fast + 0.02
    assert np.mean([m.qtc for m in measured("SB")]) == pytest.approx(
        np.mean([m.qtc for m in measured("NSR")]), abs=0.01
    )


@pytest.mark.parametrize(
    "combination",
    [
        ("AF", "LBBB"),
        ("AF", "PVC", "LVH"),
        ("SB", "IAVB", "RBBB", "LAnFB", "LAD"),
        ("STach", "LQRSV", "STD"),
        ("NSR", "STD", "TInv", "LVH"),
        ("SA", "SB"),
        ("AFL", "RBBB"),
        ("NSR", "RVH", "RAD", "LAE"),
    ],
)
def test_combinations_show_all_they_are_made_of(combination: tuple[str, ...]) -> None:
    # Measurements that another member of the combination disturbs are left to the single concepts.
    disturbed = {"LAnFB": {"RBBB"}, "LAD": {"RBBB"}, "RBBB": {"AFL"}, "STD": {"STach"}}
    for m in measured(*combination):
        assert m.recording.concepts == {IDS[name] for name in combination}
        for name in combination:
            if name == "NSR" or disturbed.get(name, set()) & set(combination):
                continue
            measure, limit, side = TELLS[name]
            value = measure(m)
            assert side == "skip" or (value > limit if side == "above" else value < limit), (name, value)


def test_st_deviation_and_t_inversion_have_their_sign_and_wall() -> None:
    for m in measured("STD"):
        assert m.st("V5") < -0.05
        assert m.st("aVR") > 0  # reciprocal
    walls = {"anterior": ("V2", "V3"), "inferior": ("II", "III", "aVF"), "lateral": ("I", "V5", "V6")}
    for m in measured("STE"):
        best = max(walls, key=lambda wall: np.mean([m.st(name) for name in walls[wall]]))
        assert all(m.st(name) > 0.05 for name in walls[best])


def test_every_concept_names_a_term_once() -> None:
    terms = [SIMULATED_CONCEPTS[id_].term for id_ in SIMULATED_CONCEPTS]
    assert len(set(terms)) == len(terms) == len(IDS)
