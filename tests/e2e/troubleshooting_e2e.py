"""docs/guides/troubleshooting.md, executed as it is printed: each symptom is made, and the page's command tells it."""

import page_run

CONFIG = """\
plugins:
  - tag: ads
    type: adlist
    args: { cname: true,
      lists: ["http://lists.other.example/ads.hosts"] }

  - tag: tunnel_names
    type: domain_set
    args:
      files: [/etc/steerdns/tunnel.names]

  - tag: tunnel
    type: ros_address_list
    args:
      address: "172.16.1.1:8728"
      username: "steerdns"
      password_file: /etc/steerdns/router.password
      address_list4: "tunnel_v4"
      missing_family: nodata

  - tag: answers
    type: cache
    args: { size: 64MiB, short_circuit: true }

  - tag: resolver
    type: forward
    args:
      upstreams:
        - addr: "udp://1.1.1.1:53"

  - tag: main
    type: sequence
    args:
      - exec: "$ads"
      - matches: "qname $tunnel_names"
        exec: "$tunnel"
      - exec: "$answers"
      - exec: "$resolver"
"""
ADS = "".join(f"0.0.0.0 ads{n}.example\n" for n in range(40))
BLOCKED = "0.0.0.0 www.other.example\n"
SET_UP = """
openssl rand -hex 12 > /etc/steerdns/router.password
chown steerdns /etc/steerdns/router.password && chmod 600 /etc/steerdns/router.password
echo domain:stream.example > /etc/steerdns/tunnel.names
steerdnsd --routeros-setup > router.rsc
sed -i 's/:local apiClient $dnsAddress4/:local apiClient "172.16.1.2"/' router.rsc
sed -i "s/:local apiPassword1 \\"\\"/:local apiPassword1 \\"$(cat /etc/steerdns/router.password)\\"/" router.rsc
sed -i 's/:local gateway1v4 ""/:local gateway1v4 "10.9.0.1"/; s/:local dnsAddress4 ""/:local dnsAddress4 "172.16.1.2"/' router.rsc
scp router.rsc admin@172.16.1.1:
"""

# The default firewall accepts the API from LAN only, and masquerades to WAN only.
FIREWALL = """
/ip firewall filter add chain=input action=accept protocol=tcp dst-port=8728 src-address=172.16.1.2 \\
    place-before=[find where comment="defconf: drop all not coming from LAN"]
/ip firewall nat add chain=srcnat action=masquerade out-interface=wg1
"""


def prepare(lab, config):
    """A box with this configuration, not started, and a router that was set up for it."""
    (lab.web / "ads.hosts").write_text(ADS + BLOCKED)
    lab.box.write("/etc/steerdns/steerdns.yaml", config)
    lab.box.must(SET_UP)
    assert lab.router.command(FIREWALL) == ""
    assert "setup complete" in lab.router.command("/import router.rsc")
    lab.renew_lease()


class Troubleshooting(page_run.PageTest):
    page, test, least, config = "docs/guides/troubleshooting.md", "troubleshooting", 50, CONFIG
    variable = [*page_run.MACHINE, (r"\b\d+ rows, done", "N rows, done"), (r"^( +(?:flash sectors|service us|flash).* +)[\d.]+$", r"\1 N"),
                (r"(upstream_(?:queries|timeouts) +)\d+", r"\1 N"), (r"([rt]x_packets +)\d+", r"\1 N"),
                (r"(\()\d+( queries since)", r"\1N\2"), (r"(cdn\.other\.example +)[\d.]+", r"\1N")]

    def prepare(self, lab):
        prepare(lab, CONFIG)


if __name__ == "__main__":
    page_run.main(Troubleshooting)
