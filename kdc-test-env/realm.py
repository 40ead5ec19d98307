"""A private Kerberos realm on loopback: its files, its ports, its servers.

This file knows Kerberos: what is in the database, what the configuration
files say, which servers run.  It does not know how long the realm lives nor
who uses it: that is with-realm's part.

Words used here:
  primary   the KDC that owns the database; kadmind changes that database
  replica   a second KDC with a copy of the database, made once at the start
  claim     an abstract Unix socket whose name holds a port number; whoever
            holds it may use the port.  It lives in the network namespace, as
            the port does, and vanishes with its process, as the port does.
"""

import ctypes
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import certificates

HERE = os.path.dirname(os.path.realpath(__file__))
LOOPBACK = "127.0.0.1"
# libkrb5 takes a KDC for the primary when the host names are equal, whatever
# the ports are; so the replica needs an address of its own.
REPLICA_LOOPBACK = "127.0.0.2"
SERVER_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
MASTER_PASSWORD = "master-password"
PASSWORD_SUFFIX = "-password"
HOST_SERVICE = "host/testhost.pam.test"
START_DEADLINE_S = 30
STOP_DEADLINE_S = 5
BIND_ATTEMPTS = 5
# IANA's; the replica has an address of its own.
USUAL_PORTS = {"primary": 88, "replica": 88, "kadmin": 749, "kpasswd": 464}
PR_SET_PDEATHSIG = 1

# A date that is past for every --kdc-clock.
LONG_AGO = '"2001-01-01 00:00:00 GMT"'
USUAL = "+requires_preauth -maxlife 10hours -maxrenewlife 7days"

# Name, kadmin's addprinc options.  README says what each is for.
USERS = [
    ("alice", USUAL),
    ("bob", USUAL),
    ("carol", USUAL),
    ("nopreauth", "-requires_preauth -maxlife 10hours -maxrenewlife 7days"),
    ("expired", f"{USUAL} -pwexpire {LONG_AGO}"),
    ("locked", f"{USUAL} -allow_tix"),
    ("gone", f"{USUAL} -expire {LONG_AGO}"),
    ("shortlife", "+requires_preauth -maxlife 1minute -maxrenewlife 1hour"),
    ("brief", "+requires_preauth -maxlife 2seconds -maxrenewlife 7days"),
    ("norenew", "+requires_preauth -maxlife 10hours -maxrenewlife 0seconds"
     " -allow_renewable"),
    ("zerorenew", "+requires_preauth -maxlife 10hours -maxrenewlife 0seconds"),
    ("lockout", f"{USUAL} -policy three-strikes"),
]
SERVICES = [HOST_SERVICE, "app/service.test"]
ANONYMOUS = "WELLKNOWN/ANONYMOUS"
RADIUS_SECRET = "radius-secret"
SPAKE_GROUP = "spake_preauth_groups = edwards25519"

# --otp: has no key but its token.
OTP_USER = "token"

libc = ctypes.CDLL(None, use_errno=True)


class RealmError(Exception):
    """The realm cannot be had; the text is for the person who asked."""


class PortTaken(RealmError):
    """A stranger, who knows nothing of claims, was quicker to a port."""


class FrontGone(Exception):
    """Nobody waits for this realm any more."""


def die_with(parent, signum):
    """For a child between fork and exec: end when parent ends."""
    libc.prctl(PR_SET_PDEATHSIG, signum)
    if os.getppid() != parent:
        os._exit(1)  # it ended before prctl


# Ports


