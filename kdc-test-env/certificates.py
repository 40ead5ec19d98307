"""The certificates of a realm with PKINIT, made by openssl.

What is in the folder pki, and who may read it, is told in README.  RFC 4556
says what the KDC and libkrb5 look for in a certificate: the principal's name
(3.2.2) and what the key may be used for (3.2.4).
"""

import os
import subprocess

PIN_SUFFIX = "-pin"
# Its own authority's name is nothing that a verifier goes by.
CONFIGURATION = """\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[kdc]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,keyEncipherment,keyAgreement
extendedKeyUsage = 1.3.6.1.5.2.3.5
subjectAltName = otherName:1.3.6.1.5.2.2;SEQUENCE:kdc_name
[client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,keyEncipherment,keyAgreement
extendedKeyUsage = 1.3.6.1.5.2.3.4
subjectAltName = otherName:1.3.6.1.5.2.2;SEQUENCE:client_name
[kdc_name]
realm = EXPLICIT:0,GeneralString:${ENV::REALM}
names = EXPLICIT:1,SEQUENCE:kdc_principal
[kdc_principal]
type = EXPLICIT:0,INTEGER:2
parts = EXPLICIT:1,SEQUENCE:kdc_parts
[kdc_parts]
first = GeneralString:krbtgt
second = GeneralString:${ENV::REALM}
[client_name]
realm = EXPLICIT:0,GeneralString:${ENV::REALM}
names = EXPLICIT:1,SEQUENCE:client_principal
[client_principal]
type = EXPLICIT:0,INTEGER:1
parts = EXPLICIT:1,SEQUENCE:client_parts
[client_parts]
only = GeneralString:${ENV::CLIENT}
"""


class Folder:
    """The folder of the certificates: writes it, once."""

    def __init__(self, path, realm):
        self.path = path
        self.realm = realm
        os.mkdir(path)
        os.chmod(path, 0o755)
        with open(self.file("openssl.cnf"), "w") as file:
            file.write(CONFIGURATION)

    def file(self, name):
        return os.path.join(self.path, name)

    def openssl(self, *arguments, client=""):
        done = subprocess.run(
            ["openssl", *arguments], text=True, cwd=self.path,
            env={"PATH": os.environ.get("PATH", os.defpath),
                 "REALM": self.realm, "CLIENT": client},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stdout}")

    def make(self, name, kind, issuer=None, client=""):
        """NAME.key and NAME.pem, signed by ISSUER or by itself."""
        signing = []
        if issuer is not None:
            signing = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"]
        self.openssl(
            "req", "-x509", "-new", "-newkey", "rsa:2048", "-nodes",
            "-config", "openssl.cnf", "-extensions", kind,
            "-subj", f"/CN={name}", "-days", "3650", "-keyout",
            f"{name}.key", "-out", f"{name}.pem", *signing, client=client)

    def make_pkcs12(self, name):
        self.openssl(
            "pkcs12", "-export", "-in", f"{name}.pem", "-inkey",
            f"{name}.key", "-out", f"{name}.p12", "-passout",
            f"pass:{name}{PIN_SUFFIX}")

    def fill(self):
        self.make("ca", "ca")
        self.make("other-ca", "ca")
        self.make("kdc", "kdc", issuer="ca")
        for client in ("alice", "bob"):
            self.make(client, "client", issuer="ca", client=client)
            self.make_pkcs12(client)
        self.make("stranger", "client", issuer="other-ca", client="alice")
        # A test chooses who may read what, and copies for that.
        for name in ("alice", "bob", "stranger"):
            os.chmod(self.file(f"{name}.key"), 0o644)
        for name in ("alice", "bob"):
            os.chmod(self.file(f"{name}.p12"), 0o644)
