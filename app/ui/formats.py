"""Sizes, speeds, durations, numbers and times: in the window's language, in local time."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QLocale, QObject


class Formats(QObject):
    """Made once for a language; every text is short enough for a table cell."""

    def __init__(self, locale: QLocale, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._locale = locale

    def number(self, count: int) -> str:
        return self._locale.toString(count)

    def percent(self, fraction: float) -> str:
        """Never 100 % before everything is there."""
        whole = 100 if fraction >= 1 else min(int(fraction * 100), 99)
        return self.tr("{0} %").format(self._locale.toString(whole))

    def size(self, size_bytes: float) -> str:
        """`9.1 GB`; powers of 1000, as file managers and disks tell them."""
        kind = QLocale.DataSizeFormat.DataSizeSIFormat
        precision = 0 if size_bytes < 1000 else 1
        return self._locale.formattedDataSize(int(size_bytes), precision, kind)

    def speed(self, bytes_per_s: float) -> str:
        if bytes_per_s < 1:
            return ""
        return self.tr("{0}/s").format(self.size(bytes_per_s))

    def files(self, count: int) -> str:
        return self.tr("%n file(s)", "", count) if count < 1000 else self._many_files(count)

    def duration(self, seconds: float) -> str:
        """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 04 min`, `3 d 4 h`."""
        if seconds < 10:
            return self.tr("{0} s").format(self._locale.toString(float(max(seconds, 0)), "f", 1))
        whole = round(seconds)
        if whole < 60:
            return self.tr("{0} s").format(whole)
        if whole < 3600:
            return self.tr("{0} min {1} s").format(whole // 60, f"{whole % 60:02}")
        if whole < 86_400:
            return self.tr("{0} h {1} min").format(whole // 3600, f"{whole % 3600 // 60:02}")
        return self.tr("{0} d {1} h").format(whole // 86_400, whole % 86_400 // 3600)

    def took(self, start_ms: int, end_ms: int) -> str:
        """Empty while it runs, or where the server's times make no sense."""
        return self.duration((end_ms - start_ms) / 1000) if 0 < start_ms <= end_ms else ""

    def moment(self, time_ms: int) -> str:
        """Local date and time to the second; empty for 0 (not yet) and what no calendar holds."""
        if not 0 < time_ms < 253_402_300_800_000:  # the year 10,000
            return ""
        local = QDateTime.fromMSecsSinceEpoch(time_ms)
        return local.toString("yyyy-MM-dd HH:mm:ss")

    def _many_files(self, count: int) -> str:
        # `%n` writes no thousands separator
        return self.tr("{0} files").format(self.number(count))