def port_candidates():
    """Ports that the kernel does not hand out by itself, in any order."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            low, high = map(int, file.read().split())
    except OSError:
        low, high = 32768, 60999
    ports = [p for p in range(10000, 65536) if not low <= p <= high]
    random.shuffle(ports)
    return ports or random.sample(range(low, high + 1), 1000)


def port_is_free(port):
    """Whether nobody listens on port, TCP or UDP."""
    for address in (LOOPBACK, REPLICA_LOOPBACK):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                try:
                    probe.bind((address, port))
                except OSError:
                    return False
    return True


def claim_port():
    """A free port and the claim to it, which the caller keeps open."""
    for port in port_candidates():
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0kdc-test-env-port-{port}")
        except OSError:
            claim.close()
            continue
        if port_is_free(port):
            return port, claim
        claim.close()
    raise RealmError("no free port below the ephemeral range")


# Configuration files


def client_conf(realm, kdcs, kpasswd):
    """krb5.conf for the command: these KDCs in this order (ports' names)."""
    lines = ["[libdefaults]"]
    # libkrb5 takes the first value of a name: what was asked for comes first.
    lines += realm.options.libdefaults
    if realm.options.clockskew is not None:
        lines += [f"clockskew = {realm.options.clockskew}"]
    lines += [
        f"default_realm = {realm.name}",
        "dns_lookup_kdc = false",
        "dns_lookup_realm = false",
        "dns_canonicalize_hostname = false",
        "rdns = false",
    ]
    if realm.options.spake:
        lines += [SPAKE_GROUP]
    lines += [
        "[realms]",
        f"{realm.name} = {{",
    ]
    if realm.options.pkinit:
        lines += [f"pkinit_anchors = FILE:{realm.path('pki/ca.pem')}"]
    lines += [f"kdc = {realm.endpoint(name)}" for name in kdcs]
    if realm.options.replica:
        # The last of the list; master_kdc is what libkrb5 before 1.19 reads.
        lines += [f"primary_kdc = {realm.endpoint(kdcs[-1])}"]
        lines += [f"master_kdc = {realm.endpoint(kdcs[-1])}"]
    lines += [
        f"admin_server = {realm.endpoint('kadmin')}",
        f"kpasswd_server = {realm.endpoint(kpasswd)}",
        "}",
        "[domain_realm]",
        f"pam.test = {realm.name}",
        f".pam.test = {realm.name}",
    ]
    return "\n".join(lines) + "\n"


def server_conf(realm):
    """krb5.conf for the servers: no surprise from --libdefaults in it."""
    lines = ["[libdefaults]", f"default_realm = {realm.name}"]
    lines += ["dns_lookup_kdc = false", "dns_lookup_realm = false"]
    if realm.options.clockskew is not None:
        lines += [f"clockskew = {realm.options.clockskew}"]
    if realm.options.spake:
        lines += [SPAKE_GROUP]
    return "\n".join(lines) + "\n"


def pkinit_lines(realm):
    """What a realm in kdc.conf has for PKINIT."""
    if not realm.options.pkinit:
        return ""
    pki = realm.path("pki")
    return f"""\
    pkinit_identity = FILE:{pki}/kdc.pem,{pki}/kdc.key
    pkinit_anchors = FILE:{pki}/ca.pem
"""


def otp_section(realm):
    """kdc.conf's [otp]: who is asked about tokens."""
    if not realm.options.otp:
        return ""
    return f"""\
[otp]
    DEFAULT = {{
        server = {realm.endpoint('radius')}
        secret = {realm.path('primary/radius-secret')}
        strip_realm = true
    }}
"""


def kdc_conf(realm, which):
    """kdc.conf for the KDC named which: "primary" or "replica"."""
    data = realm.path(which)
    kdc = realm.endpoint(which)
    return f"""\
[realms]
{realm.name} = {{
    database_name = {data}/principal
    key_stash_file = {data}/stash
    acl_file = {data}/acl
    kdc_listen = {kdc}
    kdc_tcp_listen = {kdc}
    kadmind_listen = {realm.endpoint('kadmin')}
    kpasswd_listen = {realm.endpoint('kpasswd')}
    max_life = 24h
    max_renewable_life = 7d
{pkinit_lines(realm)}}}
{otp_section(realm)}[logging]
    kdc = FILE:{realm.path(which + '.log')}
    admin_server = FILE:{realm.path('kadmind.log')}
    default = FILE:{realm.path('other.log')}
"""


def kadmin_script(realm):
    """What is typed to kadmin.local to fill the database."""
    lines = [
        "addpol -maxfailure 3 -failurecountinterval 0 -lockoutduration 0"
        " three-strikes"
    ]
    for name, options in USERS:
        if "-policy" not in options:
            options += " -clearpolicy"
        lines += [f"addprinc -pw {name}{PASSWORD_SUFFIX} {options} {name}"]
    services = list(SERVICES)
    if realm.options.pkinit:
        services += [ANONYMOUS]
    lines += [f"addprinc -randkey -clearpolicy {name}" for name in services]
    if realm.options.otp:
        lines += [f"addprinc -nokey {USUAL} -clearpolicy {OTP_USER}",
                  f"setstr {OTP_USER} otp []"]
    if not realm.options.no_keytab:
        keytab = realm.path("host.keytab")
        lines += [f"ktadd -norandkey -k {keytab} {HOST_SERVICE}"]
    return "\n".join(lines) + "\n"


# Servers


def find_program(name):
    """The absolute path of a server, also where PATH has no sbin."""
    path = shutil.which(name, path=SERVER_PATH)
    if path is None:
        raise RealmError(f"{name} is not installed")
    return path


def fake_clock(seconds):
    """The environment that makes a program's clock be off by seconds.

    The faketime command is asked where its library is and then left out: it
    forks, so a signal to it would not reach the server.
    """
    answer = subprocess.run(
        [find_program("faketime"), "-f", "+0s", "/usr/bin/printenv",
         "LD_PRELOAD"],
        stdout=subprocess.PIPE, text=True, check=True)
    return {
        "LD_PRELOAD": answer.stdout.strip(),
        "FAKETIME": f"{seconds:+d}s",
        # The servers' timers are not the clock that is wrong.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


class Daemon:
    """A server in the foreground; its output is added to its log, and watched.

    It is ready when it prints "starting...": krb5kdc, kadmind and fault-proxy
    do that when their sockets are bound.  Why one ended may be on its output
    or in its log: so they are one file.
    """

    def __init__(self, argv, environment, log):
        parent = os.getpid()
        self.name = os.path.basename(argv[0])
        self.output = b""
        self.log_path = log
        # krb5kdc would make it unreadable for a test that is another uid.
        self.log = open(log, "ab", buffering=0)
        self.process = subprocess.Popen(
            argv, env=environment, cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=lambda: die_with(parent, signal.SIGKILL))

    def drain(self):
        """Keep what it printed; False when there will be no more."""
        data = os.read(self.process.stdout.fileno(), 65536)
        self.log.write(data)
        self.output = (self.output + data)[-4000:]
        return data != b""

    def is_ready(self):
        return b"starting..." in self.output

    def failure(self, what):
        """The exception that tells what went wrong, with its own words."""
        with open(self.log_path, errors="replace") as file:
            text = file.read()[-4000:]
        kind = PortTaken if "already in use" in text else RealmError
        return kind(f"{self.name} {what}; it said:\n{text}")

    def stop(self):
        """End it, also when somebody has sent it SIGSTOP."""
        self.process.terminate()
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


# The realm


class Realm:
    """One realm, from nothing to nothing: start, wait_for_front, stop."""

    def __init__(self, options, front):
        self.options = options
        self.front = front
        self.name = options.realm
        self.ports = {}
        self.claims = []
        self.daemons = []
        self.selector = selectors.DefaultSelector()
        self.selector.register(front, selectors.EVENT_READ)
        self.directory = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def kdcs(self):
        return ["primary"] + (["replica"] if self.options.replica else [])

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def start(self):
        """Everything runs and answers when this returns."""
        self.make_directory()
        for attempt in range(BIND_ATTEMPTS):
            self.choose_ports()
            self.write_configuration()
            if attempt == 0:
                self.make_certificates()
                self.create_database()
            try:
                self.start_daemons()
                return
            except PortTaken as error:
                self.stop_daemons()
                last = error
        raise last

    def make_directory(self):
        # Named, because mkdtemp would go elsewhere when it cannot write there.
        place = os.path.realpath(os.environ.get("TMPDIR") or "/tmp")
        self.directory = tempfile.mkdtemp(prefix="realm-", dir=place)
        # Readable for other users: tests become somebody else.
        os.chmod(self.directory, 0o755)
        for which in self.kdcs():
            os.mkdir(self.path(which), 0o700)

    def choose_ports(self):
        """Claim a port for everything that is named in a configuration."""
        self.release_ports()
        wanted = self.kdcs() + ["kadmin", "kpasswd"]
        if self.options.proxy:
            wanted += ["proxy-" + name for name in self.proxied()]
        if self.options.dead_first:
            wanted += ["dead"]
        if self.options.otp:
            wanted += ["radius"]
        for name in wanted:
            if self.options.usual_ports and name in USUAL_PORTS:
                self.ports[name] = USUAL_PORTS[name]
                continue
            self.ports[name], claim = claim_port()
            self.claims.append(claim)

    def release_ports(self):
        for claim in self.claims:
            claim.close()
        self.claims = []

    def endpoint(self, name):
        """Where the thing called name listens, as krb5.conf writes it."""
        address = REPLICA_LOOPBACK if "replica" in name else LOOPBACK
        return f"{address}:{self.ports[name]}"

    def proxied(self):
        """The servers that a fault proxy stands in front of."""
        return self.kdcs() + ["kpasswd"]

    def control(self, name):
        """The control socket of the proxy in front of the server name."""
        return self.path(f"fault-{name}")

    def write_configuration(self):
        # The primary is last; with one KDC it is the only one.
        kdcs = self.kdcs()[::-1]
        kpasswd = "kpasswd"
        self.write("direct-krb5.conf", client_conf(self, kdcs, kpasswd))
        if self.options.proxy:
            kdcs = ["proxy-" + name for name in kdcs]
            kpasswd = "proxy-kpasswd"
        if self.options.dead_first:
            kdcs = ["dead"] + kdcs
        self.write("krb5.conf", client_conf(self, kdcs, kpasswd))
        self.write("server-krb5.conf", server_conf(self))
        for which in self.kdcs():
            self.write(f"{which}.conf", kdc_conf(self, which))
        if self.options.otp:
            # krb5kdc reads it when it starts, and never again.
            self.write("primary/radius-secret", RADIUS_SECRET)

    def server_environment(self, which):
        """What a server of primary or replica sees: nothing of the caller."""
        return {
            "PATH": SERVER_PATH,
            "LC_ALL": "C",
            "KRB5_CONFIG": self.path("server-krb5.conf"),
            "KRB5_KDC_PROFILE": self.path(which + ".conf"),
            # Else kadmind's replay cache would stay in /var/tmp.
            "KRB5RCACHEDIR": self.path(which),
        }

    def run_tool(self, which, argv, typed=""):
        """Run a database tool; whatever it complains of is a failure.

        kadmin.local ends with status 0 when a request failed, but it is
        silent on standard error when all went well.
        """
        argv = [find_program(argv[0])] + argv[1:]
        done = subprocess.run(
            argv, env=self.server_environment(which), input=typed, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0 or done.stderr:
            raise RealmError(f"{argv[0]}: {done.stdout}{done.stderr}")

    def make_certificates(self):
        if self.options.pkinit:
            certificates.Folder(self.path("pki"), self.name).fill()

    def create_database(self):
        self.write("primary/acl", "")
        self.run_tool(
            "primary", ["kdb5_util", "create", "-s", "-P", MASTER_PASSWORD])
        self.run_tool("primary", ["kadmin.local", "-p", f"admin@{self.name}"],
                      kadmin_script(self))
        if self.options.replica:
            self.copy_database()

    def copy_database(self):
        dump = self.path("replica/dump")
        self.run_tool("primary", ["kdb5_util", "dump", dump])
        shutil.copy(self.path("primary/stash"), self.path("replica/stash"))
        self.run_tool("replica", ["kdb5_util", "load", dump])

    def start_daemons(self):
        clock = {}
        if self.options.kdc_clock:
            clock = fake_clock(self.options.kdc_clock)
        for which in self.kdcs():
            self.start_daemon(
                [find_program("krb5kdc"), "-n"],
                {**self.server_environment(which), **clock}, f"{which}.log")
        self.start_daemon(
            [find_program("kadmind"), "-nofork"],
            {**self.server_environment("primary"), **clock}, "kadmind.log")
        if self.options.otp:
            self.start_radius()
        if self.options.proxy:
            self.start_proxy()
        self.wait_until_ready()

    def start_radius(self):
        self.start_daemon(
            [os.path.join(HERE, "radius-answerer"), self.endpoint("radius"),
             RADIUS_SECRET], {"PATH": SERVER_PATH}, "radius-answerer.log")

    def start_proxy(self):
        argv = [os.path.join(HERE, "fault-proxy")]
        for name in self.proxied():
            argv += [self.control(name), self.endpoint("proxy-" + name),
                     self.endpoint(name)]
        self.start_daemon(argv, {"PATH": SERVER_PATH}, "fault-proxy.log")

    def start_daemon(self, argv, environment, log):
        daemon = Daemon(argv, environment, self.path(log))
        self.daemons.append(daemon)
        self.selector.register(
            daemon.process.stdout, selectors.EVENT_READ, daemon)

    def watch(self, timeout_s):
        """Take in what the daemons print; True when the front has spoken."""
        spoken = False
        for key, _ in self.selector.select(timeout_s):
            if key.data is None:
                spoken = True
            elif not key.data.drain():
                self.selector.unregister(key.fileobj)
        return spoken

    def wait_until_ready(self):
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            waiting = [d for d in self.daemons if not d.is_ready()]
            if not waiting:
                return
            for daemon in waiting:
                if daemon.process.stdout not in self.selector.get_map():
                    raise daemon.failure("ended")
            left = deadline - time.monotonic()
            if left <= 0:
                raise waiting[0].failure("is not ready")
            if self.watch(left):
                # Before the realm is ready the front can only hang up.
                raise FrontGone

    def wait_for_front(self):
        """Return when the front process has something to say."""
        while not self.watch(None):
            pass

    def stop_daemons(self):
        for daemon in self.daemons:
            if daemon.process.stdout in self.selector.get_map():
                self.selector.unregister(daemon.process.stdout)
            daemon.stop()
        self.daemons = []

    def stop(self):
        self.stop_daemons()
        self.release_ports()
        if self.directory is not None and not self.options.keep:
            remove_tree(self.directory)

    def admin_command(self, which):
        """kadmin.local for a shell; needs nothing from the environment."""
        return (f"/usr/bin/env KRB5_CONFIG={self.path('server-krb5.conf')}"
                f" KRB5_KDC_PROFILE={self.path(which + '.conf')}"
                f" {find_program('kadmin.local')} -p admin@{self.name}"
                f" -r {self.name}")

    def environment(self):
        """What the command sees; None is a variable that must not be set."""
        names = dict.fromkeys((
            "KRB5CCNAME", "KRB5_TRACE", "KRB5_CLIENT_KTNAME",
            "REALM_REPLICA_LOG", "REALM_REPLICA_ADMIN",
            "REALM_REPLICA_PID", "REALM_PROXY_CONTROL",
            "REALM_REPLICA_PROXY_CONTROL", "REALM_KPASSWD_PROXY_CONTROL"))
        names.update({
            "KRB5_CONFIG": self.path("krb5.conf"),
            "KRB5_KDC_PROFILE": self.path("primary.conf"),
            "KRB5_KTNAME": "FILE:" + self.path("host.keytab"),
            "REALM": self.name,
            "REALM_DIR": self.directory,
            "REALM_KDC_LOG": self.path("primary.log"),
            "REALM_KDC_PID": str(self.daemons[0].process.pid),
            "REALM_PASSWORD_SUFFIX": PASSWORD_SUFFIX,
            "REALM_HOST_PRINCIPAL": f"{HOST_SERVICE}@{self.name}",
            "REALM_ADMIN": self.admin_command("primary"),
            "REALM_DIRECT_KRB5_CONFIG": self.path("direct-krb5.conf"),
        })
        if self.options.replica:
            names["REALM_REPLICA_LOG"] = self.path("replica.log")
            names["REALM_REPLICA_PID"] = str(self.daemons[1].process.pid)
            names["REALM_REPLICA_ADMIN"] = self.admin_command("replica")
        if self.options.proxy:
            names["REALM_PROXY_CONTROL"] = self.control("primary")
            names["REALM_KPASSWD_PROXY_CONTROL"] = self.control("kpasswd")
            if self.options.replica:
                names["REALM_REPLICA_PROXY_CONTROL"] = self.control("replica")
        return {self.options.prefix + n: v for n, v in names.items()}


def remove_tree(directory):
    """Remove it, also while a late writer still adds files to it."""
    for _ in range(10):
        shutil.rmtree(directory, ignore_errors=True)
        if not os.path.lexists(directory):
            return
