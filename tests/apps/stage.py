"""The machine that the tests of real programs play on.

A script of tests/apps calls main(), which sees to it that the script runs in
tests/in-namespace --machine and in a private realm, lays out the machine (the
distribution's own /etc/pam.d with our lines in the common stacks, accounts
without a unix password, the realm's krb5.conf and keytab, a /dev/log), runs
the tests and writes TAP.

What the tests share is here as well: a probe that tells what a session sees,
terminals, processes, caches, and what is left when all is over.  What one host
needs is in that host's script.
"""
import contextlib
import json
import os
import pathlib
import pwd
import re
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path("/run/stage")
PROBE = HERE / "probe"
HOST = "testhost.pam.test"
# Generous: a slow machine is no failure.
DEADLINE_S = 30
PAUSE_S = 0.01
IS_LONG = "TEST_LONG" in os.environ

TESTS = []
LOG = None
KRB5_CONF = ""
ROOM_FOR_LOG = 200


class Skip(Exception):
    """This machine cannot run the test; the text says why."""


def test(function=None, *, errors=None):
    """Marks a test.  ERRORS is a pattern of the module's error lines that
    belong to it; any other makes it fail."""
    def mark(marked):
        marked.errors = errors
        TESTS.append(marked)
        return marked
    return mark(function) if function else mark


# Waiting


def wait_for(condition, what, seconds=DEADLINE_S):
    """What CONDITION returns as soon as that is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            state = what() if callable(what) else what
            raise AssertionError(f"not within {seconds} s: {state}")
        time.sleep(PAUSE_S)


# The log


class Log:
    """What is sent to /dev/log, line by line."""

    def __init__(self):
        self.lines = []
        self.calls = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            text = self.socket.recv(65536).decode(errors="replace")
            match = re.match(r"<(\d+)>(?:\w+ [ \d]\d [\d:]{8} )?(.*)", text,
                             re.DOTALL)
            line = match[2].rstrip("\n\0")
            self.lines.append((int(match[1]) & 7, line))
            for call in [call for call in self.calls
                         if re.search(call[0], line)]:
                self.calls.remove(call)
                call[1]()

    def call_at(self, pattern, function):
        """Calls FUNCTION once, at the next line that PATTERN is found in."""
        self.calls.append((pattern, function))

    def mark(self):
        """Where the log is now."""
        return len(self.lines)

    def since(self, mark):
        return self.lines[mark:]

    def wait(self, pattern, mark):
        """The first line since MARK that PATTERN is found in."""
        def found():
            for _, line in self.since(mark):
                if re.search(pattern, line):
                    return line
            return None
        return wait_for(found, f"a line of the log like {pattern!r}")

    def module_errors(self, mark):
        """What the module has said at error or above."""
        return [line for level, line in self.since(mark)
                if level <= 3 and "pam_krb5cc(" in line]


# The layout of the machine


def write(path, text, mode=0o644):
    path = pathlib.Path(path)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # A file of the distribution is replaced, whatever its mode and links.
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    path.write_text(text)
    path.chmod(mode)
    return path


UNIX_FIRST = "pam_unix, then pam_krb5cc"
KRB5CC_FIRST = "pam_krb5cc, then pam_unix"


def install_stacks(options="minimum_uid=1000 debug", order=UNIX_FIRST):
    """The lines of README, in the common stacks of Debian; the files of the
    services are Debian's own.

    ORDER is that of the auth lines.  Who calls setcred without authenticate
    has the success of the first jump over the second: of the orders only
    KRB5CC_FIRST, which is Debian's libpam-krb5's, calls ours then.
    """
    module = f"{os.environ['PAM_KRB5CC_MODULE']} {options}"
    if order == UNIX_FIRST:
        modules = ["pam_unix.so nullok", f"{module} use_first_pass"]
    else:
        modules = [module, "pam_unix.so nullok try_first_pass"]
    write("/etc/pam.d/common-auth", f"""\
auth [success=2 default=ignore] {modules[0]}
auth [success=1 default=ignore] {modules[1]}
auth requisite pam_deny.so
auth required pam_permit.so
""")
    write("/etc/pam.d/common-account", f"""\
account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so
account required {module}
""")
    session = f"""\
session [default=1] pam_permit.so
session requisite pam_deny.so
session required pam_permit.so
session required pam_unix.so
session optional {module}
"""
    write("/etc/pam.d/common-password", f"""\
