"""How much memory a process has (Linux)."""

from __future__ import annotations

from pathlib import Path


def resident_megabytes(pid: int | str = "self") -> float:
    """What it has now."""
    return _megabytes(pid, "VmRSS")


def peak_megabytes() -> float:
    """The most that this process had since `forget_peak`."""
    return _megabytes("self", "VmHWM")


def forget_peak() -> None:
    """Let the peak begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def _megabytes(pid: int | str, field: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith(field))
    return int(kilobytes) / 1024
