"""A throwaway PostgreSQL from the binaries of Debian's package, or those in the PATH."""

import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

# It outlives this process by a moment, however that ends, since its standard input closes then, and cleans up.
KEEPER = """
"$1/postgres" -D data -k "$PWD" -c listen_addresses= -c fsync=off 2> log &
read -r _
kill -QUIT $!
wait
rm -rf "$PWD"
"""


@contextlib.contextmanager
def throwaway():
    """The URL of an empty database, which is gone in the end."""
    binaries = find()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="proxbox-pg-"))
    user = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def run(program, *arguments, check=True):
        command = [binaries / program, *arguments]
        return subprocess.run(command, cwd=folder, check=check, capture_output=True, text=True, **user)

    run("initdb", "-D", "data", "-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8")
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", KEEPER, "keeper", binaries], cwd=folder, stdin=subprocess.PIPE, start_new_session=True, **user
    )
    try:
        until = time.monotonic() + 30
        while run("psql", "-h", folder, "-U", "postgres", "-c", "SELECT 1", check=False).returncode != 0:
            if time.monotonic() > until:
                raise TimeoutError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        run("createdb", "-h", folder, "-U", "postgres", "-E", "UTF8", "-T", "template0", "proxbox")
        yield f"postgres://postgres@localhost/proxbox?host={folder}"
    finally:
        keeper.stdin.close()
        keeper.wait()


def find():
    """The folder of the binaries, the newest first."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folders.reverse()
    in_path = shutil.which("initdb")
    if in_path:
        folders.append(pathlib.Path(in_path).parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("PostgreSQL's initdb and postgres, neither in /usr/lib/postgresql nor in the PATH")
