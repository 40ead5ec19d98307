"""sssd's KCM server, for the scripts here; tests/support/kcm.c is the same for
tests in C and says more."""
import os
import pathlib
import shutil
import socket
import subprocess

import stage

SOCKET = "/run/.heim_org.h5l.kcm-socket"
# Which is the default cache?  Protocol 2.0, operation 20 (krb5's kcm.h).
QUESTION = bytes((0, 0, 0, 4, 2, 0, 0, 20))


class Server:
    """From here to stop()."""

    def __init__(self):
        shutil.rmtree("/var/lib/sss", ignore_errors=True)
        for name in ("db", "mc", "pipes", "secrets"):
            os.makedirs(f"/var/lib/sss/{name}", 0o700)
        os.makedirs("/var/log/sssd", 0o700, exist_ok=True)
        stage.write("/etc/sssd/sssd.conf", "[sssd]\n[kcm]\n", 0o600)
        log = stage.HERE / "kcm.log"
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                ["/usr/libexec/sssd/sssd_kcm", "--uid=0", "--gid=0",
                 "--logger=stderr"], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True)
        stage.wait_for(self.answers, lambda: pathlib.Path(log).read_text())

    @staticmethod
    def answers():
        """Whether it does, which takes a while after its start."""
        with socket.socket(socket.AF_UNIX) as there:
            there.settimeout(1)
            try:
                there.connect(SOCKET)
                there.sendall(QUESTION)
                return len(there.recv(64)) >= 8
            except OSError:
                return False

    def stop(self):
        # As tests/support/kcm.c does: it has nothing to finish.
        self.process.kill()
        self.process.wait(stage.DEADLINE_S)