password [success=2 default=ignore] {module}
password [success=1 default=ignore] pam_unix.so obscure use_authtok \
try_first_pass yescrypt
password requisite pam_deny.so
password required pam_permit.so
""")
    write("/etc/pam.d/common-session", session)
    write("/etc/pam.d/common-session-noninteractive", session)


def install_krb5_conf(**libdefaults):
    """The realm's krb5.conf with more lines in [libdefaults]."""
    lines = "".join(f"{name} = {value}\n"
                    for name, value in libdefaults.items())
    write("/etc/krb5.conf", KRB5_CONF.replace(
        "[libdefaults]\n", "[libdefaults]\n" + lines, 1))


def lay_out():
    """Everything that a login asks of a machine."""
    global KRB5_CONF  # pylint: disable=global-statement
    HERE.mkdir(mode=0o755)
    (HERE / "own").mkdir()
    os.chmod(HERE / "own", 0o1777)
    KRB5_CONF = pathlib.Path(os.environ.pop("KRB5_CONFIG")).read_text()
    install_krb5_conf()
    shutil.copy(os.environ.pop("KRB5_KTNAME").removeprefix("FILE:"),
                "/etc/krb5.keytab")
    os.chmod("/etc/krb5.keytab", 0o600)
    for name in ("KRB5_KDC_PROFILE", "KRB5CCNAME"):
        os.environ.pop(name, None)
    os.environ.update(
        LC_ALL="C", TZ="UTC", HOME=str(HERE),
        PATH=os.environ["PATH"] + ":/usr/sbin:/usr/bin:/sbin:/bin")
    # Nobody has a unix password, so that Kerberos decides.
    write("/etc/shadow", "".join(
        f"{entry.pw_name}:*:19000:0:99999:7:::\n"
        for entry in pwd.getpwall()), 0o640)
    os.chown("/etc/shadow", 0, 42)
    write("/etc/hosts", f"127.0.0.1 {HOST} testhost localhost\n")
    write("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"
          "shadow: files\nhosts: files\n")
    write("/etc/resolv.conf", "")
    write("/etc/environment", "")
    write("/etc/default/locale", "")
    install_stacks()
    write(PROBE, PROBE_TEXT, 0o755)


# What a session sees

# It answers each line that it reads; it ends with its input.
PROBE_TEXT = r"""#!/bin/sh
probe() {
    echo "PROBE uid=$(id -u)"
    echo "PROBE pid=$$"
    echo "PROBE set=${KRB5CCNAME+yes}"
    echo "PROBE name=${KRB5CCNAME-}"
    echo "PROBE variables=$(env | sed -n 's/^\([^=]*[Kk][Rr][Bb]5[^=]*\)=.*/\1/p')"
    klist -s
    echo "PROBE valid=$?"
    klist 2>/dev/null | sed -n 's/^Ticket cache: /PROBE cache=/p
        s/^Default principal: /PROBE principal=/p'
    echo "PROBE done=$1"
}
probe start
while read -r word; do
    probe "$word"
done
"""


def read_probe(text, word="start"):
    """The answer to WORD in TEXT as a dictionary, None where there is none."""
    answers = re.split(r"PROBE done=(\S*)\r?\n", text)
    for body, end in zip(answers[::2], answers[1::2]):
        if end == word:
            return dict(re.findall(r"PROBE (\w+)=([^\r\n]*)", body))
    return None


def uid_of(user):
    return pwd.getpwnam(user).pw_uid


def password_of(user):
    return user + os.environ["REALM_PASSWORD_SUFFIX"]


def check_own_tickets(seen, user):
    """The session that SEEN tells of has USER's tickets in a cache of its
    own, which KRB5CCNAME names."""
    check_own_name(seen, user)
    if seen["name"].startswith("FILE:"):
        check_file(seen["name"].removeprefix("FILE:"), user)


def check_own_name(seen, user):
    """As far as that can be told of a session that has ended."""
    assert seen["uid"] == str(uid_of(user)), seen
    assert seen["set"] == "yes", seen
    assert seen["valid"] == "0", seen
    assert seen["cache"] == seen["name"], seen
    assert seen["variables"] == "KRB5CCNAME", seen
    assert seen["principal"] == f"{user}@{os.environ['REALM']}", seen


def check_file(path, user):
    """A cache file belongs to USER alone."""
    info = os.lstat(path)
    entry = pwd.getpwnam(user)
    assert path.startswith(f"/tmp/krb5cc_{entry.pw_uid}_"), path
    assert (info.st_uid, info.st_gid) == (entry.pw_uid, entry.pw_gid), info
    assert info.st_mode == 0o100600, oct(info.st_mode)
    assert info.st_nlink == 1, info


