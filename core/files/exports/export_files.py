"""The writer for each format an export can have."""

from collections.abc import Callable
from pathlib import Path

from core.domain.reports.exports import ExportFormat
from core.files.exports.export_columns import Layout, Writer
from core.files.exports.export_plain import CsvFile, ParquetFile
from core.files.exports.export_xlsx import XlsxFile

MEDIA_TYPES = {
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}
_WRITERS: dict[ExportFormat, Callable[[Path, Layout], Writer]] = {
    ExportFormat.XLSX: XlsxFile,
    ExportFormat.CSV: CsvFile,
    ExportFormat.PARQUET: ParquetFile,
}


def open_writer(path: Path, kind: ExportFormat, layout: Layout) -> Writer:
    """Return the writer of a new file at *path*, to be used in a `with` block."""
    return _WRITERS[kind](path, layout)
