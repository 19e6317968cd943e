"""What goes wrong between a screen and the engine."""

from __future__ import annotations

from app.domain.errors import LakeDropError


class EngineGone(LakeDropError):
    """The socket closed or stays silent. A job that ran goes on with the next engine."""

    title = "The upload engine is gone"


class EngineSilent(EngineGone):
    """Somebody holds the engine's place and does not answer."""

    title = "The upload engine does not answer"


class EngineNotStarted(LakeDropError):
    """The engine could not be started, or one of another version holds its place."""

    title = "The upload engine does not start"
