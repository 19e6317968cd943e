"""What schemathesis cannot know: how tus sends bytes. Loaded by its command (`description_run`)."""

from __future__ import annotations

import schemathesis

from embedded_server.routes.tus_headers import BODY_TYPE

schemathesis.serializer.alias(BODY_TYPE, "application/octet-stream")
