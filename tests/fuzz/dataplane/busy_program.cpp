#include "busy_program.h"

#include <cstdio>
#include <cstdlib>

#include "control/config/load.h"
#include "control/program/build/build.h"

namespace steer::test {
namespace {

constexpr std::string_view kConfig = R"(
routers:
  edge1: { address: "192.0.2.1:8728", username: steer, password: secret }
plugins:
  - { tag: media, type: domain_set, args: { exps: ["domain:stream.example"], inherit: true } }
  - { tag: up, type: forward, args: { upstreams: [ { addr: "198.51.100.53" } ] } }
  - { tag: policy, type: ros_address_list, args: { router: edge1, address_list4: p4, address_list6: p6 } }
  - { tag: held, type: ros_address_list, args: { router: edge1, address_list4: h4, async: false, missing_family: nodata } }
  - { tag: subnet, type: ecs_handler, args: { forward: true } }
  - { tag: lazy, type: cache, args: { short_circuit: true, ecs_in_key: true, lazy_cache_ttl: 1h } }
  - { tag: stale, type: cache, args: { short_circuit: true, serve_stale: 1h, stale_client_timeout: 500ms } }
  - { tag: translator, type: dns64 }
  - { tag: names, type: redirect, args: { rules: ["domain:old.example new.stream.example"] } }
  - { tag: addresses, type: reverse_lookup, args: { size: 1000, ttl: 100 } }
  - tag: streamed
    type: sequence
    args:
      - { exec: "forward_edns0opt 65001,15" }
      - { exec: $subnet }
      - { exec: $lazy }
      - { exec: $addresses }
      - { matches: "qname $media", exec: $policy }
      - { exec: $up }
      - { matches: "resp_ip 203.0.113.0/24", exec: ttl 77 }
      - { matches: "cname domain:deep.example", exec: drop_resp }
      - { exec: accept }
  - tag: holding
    type: sequence
    args:
      - { exec: $stale }
      - { exec: $held }
      - { exec: $up }
      - { exec: accept }
  - tag: translated
    type: sequence
    args:
      - { exec: $stale }
      - { exec: $policy }
      - { exec: $translator }
      - { exec: $up }
      - { exec: accept }
  - tag: renamed
    type: sequence
    args:
      - { exec: $addresses }
      - { exec: $names }
      - { exec: $policy }
      - { exec: query_summary renamed }
      - { exec: $up }
      - { exec: accept }
  - tag: preferred
    type: sequence
    args:
      - { exec: prefer_ipv4 }
      - { exec: $policy }
      - { exec: $up }
      - { exec: accept }
  - tag: main
    type: sequence
    args:
      - { matches: "qname domain:held.example", exec: goto holding }
      - { matches: "qname domain:six.example", exec: goto translated }
      - { matches: "qname domain:old.example", exec: goto renamed }
      - { matches: "qname domain:four.example", exec: goto preferred }
      - { exec: goto streamed }
)";

[[noreturn]] void cannot(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::abort();
}

}  // namespace

std::unique_ptr<Snapshot> busy_program() {
    static build::Registry registry;
    const auto loaded = config::load_text(kConfig, "busy.yaml");
    if (!loaded.ok()) cannot(loaded.errors.front().sentence());
    build::Surroundings around;
    for (const char* all : {"0.0.0.0/0", "::/0"})
        around.own_networks.push_back(*matchers::Prefix::parse(all));
    auto built = build::build(loaded.settings, around, registry);
    if (!built.ok()) cannot(built.errors.front().sentence());
    return std::move(built.snapshot);
}

}  // namespace steer::test
