"""Certificates of an authority of the lab's own, as files."""

from __future__ import annotations

import datetime
import pathlib
from typing import NamedTuple

from lab.network import run

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
RULES = """
[ca]
default_ca = own
[own]
database = {folder}/ca.index
unique_subject = no
rand_serial = yes
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
policy = any
[any]
commonName = supplied
"""


class Certificate(NamedTuple):
    """Paths of it and of its key."""

    pem: str
    key: str


class Authority:
    """Keeps its files, and what it signs, in `folder`; `pem` is what makes them trusted."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.pem = str(folder / "ca.pem")
        run("openssl", "req", "-x509", *NEW_KEY, "-days", "30", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem",
            cwd=folder)
        (folder / "ca.conf").write_text(RULES.format(folder=folder))
        (folder / "ca.index").touch()

    def issue(self, file: str, *names: str, days: int = 2) -> Certificate:
        """A certificate for `names` ("DNS:dns.example", "IP:1.1.1.5"), valid for `days` from now (a negative number:
        expired). All users can read it, since daemons drop their privileges. It replaces a file of that name atomically, as
        certificate clients do."""
        today = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (f"{today + datetime.timedelta(days=day):%Y%m%d%H%M%SZ}" for day in (-30, days))
        common_name = names[0].split(":", 1)[1]
        (self.folder / "new.names").write_text(f"subjectAltName={','.join(names)}\n")
        run("openssl", "req", *NEW_KEY, "-subj", f"/CN={common_name}", "-keyout", "new.key", "-out", "new.csr", cwd=self.folder)
        run("openssl", "ca", "-batch", "-config", "ca.conf", "-in", "new.csr", "-startdate", begin, "-enddate", end, "-extfile", "new.names",
            "-notext", "-out", "new.pem", cwd=self.folder)
        for ending in ("key", "pem"):
            (self.folder / f"new.{ending}").chmod(0o644)
            (self.folder / f"new.{ending}").rename(self.folder / f"{file}.{ending}")
        return Certificate(str(self.folder / f"{file}.pem"), str(self.folder / f"{file}.key"))
