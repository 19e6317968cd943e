"""What systems and programs leave in folders without anybody's wish, known by its name alone.

Only names that are no data anywhere: a dot or an underscore in front says nothing (`_delta_log`,
`.hoodie`, `._SUCCESS.crc` belong to tables). The names are those that Nextcloud's and ownCloud's
clients leave out, and those under which AzCopy, rclone, WinSCP, FileZilla and browsers write what
is not whole yet; backups (`*~`, `*.bak`) and a plain `.tmp` may be data and stay.
"""

from __future__ import annotations

import re

from app.domain import sentences

_OF_SYSTEMS = {
    ".ds_store": "macOS",
    ".apdisk": "macOS",
    "icon\r": "macOS",
    "thumbs.db": "Windows",
    "ehthumbs.db": "Windows",
    "ehthumbs_vista.db": "Windows",
    "desktop.ini": "Windows",
}
_FOLDERS_OF_SYSTEMS = {
    ".spotlight-v100": "macOS",
    ".trashes": "macOS",
    ".fseventsd": "macOS",
    ".temporaryitems": "macOS",
    ".documentrevisions-v100": "macOS",
    "$recycle.bin": "Windows",
    "system volume information": "Windows",
}
# Who has a document open: Microsoft's and LibreOffice's mark beside it, and Office's half-written
# copy. Files that were deleted while somebody had them open: NFS, and FUSE in general.
_OPENED = re.compile(r"~\$.+|\.~lock\..+#|~.+\.tmp|\.nfs[0-9a-f]{24}|\.fuse_hidden[0-9a-f]{16}")
_UNFINISHED = re.compile(
    r".+\.(?:crdownload|part|partial|filepart|opdownload|aria2|!ut|!qb|bc!)"
    r"|\.azdownload-[0-9a-f]{8}-.+"
    r"|\.(?:com\.google\.chrome|org\.chromium\.chromium)\.[a-z0-9]{6}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp"  # Chromium's, before it has a name
)
# One look for nearly all names: what none of the above can be.
_SUSPECT = re.compile(
    r"[.~ei$dts]|.*\.(?:crdownload|part|partial|filepart|opdownload|aria2|!ut|!qb|bc!|tmp)$",
    re.DOTALL,
)


def junk_reason(name: str, *, is_folder: bool) -> str:
    """Why this is left out unless somebody wants it, "" for what is data as far as one can see."""
    folded = name.lower()
    if not _SUSPECT.match(folded):
        return ""
    if is_folder:
        system = _FOLDERS_OF_SYSTEMS.get(folded)
        return sentences.JUNK_FOLDER(system=system) if system else ""
    if system := _OF_SYSTEMS.get(folded):
        return sentences.JUNK(system=system)
    if _UNFINISHED.fullmatch(folded):
        return sentences.UNFINISHED()
    if _OPENED.fullmatch(folded):
        return sentences.OPENED()
    return ""
