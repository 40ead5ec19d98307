"""An sshd of the distribution's, and its clients; for the scripts here.

The server listens on the network that the namespace has for itself.  A client
gets its password from a program (SSH_ASKPASS), and its session runs the probe
until the client's input ends.
"""
import os
import pathlib
import selectors
import socket
import subprocess
import threading

import stage

KEY = stage.HERE / "client_key"
PASSWORD = "password"
KEYBOARD = "keyboard-interactive"
PUBLIC_KEY = "publickey"
GSSAPI = "gssapi-with-mic"


def prepare():
    """Keys and configurations, once a script."""
    os.makedirs("/run/sshd", 0o755)
    for path in (stage.HERE / "host_key", KEY):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        path], check=True)
    key = pathlib.Path(f"{KEY}.pub").read_text()
    for user in ("alice", "bob", "carol"):
        stage.write(stage.HERE / "keys" / user, key)
    stage.write(stage.HERE / "askpass", '#!/bin/sh\necho "$PASSWORD"\n', 0o755)
    stage.write(stage.HERE / "ssh_config", f"""\
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
NumberOfPasswordPrompts 1
KexAlgorithms curve25519-sha256
IdentitiesOnly yes
IdentityFile {KEY}
GSSAPIAuthentication yes
GSSAPIDelegateCredentials yes
""")


class Server:
    """sshd from here to the end of the block."""

    def __init__(self, *lines):
        stage.write(stage.HERE / "sshd_config", "\n".join([
            *lines,
            "ListenAddress 127.0.0.1:22",
            f"HostKey {stage.HERE}/host_key",
            f"AuthorizedKeysFile {stage.HERE}/keys/%u",
            "UsePAM yes",
            "KbdInteractiveAuthentication yes",
            "PasswordAuthentication yes",
            "GSSAPIAuthentication yes",
            "MaxStartups 200",
            "PidFile none",
            "LogLevel VERBOSE",
        ]) + "\n")
        mark = stage.LOG.mark()
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", stage.HERE / "sshd_config"],
            stdin=subprocess.DEVNULL)
        stage.LOG.wait("Server listening on 127.0.0.1 port 22", mark)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def processes_of(self, seen):
        """Those of the session that SEEN tells of, the monitor first."""
        pid = int(seen["pid"])
        above = list(stage.ancestors(pid))
        return [*reversed(above[:above.index(self.process.pid)]), pid]

    def stop(self):
        self.process.terminate()
        self.process.wait(stage.DEADLINE_S)


class Relay:
    """A port in front of the server's.  From start() on it passes data on and
    counts the pieces; BEFORE piece number LIMIT, or behind it, it calls what
    start() was given."""

    def __init__(self, limit=None, before=True):
        self.limit = limit
        self.before = before
        self.stop = None
        self.count = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def start(self, stop=None):
        self.stop = stop
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", 22))
        with client, server, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while self.pass_on(selector):
                pass
        self.listener.close()

    def pass_on(self, selector):
        """One piece; False at the end."""
        for key, _ in selector.select():
            try:
                data = key.fileobj.recv(65536)
                if self.count == self.limit and self.before:
                    self.stop()
                    return False
                key.data.sendall(data)
                if self.count == self.limit:
                    self.stop()
            except OSError:
                return False
            if not data:
                return False
            self.count += 1
        return True


class Login:
    """A client; a session with the probe when it is let in."""

    def __init__(self, user, method=PASSWORD, *, password=None, port=22,
                 options=(), **environment):
        self.user = user
        self.text = ""
        self.process = subprocess.Popen(
            ["ssh", "-F", stage.HERE / "ssh_config", "-p", str(port),
             "-o", f"PreferredAuthentications={method}", *options,
             f"{user}@{stage.HOST}", stage.PROBE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1,
            env={**os.environ, "SSH_ASKPASS": str(stage.HERE / "askpass"),
                 "SSH_ASKPASS_REQUIRE": "force",
                 "PASSWORD": password or stage.password_of(user),
                 **environment})
        # A login that hangs fails, and the test goes on.
        self.timer = threading.Timer(stage.DEADLINE_S, self.process.kill)
        self.timer.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.wait()

    def read(self, word):
        """Reads on until the probe has answered WORD, or to the end."""
        for line in self.process.stdout:
            self.text += line
            seen = stage.read_probe(self.text, word)
            if seen:
                return seen
        return None

    def kill(self):
        self.process.kill()

    def probe(self, word="start"):
        """What the session sees now."""
        if word != "start":
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        seen = self.read(word)
        assert seen, f"no session for {self.user}, but {self.text!r}"
        return seen

    def wait(self):
        """The client's status."""
        status = self.process.wait()
        self.timer.cancel()
        self.process.stdin.close()
        self.process.stdout.close()
        return status

    def log_out(self):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        status = self.wait()
        assert status == 0, f"the session ended with {status}: {rest!r}"

    def is_refused(self):
        """Waits for the end of a login that gets no session."""
        seen = self.read("start")
        return seen is None and self.wait() == 255
