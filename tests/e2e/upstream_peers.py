"""Resolvers that are asked over TCP, TLS and HTTPS: unbound, dnsdist and knot-resolver, with certificates of an authority of the scene's own.

All answer every name under wild.example with 203.0.113.77, so that each query can have a name of its own.
"""

import itertools

from lab.certificates import Authority

NAME = "dns.example"
ADDRESS = "203.0.113.77"
UNBOUND, DNSDIST, KRESD = "1.1.1.5", "1.1.1.6", "1.1.1.7"

UNBOUND_CONF = """
server:
    verbosity: 1
    use-syslog: no
    username: ""
    chroot: ""
    pidfile: ""
    directory: "{folder}"
    do-daemonize: no
    module-config: "iterator"
    num-threads: 1
    incoming-num-tcp: 64
    access-control: 0.0.0.0/0 allow
    interface: {address}@53
    interface: {address}@853
    interface: {address}@443
    tls-port: 853
    https-port: 443
    tls-service-key: "{key}"
    tls-service-pem: "{certificate}"
    tcp-idle-timeout: {idle_ms}
    {options}
    local-zone: "wild.example." redirect
    local-data: "wild.example. 60 IN A 203.0.113.77"
    local-zone: "dns.example." static
    local-data: "dns.example. 60 IN A {address}"
remote-control:
    control-enable: no
"""

DNSDIST_CONF = """
setSecurityPollSuffix("")
setACL({{"0.0.0.0/0"}})
setTCPRecvTimeout(60)
addLocal("{address}:53")
addTLSLocal("{address}:853", "{certificate}", "{key}", {{ maxInFlight = 100 }})
addDOHLocal("{address}:443", "{certificate}", "{key}", "/dns-query")
newServer({{ address = "1.1.1.5:53", checkName = "check.wild.example.", checkType = "A" }})
"""

# (What it would ask the Internet for at its start is unloaded.)
KRESD_CONF = """
net.listen('{address}', 53, {{ kind = 'dns' }})
net.listen('{address}', 853, {{ kind = 'tls' }})
net.listen('{address}', 443, {{ kind = 'doh2' }})
net.tls('{certificate}', '{key}')
cache.size = 10 * MB
trust_anchors.remove('.')
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
policy.add(policy.suffix(policy.ANSWER({{ [kres.type.A] = {{ rdata = kres.str2ip('203.0.113.77'), ttl = 60 }} }}),
                         {{ todname('wild.example') }}))
print('knot-resolver listens')
"""


class Peers:
    """Runs them in the scene's namespace `resolver`."""

    def __init__(self, scene):
        self.scene = scene
        self.numbers = itertools.count()
        self.authority = Authority(scene.folder)
        for address in (UNBOUND, DNSDIST, KRESD):
            scene.network.address("resolver", "lo", f"{address}/32")
            scene.network.route("router", f"{address}/32", "via", "1.1.1.1")

    @property
    def ca(self):
        return self.authority.pem

    def certificate(self, file, subject=f"DNS:{NAME}", days=2):
        return self.authority.issue(file, subject, days=days)

    def pin(self, pem):
        return self.scene.network.run(
            "resolver", "sh", "-c", f"openssl x509 -in {pem} -pubkey -noout | openssl pkey -pubin -outform der | "
            "openssl dgst -sha256 -binary | base64").stdout.strip()

    def unbound(self, certificate, idle_ms=30000, options=""):
        pem, key = certificate
        conf = self.scene.folder / "unbound.conf"
        conf.write_text(UNBOUND_CONF.format(folder=self.scene.folder, address=UNBOUND, key=key, certificate=pem,
                                            idle_ms=idle_ms, options=options))
        process = self.scene.network.start("resolver", f"unbound-{next(self.numbers)}", "unbound", "-d", "-c", str(conf))
        process.wait_for("start of service")
        return process

    def dnsdist(self, certificate, options=""):
        pem, key = certificate
        conf = self.scene.folder / "dnsdist.conf"
        conf.write_text(DNSDIST_CONF.format(address=DNSDIST, certificate=pem, key=key) + options)
        process = self.scene.network.start("resolver", f"dnsdist-{next(self.numbers)}", "dnsdist", "-C", str(conf),
                                           "--supervised", "--disable-syslog")
        process.wait_for("Marking downstream 1.1.1.5:53 as 'up'")
        return process

    def kresd(self, certificate):
        pem, key = certificate
        conf, data = self.scene.folder / "kresd.conf", self.scene.folder / "kresd"
        data.mkdir()
        conf.write_text(KRESD_CONF.format(address=KRESD, certificate=pem, key=key))
        process = self.scene.network.start("resolver", f"kresd-{next(self.numbers)}", "kresd", "-n", "-c", str(conf), str(data))
        process.wait_for("knot-resolver listens")
        return process

    # The daemon that asks them

    def daemon(self, upstreams, extra="", top="", before="", **options):
        config = self.scene.folder / f"config-{next(self.numbers)}.yaml"
        config.write_text(f"{top}plugins:\n  - tag: up\n    type: forward\n    args:\n"
                          f"      probe: off\n      upstreams: [ {upstreams} ]\n{extra}"
                          f"  - {{ tag: main, type: sequence, args: [ {f'{{ exec: {before} }}, ' if before else ''}"
                          "{ exec: $up } ] }\n")
        return self.scene.start_daemon(config, **options)

    def fresh(self):
        return f"n{next(self.numbers)}.wild.example"
