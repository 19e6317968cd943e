"""A little window that the rig is tried on; it has one of each thing that a real one has."""

from __future__ import annotations

import time
from typing import TypeVar

from PySide6.QtCore import Qt, qWarning
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

W = TypeVar("W", bound=QWidget)

STALL_S = 0.3


class StandIn(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("stand-in")
        self.setObjectName("standIn")
        self.resize(900, 600)
        self.name = _named(QLineEdit(), "form.name")
        self.key = _named(QLineEdit(), "form.key")
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.choice = _named(QComboBox(), "form.choice")
        self.choice.addItems(["Local lake", "prod", "staging"])
        self.check = _named(QCheckBox("Contents only"), "form.check")
        self.said = _named(QLabel(), "said")
        self.table = _named(QTableWidget(0, 2), "table")
        self.table.setHorizontalHeaderLabels(["Name", "Folder"])
        form = QFormLayout(self)
        form.addRow("Name", self.name)
        form.addRow("Key", self.key)
        form.addRow("Choice", self.choice)
        form.addRow(self.check)
        buttons = QVBoxLayout()
        for name, slot in (
            ("greet", self.greet),
            ("stall", self.stall),
            ("warn", self.warn),
            ("fail", self.fail),
        ):
            button = _named(QPushButton(name), f"do.{name}")
            button.clicked.connect(slot)
            buttons.addWidget(button)
        form.addRow(buttons)
        self.drop_zone = DropZone(self)
        form.addRow(self.drop_zone)
        form.addRow(self.table)
        form.addRow(self.said)

    def greet(self) -> None:
        self.said.setText(f"hello {self.name.text()}, {self.choice.currentText()}")

    def stall(self) -> None:
        time.sleep(STALL_S)
        self.said.setText("back again")

    def warn(self) -> None:
        qWarning("a widget was laid out badly")
        self.said.setText("warned")

    def fail(self) -> None:
        self.said.setText("failed")
        raise ValueError("a slot went wrong")

    def add(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        row = self.table.rowCount()
        self.table.insertRow(row)
        self.table.setItem(row, 0, QTableWidgetItem(name))
        self.table.setItem(row, 1, QTableWidgetItem(folder))


class DropZone(QLabel):
    """Takes what is dropped here, and nothing beside."""

    def __init__(self, window: StandIn) -> None:
        super().__init__("Drop here")
        self.setObjectName("dropZone")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumHeight(80)
        self.setAcceptDrops(True)
        self._window = window

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            self._window.add(url.toLocalFile())
        event.acceptProposedAction()


def run_window(arguments: list[str]) -> int:
    application = QApplication(arguments)
    window = StandIn()
    window.show()
    return application.exec()


def _named(widget: W, name: str) -> W:
    widget.setObjectName(name)
    widget.setAccessibleName(name)
    return widget