def check_no_tickets(seen):
    """The session has none and is not told of any."""
    assert seen["set"] == "", seen
    assert seen["valid"] != "0", seen


# Users and their own caches


def as_user(user):
    """Arguments that let subprocess start a program as USER."""
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid,
            "extra_groups": os.getgrouplist(user, entry.pw_gid),
            "cwd": entry.pw_dir}


def environment_of(user, **more):
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "USER": user,
            "HOME": pwd.getpwnam(user).pw_dir, "TERM": "dumb", **more}


def run_as(user, *command, stdin="", **more):
    """What COMMAND prints when USER runs it."""
    done = subprocess.run(
        command, input=stdin, text=True, check=False, capture_output=True,
        timeout=DEADLINE_S, env=environment_of(user, **more), **as_user(user))
    assert done.returncode == 0, f"{shlex.join(command)}: {done}"
    return done.stdout


def collection(user, name):
    """The caches in USER's collection of that NAME."""
    done = subprocess.run(
        ["klist", "-l"], text=True, check=False, capture_output=True,
        env=environment_of(user, KRB5CCNAME=name), **as_user(user))
    # klist's lines: principal, name, and perhaps (Expired).
    return {line.split()[1] for line in done.stdout.splitlines()[2:]}


def default_cache(user):
    """libkrb5's."""
    return f"/tmp/krb5cc_{uid_of(user)}"


class OwnCache:
    """A cache that USER has from elsewhere and that no host may touch; the
    tickets are PRINCIPAL's."""

    def __init__(self, user, principal=None, place=None):
        principal = principal or user
        self.path = pathlib.Path(place or HERE / "own" / user)
        self.name = f"FILE:{self.path}"
        run_as(user, "kinit", "-f", "-c", self.name, principal,
               stdin=password_of(principal) + "\n")
        self.before = self.look()

    def look(self):
        """All there is to see of it."""
        info = self.path.stat()
        return (info.st_ino, info.st_uid, info.st_gid, info.st_mode,
                info.st_mtime_ns, self.path.read_bytes())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.check()
        self.path.unlink(missing_ok=True)

    def check(self):
        assert self.look() == self.before, f"{self.name} was changed"


class ClientCache(OwnCache):
    """One that USER's own programs put service tickets into."""

    def check(self):
        pass


# Terminals


class Terminal:
    """A program on a terminal of its own, as it is when USER types it."""

    def __init__(self, user, *command, **environment):
        self.text = ""
        self.master, slave = os.openpty()
        os.chown(os.ttyname(slave), uid_of(user), 5)
        self.name = os.ttyname(slave)
        variables = environment_of(user, **environment)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command], stdin=slave, stdout=slave,
            stderr=slave, env=variables,
            **as_user(user))
        os.close(slave)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.master, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    def take(self, seconds):
        """Reads on; False when nothing more will come."""
        if not self.selector.select(seconds):
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return data != b""

    def expect(self, pattern):
        """Waits until PATTERN is found in what was not expected before."""
        end = time.monotonic() + DEADLINE_S
        while True:
            match = re.search(pattern, self.text)
            if match:
                self.text = self.text[match.end():]
                return match
            if time.monotonic() > end or not self.take(1):
                raise AssertionError(
                    f"no {pattern!r} from {shlex.join(self.process.args)}, "
                    f"but {self.text!r}")

    def send(self, line):
        os.write(self.master, line.encode() + b"\n")

    def answer(self, prompt, line):
        """Types LINE at PROMPT."""
        self.expect(prompt)
        self.send(line)

    def probe(self, word="start"):
        """What the session there sees."""
        if word != "start":
            self.send(word)
        end = time.monotonic() + DEADLINE_S
        while True:
            seen = read_probe(self.text, word)
            if seen:
                return seen
            if time.monotonic() > end or not self.take(1):
                raise AssertionError(f"no probe, but {self.text!r}")

    def end_input(self):
        """Types Ctrl-D."""
        os.write(self.master, b"\4")

    def wait(self):
        """The status, when it has ended by itself."""
        while self.take(DEADLINE_S) and self.process.poll() is None:
            pass
        return self.process.wait(DEADLINE_S)

    def hang_up(self):
        """The terminal is gone."""
        if self.master >= 0:
            self.selector.close()
            os.close(self.master)
            self.master = -1


