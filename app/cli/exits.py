"""What the commands' exit codes mean."""

from __future__ import annotations

DONE = 0  # upload: every file verified (on a plain server: acknowledged)
FAILED = 1  # some files failed, the server refused, nothing could be reached
WRONG_USE = 2  # nothing was begun: mend the command
INTERRUPTED = 130  # Ctrl-C, as a shell tells it: 128 + the signal
BROKEN_PIPE = 141  # whoever read our output left; a running upload goes on in the engine
TERMINATED = 143
