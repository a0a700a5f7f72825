"""Simulated ECGs, written by `biosig simulate`: the diagnoses are known because they were asked for."""

from __future__ import annotations

from pathlib import Path

from biosig.corpora import headers
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.wfdb import read_wfdb
from biosig.recording import Code, Modality, Recording
from biosig.splits import Split

_BEATS = "atr"


class Simulated:
    """A folder of WFDB records with the comments `Age`, `Sex`, `Dx`, `Subject`, `Session` and `Report`.

    Codes (system `simulated`) are the SNOMED-CT concepts that the simulator was asked for. Beats are events where the
    simulator wrote annotations. Some subjects have several records.
    """

    name = "simulated"
    title = "Simulated twelve-lead ECGs with known diagnoses"
    modality = (Modality.ECG,)
    licence = "Apache-2.0"
    citation = (
        "Made by `biosig simulate`, after McSharry PE, Clifford GD, Tarassenko L, Smith LA. A dynamical model for "
        "generating synthetic electrocardiogram signals. IEEE Transactions on Biomedical Engineering 50(3):289-294, "
        "2003. doi:10.1109/TBME.2003.808805; "
        "Sameni R, Clifford GD, Jutten C, Shamsollahi MB. Multichannel ECG and noise modeling: application to maternal "
        "and fetal ECG signals. EURASIP Journal on Advances in Signal Processing 2007:043407, 2007. "
        "doi:10.1155/2007/43407"
    )
    url = "https://doi.org/10.1109/TBME.2003.808805"
    access = "it is made by `biosig simulate DEST`"
    split = Split()
    sampling_rates = ()

    def find(self, source: Path) -> Entries:
        return headers.find(
            source,
            self.name,
            "WFDB headers with the comments 'Subject:', 'Dx:' and 'Report:', written by `biosig simulate`",
            says=lambda text: all(f"{name}:" in text for name in ("Subject", "Dx", "Report")),
        )

    def read(self, entry: Entry) -> Recording:
        has_beats = entry.path.with_suffix(f".{_BEATS}").is_file()
        recording = read_wfdb(entry.path, annotations=(_BEATS,) if has_beats else ())
        said = headers.fields(recording.meta["comments"])
        if not said.get("subject"):
            raise RecordError(entry.path, "Subject", "a comment that names the subject", said.get("subject"))
        return complete(
            recording,
            entry,
            subject_id=said["subject"],
            session=said.get("session", ""),
            codes=[Code("simulated", code) for code in headers.listed(said.get("dx", ""))],
            report=said.get("report", ""),
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
        )


CORPORA.add(Simulated.name, Simulated())