def log_in(terminal, user):
    """What the session sees that USER begins on TERMINAL, where login is."""
    terminal.answer(r"testhost\S* login: ", user)
    terminal.answer("Password: ", password_of(user))
    terminal.answer(r"\$ ", f"exec {PROBE}")
    seen = terminal.probe()
    check_own_tickets(seen, user)
    return seen


# Processes


def processes():
    """pid: (parent, uid, name) of all there are."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = pathlib.Path(f"/proc/{entry}/status").read_text()
        except OSError:
            continue
        fields = dict(re.findall(r"^(\w+):\s*(.*)$", text, re.MULTILINE))
        if not fields["State"].startswith("Z"):
            found[int(entry)] = (int(fields["PPid"]),
                                 int(fields["Uid"].split()[0]),
                                 fields["Name"])
    return found


def ancestors(pid):
    """PID's parent, its parent and so on."""
    all_of_them = processes()
    while pid in all_of_them:
        pid = all_of_them[pid][0]
        yield pid


def descendants(pid):
    """PID and all below it."""
    all_of_them = processes()
    found = [pid]
    for one in found:
        found += [other for other, (parent, _, _) in all_of_them.items()
                  if parent == one]
    return found


def kill_and_wait(pids):
    """SIGKILL; returns when they are gone."""
    pidfds = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            pidfds.append(os.pidfd_open(pid))
            signal.pidfd_send_signal(pidfds[-1], signal.SIGKILL)
    with selectors.DefaultSelector() as selector:
        for pidfd in pidfds:
            selector.register(pidfd, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(DEADLINE_S)
            assert ready, f"{pids} do not end"
            for key, _ in ready:
                selector.unregister(key.fd)
                os.close(key.fd)


# What is left


def files_below(*places):
    """Every file below PLACES."""
    return {str(path) for place in places
            for path in pathlib.Path(place).rglob("*") if not path.is_dir()}


def records():
    """The files of sessions and stashes."""
    return files_below(os.environ["PAM_KRB5CC_STATE"],
                       os.environ["PAM_KRB5CC_RUNTIME"])


def keys_of(uid):
    """The keys that UID owns and may see, as /proc/keys has them.

    A keyring that was revoked, and one that holds nothing, holds no tickets.
    """
    read, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        with open("/proc/keys", "rb") as keys, \
                os.fdopen(write_end, "wb") as out:
            shutil.copyfileobj(keys, out)
            out.flush()
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read, encoding="utf-8", errors="replace") as source:
        lines = source.read().splitlines()
    os.waitpid(pid, 0)
    return [fields for fields in (line.split(None, 8) for line in lines)
            if fields[5] == str(uid)]


def ticket_keys(user):
    """The keys with tickets that USER has; a collection's word which member
    is its primary, which libkrb5 leaves there, is none."""
    return {f"{user}'s key {fields[8]}" for fields in keys_of(uid_of(user))
            if fields[7] in ("user", "big_key") and "R" not in fields[1]
            and not fields[8].startswith("krb_ccache:primary")}


def lasting_keys_of_root():
    """Keys of root that do not go away by themselves within two minutes.

    The kernel writes a time as 119s or 1m, and longer ones as h, d, w.
    """
    return {f"root's key {fields[8]}" for fields in keys_of(0)
            if fields[7] in ("user", "big_key", "logon")
            and not re.fullmatch(r"\d+s|[12]m|expd", fields[3])}


def caches_of(user):
    """The cache files in /tmp that USER owns or that are named for him."""
    found = set()
    for path in pathlib.Path("/tmp").glob("krb5cc_*"):
        with contextlib.suppress(FileNotFoundError):
            if (path.lstat().st_uid == uid_of(user)
                    or path.name.startswith(f"krb5cc_{uid_of(user)}")):
                found.add(str(path))
    return found


def left():
    """Everything that a login could leave."""
    found = {f"/tmp/{name}" for name in os.listdir("/tmp")} | records()
    for user in ("alice", "bob", "carol"):
        found |= ticket_keys(user)
        # As with keys, the word which member is the primary stays.
        found |= {name for name in files_below(f"/run/user/{uid_of(user)}")
                  if not name.endswith("/primary")}
    found |= lasting_keys_of_root()
    found |= {f"{name} {pid}" for pid, (_, _, name) in processes().items()
              if name in ("krb5cc-helper", "sshd")}
    return found


def wait_until_as(before):
    """Waits until nothing is there that was not there BEFORE."""
    wait_for(lambda: not left() - before,
             lambda: f"left behind: {sorted(left() - before)}")


