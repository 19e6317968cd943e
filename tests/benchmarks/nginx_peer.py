"""The peer of the server's bars: Debian's nginx, which takes files by WebDAV PUT and syncs nothing.

Run as an ordinary child with a configuration of its own, which is as kind as can be: a worker a
processor (Debian's default), no log, bodies stored at once on the disk that they stay on.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.ports import free_port, wait_until_it_listens

_CONFIGURATION = """\
daemon off;
{user}worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/incoming;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        location / {{
            dav_methods PUT;
            create_full_put_path on;
        }}
    }}
}}
"""


def has_nginx() -> bool:
    return shutil.which("nginx") is not None


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Gives its address, without a slash at the end; what is put lies in `folder/files`."""
    (folder / "files").mkdir(parents=True)
    configuration = folder / "nginx.conf"
    with contextlib.closing(free_port()) as held:
        port = held.getsockname()[1]
    # Started by root, its workers would be somebody who may not write here.
    user = f"user {folder.owner()} {folder.group()};\n" if folder.stat().st_uid == 0 else ""
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, user=user))
    errors = folder / "error.log"
    command = [str(shutil.which("nginx")), "-p", str(folder), "-c", str(configuration)]
    server = subprocess.Popen([*command, "-e", str(errors)])
    try:
        wait_until_it_listens(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
