"""The window itself: the pages and the way between them, drops anywhere, and how it closes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6 import QtCore
from PySide6.QtCore import QEvent, QMimeData, QSize, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.domain.errors import LakeDropError
from app.ui.context import Page, UiContext
from app.ui.engine_client import LinkState
from app.ui.sidebar import Destination, Sidebar
from app.ui.tokens import Tone
from app.ui.upload.upload_front import UploadFront

if TYPE_CHECKING:
    from app.ui.widgets.banner import Banner

_UPLOAD, _JOBS, _HISTORY, _CONNECTIONS = range(4)
_NARROW_BELOW = 1100
_SMALLEST = QSize(760, 520)
_WANTED = QSize(1280, 800)
_TIDY_WITHIN_MS = 1_000
_FRAME = QSize(4, 40)  # about what the desktop draws around a window


class MainWindow(QMainWindow):
    """`first_painted` comes once, when there is something to look at: time for what can wait."""

    first_painted = Signal()

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        self._was_painted = False
        self._may_close = False
        self._banner: Banner | None = None
        self._pausing = False  # asked already; closed once all rests
        self.setObjectName("mainWindow")
        self.setWindowTitle("LakeDrop")
        self.setAcceptDrops(True)
        self.setMinimumSize(_SMALLEST)
        room = self.screen().availableSize() - _FRAME
        self.resize(_WANTED.boundedTo(room.expandedTo(_SMALLEST)))
        self._upload = UploadFront(context)
        # The other pages are made when somebody first goes there: the window is up sooner.
        self._makers: dict[int, Callable[[UiContext], Page]] = {
            _JOBS: _jobs_page,
            _HISTORY: _history_page,
            _CONNECTIONS: _connections_page,
        }
        self._pages: dict[int, Page] = {_UPLOAD: self._upload}
        self._shown = _UPLOAD
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        destinations = (
            Destination(self.tr("Upload"), "upload", "nav.upload"),
            Destination(self.tr("Sync jobs"), "list-checks", "nav.jobs"),
            Destination(self.tr("File history"), "history", "nav.history"),
            Destination(self.tr("Connections"), "plug", "nav.connections"),
        )
        whole = QWidget(self)
        self._sidebar = Sidebar(self._context.theme, destinations, whole)
        self._sidebar.show_chosen(_UPLOAD)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._upload)
        beside = QVBoxLayout()
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        self._banner_room = QVBoxLayout()
        self._banner_room.setContentsMargins(16, 0, 16, 0)
        beside.addLayout(self._banner_room)
        beside.addWidget(self._stack, 1)
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._sidebar)
        row.addLayout(beside, 1)
        self.setCentralWidget(whole)

    def _connect(self) -> None:
        navigator, link = self._context.navigator, self._context.link
        self._sidebar.chosen.connect(self.go_to)
        navigator.show_upload.connect(self._show_upload)
        navigator.show_connections.connect(lambda: self.go_to(_CONNECTIONS))
        navigator.new_upload.connect(self._new_upload)
        navigator.show_files_of_sync.connect(self._show_files_of_sync)
        self.first_painted.connect(self._upload.take_keyboard)
        link.state_changed.connect(self._tell_link)
        link.failed.connect(self.tell_error)
        for number in range(4):
            self._shortcut(f"Ctrl+{number + 1}", partial(self.go_to, number))
        self._shortcut(QKeySequence.StandardKey.New, self._new_upload)
        self._shortcut(QKeySequence.StandardKey.Open, self._add_files)
        self._shortcut("Ctrl+Shift+O", self._add_folder)
        self._shortcut(QKeySequence.StandardKey.Paste, self._paste)
        self._shortcut(QKeySequence.StandardKey.Refresh, lambda: self._page().entered())
        self._shortcut("Ctrl+Q", self.close)

    def _shortcut(self, keys: QKeySequence.StandardKey | str, do: Callable[[], object]) -> None:
        QShortcut(QKeySequence(keys), self).activated.connect(do)

    # -- pages -------------------------------------------------------------------------------

    def go_to(self, number: int) -> None:
        """Shows page 0 to 3: upload, sync jobs, file history, connections."""
        self._sidebar.show_chosen(number)
        if number == self._shown:
            return
        self._page().left()
        self._shown = number
        self._stack.setCurrentWidget(self._page())
        self._page().entered()

    def _page(self) -> Page:
        page = self._pages.get(self._shown)
        if page is None:
            page = self._pages[self._shown] = self._makers[self._shown](self._context)
            self._stack.addWidget(page)
        return page

    def _show_upload(self, job_id: int) -> None:
        self.go_to(_UPLOAD)
        if job_id:
            self._upload.jobs.choose_job(job_id)

    def _show_files_of_sync(self, connection: str, sync_id: int, name: str) -> None:
        from app.ui.history.history_page import HistoryPage

        self.go_to(_HISTORY)
        page = self._page()
        if isinstance(page, HistoryPage):
            page.show_sync(connection, sync_id, name)

    def _new_upload(self, connection: str = "") -> None:
        self.go_to(_UPLOAD)
        self._upload.jobs.new_job(connection)

    def _add_files(self) -> None:
        self.go_to(_UPLOAD)
        self._upload.jobs.add_files()

    def _add_folder(self) -> None:
        self.go_to(_UPLOAD)
        self._upload.jobs.add_folder()

    # -- what comes from outside -------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            _take_as_copy(event)
            self.go_to(_UPLOAD)
            self._upload.show_drop_target(True)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        _take_as_copy(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._upload.show_drop_target(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        _take_as_copy(event)
        self._upload.show_drop_target(False)
        self._take(event.mimeData())

    def _paste(self) -> None:
        self._take(QGuiApplication.clipboard().mimeData())

    def _take(self, mime: QMimeData) -> None:
        """Files and folders by URL, or paths as text, one a line."""
        if mime.hasUrls() or mime.hasText():
            self.go_to(_UPLOAD)
            self._upload.take(mime)

    # -- troubles ----------------------------------------------------------------------------

    def tell_error(self, error: LakeDropError) -> None:
        from app.ui.widgets.banner import BannerAction

        shown = self._context.errors.present(error)
        banner = self._shown_banner()
        close = BannerAction(self.tr("Close"), "window.banner.close", banner.hide)
        banner.tell(Tone.BAD, shown.title, shown.text, [close])

    def _tell_link(self) -> None:
        link = self._context.link
        if link.state is LinkState.READY:
            if self._banner is not None:
                self._banner.hide()
        elif link.trouble is not None:
            shown = self._context.errors.present(link.trouble)
            self._shown_banner().tell(Tone.WARN, shown.title, shown.text)

    def _shown_banner(self) -> Banner:
        """Made for the first trouble: most windows never have one."""
        if self._banner is None:
            from app.ui.widgets.banner import Banner

            self._banner = Banner(self._context.theme, "window.banner")
            self._banner.setProperty("place", "top")
            self._banner_room.addWidget(self._banner)
        return self._banner

    # -- Qt's events -------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() is QEvent.Type.Paint and not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self._after_first_paint)
        return handled

    def _after_first_paint(self) -> None:
        self.first_painted.emit()
        self._page().entered()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._sidebar.set_narrow(self.width() < _NARROW_BELOW)

    def closeEvent(self, event: QCloseEvent) -> None:
        from app.domain.upload_job import RUNNING

        running = [job for job in self._context.link.jobs.values() if job.state in RUNNING]
        if self._may_close or self._context.link.state is not LinkState.READY:
            event.accept()
            return
        if self._pausing:
            event.ignore()
            return
        to_pause: list[int] = []
        if running:
            from app.ui.close_dialog import CloseAnswer, CloseDialog

            dialog = CloseDialog(self._context, len(running), self)
            dialog.exec()
            if dialog.answer is CloseAnswer.STAY:
                event.ignore()
                return
            if dialog.answer is not CloseAnswer.KEEP:
                to_pause = [job.job_id for job in running]
        to_drop = self._upload.untouched_drafts
        if to_pause:
            # Closed only when the engine has said of each that it rests.
            event.ignore()
            self._close_after([("pause_job", job_id) for job_id in to_pause], to_drop)
        elif to_drop:
            event.ignore()
            self._close_after([], to_drop)
        else:
            event.accept()

    def _close_after(self, needed: list[tuple[str, int]], to_drop: list[int]) -> None:
        """Closes once the engine has answered; for what is only tidied up, soon in any case."""
        waiting = {*needed, *(("remove_job", job_id) for job_id in to_drop)}
        self._pausing = True

        def close() -> None:
            self._may_close = True  # the last news of jobs may still say that they run
            self.close()

        def answered(asked: tuple[str, int]) -> None:
            waiting.discard(asked)
            if not waiting:
                close()

        if not needed:
            QTimer.singleShot(_TIDY_WITHIN_MS, self, close)
        for asked in list(waiting):
            command, job_id = asked
            # One that is just ending cannot be paused and needs no window to end.
            done = partial(_ignoring_answer, partial(answered, asked))
            self._context.link.ask(command, done, done, job_id=job_id)


def _ignoring_answer(do: Callable[[], None], _: object) -> None:
    do()


def _take_as_copy(event: QDropEvent) -> None:
    """Whatever the file manager proposes: the user's files stay where they are."""
    event.setDropAction(QtCore.Qt.DropAction.CopyAction)
    event.accept()


def _jobs_page(context: UiContext) -> Page:
    from app.ui.jobs.jobs_page import JobsPage

    return JobsPage(context)


def _history_page(context: UiContext) -> Page:
    from app.ui.history.history_page import HistoryPage

    return HistoryPage(context)


def _connections_page(context: UiContext) -> Page:
    from app.ui.connections.connections_page import ConnectionsPage

    return ConnectionsPage(context)