@contextlib.contextmanager
def nothing_left():
    """What is done in the block leaves nothing behind."""
    before = left()
    yield
    wait_until_as(before)


# krb5cc, the command


def krb5cc(*words):
    """Runs it, returns what it prints."""
    done = subprocess.run(["krb5cc", *words], check=False, text=True,
                          capture_output=True, timeout=DEADLINE_S)
    assert done.returncode == 0, f"krb5cc {shlex.join(words)}: {done}"
    return done.stdout


def sessions():
    """What it knows of sessions, by the names of their caches."""
    document = json.loads(krb5cc("list", "--json"))
    assert document["version"] == 1, document
    return {session["cache"]: session for session in document["sessions"]}


def check_record(seen, user, **expected):
    """The session that SEEN tells of is known as it is."""
    found = sessions()
    assert seen["name"] in found, found
    session = found[seen["name"]]
    expected = {"user": user, "uid": uid_of(user), "ownership": "own",
                "principal": f"{user}@{os.environ['REALM']}",
                "state": "live", **expected}
    # What is not known may be null or empty.
    assert {name: session[name] or None for name in expected} == expected, \
        session
    assert session["pid"] in processes(), session
    now = time.time()
    assert now - DEADLINE_S * 4 <= session["started"] <= now, session
    assert session["expires"] > now + 3600, session
    path = pathlib.Path(os.environ["PAM_KRB5CC_STATE"], "sessions",
                        str(uid_of(user)), session["id"])
    for place, mode in ((path, 0o100600), (path.parent, 0o040700)):
        info = place.lstat()
        assert (info.st_uid, info.st_mode) == (0, mode), (place, info)


def check_reaped(gone, *living):
    """The sessions that GONE is the end of leave nothing but what `krb5cc
    reap` takes; that leaves those LIVING alone.

    GONE and LIVING are what their probes have seen.
    """
    found = sessions()
    assert gone["name"] in found, f"{gone['name']} not among {found}"
    wait_for(lambda: sessions()[gone["name"]]["state"] == "orphan",
             lambda: f"an orphan: {sessions()}")
    assert gone["name"] in krb5cc("reap")
    found = sessions()
    assert set(found) == {seen["name"] for seen in living}, found
    assert all(session["state"] == "live" for session in found.values()), found


# From script to TAP


def enter():
    """Makes the namespaces and the realm, unless they are there."""
    if os.geteuid() != 0:
        print("1..1\nok 1 - # SKIP needs root")
        sys.exit(0)
    if os.environ.get("TEST_STAGE") != "yes":
        os.environ["TEST_STAGE"] = "yes"
        words = [str(ROOT / "tests/in-namespace"), "--machine",
                 str(ROOT / "kdc-test-env/with-realm"), "--usual-ports",
                 str(pathlib.Path(sys.argv[0]).resolve()), *sys.argv[1:]]
        os.execv(words[0], words)


def run_one(number, function):
    """One line of TAP, and why where it has failed."""
    name = function.__name__.removeprefix("test_").replace("_", " ")
    mark = LOG.mark()
    start = time.monotonic()
    try:
        function()
        errors = [line for line in LOG.module_errors(mark)
                  if not (function.errors and re.search(function.errors,
                                                        line))]
        assert not errors, f"the module says: {errors}"
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        return True
    except Exception as error:  # pylint: disable=broad-except
        print(f"not ok {number} - {name}")
        for line in str(error).splitlines() or [repr(error)]:
            print(f"# {line}")
        again = shlex.join([sys.argv[0], function.__name__])
        print(f"# again, from the build directory: {again}")
        for line in traceback.format_exc().splitlines():
            print(f"#   {line}")
        for _, line in LOG.since(mark)[-ROOM_FOR_LOG:]:
            print(f"#   log: {line}")
        sys.stdout.flush()
        return False
    print(f"ok {number} - {name} ({time.monotonic() - start:.1f} s)",
          flush=True)
    return True


def main(begin=None):
    """Runs the tests that the command line names, or all of them.

    BEGIN is what the script needs in addition; what it returns is called in
    the end.
    """
    global LOG  # pylint: disable=global-statement
    enter()
    wanted = [function for function in TESTS
              if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]]
    lay_out()
    LOG = Log()
    end = begin() if begin else None
    print(f"1..{len(wanted)}", flush=True)
    good = [run_one(number, function)
            for number, function in enumerate(wanted, 1)]
    if end:
        end()
    sys.exit(0 if all(good) else 1)
