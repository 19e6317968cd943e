"""The routes, as the log and the metrics call them; what is none of them is told as "other"."""

from __future__ import annotations

from embedded_server.contract import (
    ABORT_ROUTE,
    BATCH_ROUTE,
    CAPABILITIES_ROUTE,
    END_ROUTE,
    HEALTH_ROUTE,
    HISTORY_QUERY_ROUTE,
    HISTORY_ROUTE,
    LIST_ROUTE,
    METRICS_ROUTE,
    START_ROUTE,
    SYNCS_QUERY_ROUTE,
    TUS_ROUTE,
    TUS_UPLOAD_ROUTE,
    UPLOAD_ROUTE,
    USAGE_ROUTE,
)
from embedded_server.contract_extensions import (
    LAKE_DELETE_ROUTE,
    LAKE_DOWNLOAD_ROUTE,
    LAKE_ENTRIES_ROUTE,
    LAKE_ENTRY_ROUTE,
    LAKE_FOLDER_ROUTE,
    LAKE_RENAME_ROUTE,
    LAKE_ZIP_ROUTE,
    MANIFEST_ROUTE,
    OPENAPI_ROUTE,
    TRASH_FILES_ROUTE,
    TRASH_PURGE_ROUTE,
    TRASH_RESTORE_ROUTE,
    TRASH_ROUTE,
)

OTHER = "other"
ROUTES = frozenset(
    {
        START_ROUTE,
        UPLOAD_ROUTE,
        END_ROUTE,
        LIST_ROUTE,
        HISTORY_ROUTE,
        CAPABILITIES_ROUTE,
        USAGE_ROUTE,
        BATCH_ROUTE,
        ABORT_ROUTE,
        SYNCS_QUERY_ROUTE,
        HISTORY_QUERY_ROUTE,
        HEALTH_ROUTE,
        METRICS_ROUTE,
        TUS_ROUTE,
        TUS_UPLOAD_ROUTE,
        LAKE_DELETE_ROUTE,
        LAKE_DOWNLOAD_ROUTE,
        LAKE_ENTRIES_ROUTE,
        LAKE_ENTRY_ROUTE,
        LAKE_FOLDER_ROUTE,
        LAKE_RENAME_ROUTE,
        MANIFEST_ROUTE,
        OPENAPI_ROUTE,
        LAKE_ZIP_ROUTE,
        TRASH_ROUTE,
        TRASH_FILES_ROUTE,
        TRASH_RESTORE_ROUTE,
        TRASH_PURGE_ROUTE,
    }
)


def route_of(path: str) -> str:
    """Uploads have addresses of their own, which nobody is told: one name for all of them."""
    if path.startswith(TUS_ROUTE + "/"):
        return TUS_UPLOAD_ROUTE
    return path if path in ROUTES else OTHER
