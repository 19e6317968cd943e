"""The peer: a stock FastAPI `UploadFile` route that syncs nothing and checks nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, UploadFile

app = FastAPI()
_FOLDER = Path(os.environ.get("PEER_FOLDER", "."))


@app.post("/upload")
async def upload(file: Annotated[UploadFile, "the documented field"]) -> dict[str, bool]:
    with (_FOLDER / Path(file.filename or "unnamed").name).open("wb") as stored:
        shutil.copyfileobj(file.file, stored)
    return {"ok": True}
