"""Uploads by Qt's own QHttpMultiPart: `python qt_upload.py ADDRESS < names.json`, statuses out.

A program of its own, since Qt wants an event loop that is nobody else's.
"""

from __future__ import annotations

import json
import sys

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtNetwork import QHttpMultiPart, QHttpPart, QNetworkAccessManager, QNetworkRequest


def main(address: str, names: list[str]) -> list[int]:
    application = QCoreApplication([])
    network = QNetworkAccessManager()
    told = []
    for name in names:
        part = QHttpPart()
        written = name.replace('"', "%22")
        part.setHeader(
            QNetworkRequest.KnownHeaders.ContentDispositionHeader,
            f'form-data; name="file"; filename="{written}"',
        )
        part.setBody(b"by Qt")
        form = QHttpMultiPart(QHttpMultiPart.ContentType.FormDataType)
        form.append(part)
        reply = network.post(QNetworkRequest(QUrl(address)), form)
        reply.finished.connect(application.quit)
        application.exec()
        status = reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
        told.append(int(status or 0))
    return told


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.load(sys.stdin))))
