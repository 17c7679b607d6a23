// Which forwards readiness needs, from small configurations.
#include "control/config/advice/readiness.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "control/config/load.h"
#include "support/temp_folder.h"

using namespace steer::config;

namespace {

// The plugins that the cases use; `main` is each case's own.
constexpr std::string_view kPlugins = R"(
plugins:
  - { tag: up, type: forward, args: { upstreams: [ { addr: 192.0.2.1 } ] } }
  - { tag: other, type: forward, args: { upstreams: [ { addr: 192.0.2.2 } ] } }
  - { tag: wanted, type: forward, args: { ready: true, upstreams: [ { addr: 192.0.2.3 } ] } }
  - { tag: unwanted, type: forward, args: { ready: false, upstreams: [ { addr: 192.0.2.4 } ] } }
  - { tag: stale, type: cache, args: { serve_stale: 1d } }
  - { tag: lazy, type: cache, args: { lazy_cache_ttl: 1d } }
  - { tag: plain, type: cache }
  - { tag: both, type: fallback, args: { primary: up, secondary: other } }
  - { tag: either, type: fallback, args: { primary: up, secondary: unwanted } }
  - { tag: side, type: zone, args: { names: [ corp.example ], forward: other } }
  - { tag: wanted_side, type: zone, args: { names: [ corp.example ], forward: wanted } }
  - { tag: records, type: static, args: { records: [ { name: b.example, type: FWD, forward_to: other } ] } }
  - { tag: inner, type: sequence, args: [ { exec: $up } ] }
  - { tag: inner_end, type: sequence, args: [ { exec: $up }, { exec: accept } ] }
  - { tag: inner_return, type: sequence, args: [ { exec: return }, { exec: $other } ] }
)";

struct Case {
    std::string main;   // the rules of the entry
    std::string needs;  // "up; other|wanted (stale)": AND of ORs
};

std::string needs_of(const std::string& rules) {
    steer::test::TempFolder folder;
    folder.write("c.yaml",
                 std::string(kPlugins) + "  - { tag: main, type: sequence, args: [ " + rules +
                     " ] }\n  - { tag: udp, type: udp_server, args: { entry: main, listen: "
                     "\":53\" } }\n");
    const auto loaded = load(folder / "c.yaml");
    if (!loaded.ok()) return "error: " + loaded.errors.front().text;
    std::string out;
    for (const ForwardNeed& need : forward_needs(loaded.settings)) {
        std::string one;
        for (const PluginIndex forward : need.any_of)
            one += (one.empty() ? "" : "|") + loaded.settings.plugin(forward).tag;
        out += (out.empty() ? "" : "; ") + one + (need.has_stale ? " (stale)" : "");
    }
    return out;
}

const Case kCases[] = {
    // `wanted` says itself that it counts, wherever it stands.
    {"{ exec: $up }", "up; wanted"},
    {"{ exec: $inner }", "up; wanted"},
    {"{ exec: jump inner }", "up; wanted"},
    {"{ exec: goto inner }, { exec: $other }", "up; wanted"},
    {"{ exec: $inner_end }, { exec: $other }", "up; wanted"},
    {"{ exec: $inner_return }, { exec: $up }", "up; wanted"},
    {"{ exec: $up }, { exec: accept }, { exec: $other }", "up; wanted"},
    // A local answer is no way around, and neither is a branch.
    {"{ matches: qname ads.example, exec: reject 3 }, { exec: $up }", "up; wanted"},
    {"{ matches: qname corp.example, exec: $other }, { matches: has_resp, exec: accept }, { exec: "
     "$up }",
     "up; wanted"},
    {"{ matches: qname corp.example, exec: $other }, { matches: \"!has_resp\", exec: $up }",
     "up; wanted"},
    {"{ matches: qname corp.example, exec: $other }, { matches: _true, exec: $up }", "up; wanted"},
    // Zones and FWD records are branches.
    {"{ exec: $side }, { exec: $up }", "up; wanted"},
    {"{ exec: $wanted_side }, { exec: $up }", "up; wanted"},
    {"{ exec: $records }, { exec: $up }", "up; wanted"},
    // A fallback is one need.
    {"{ exec: $both }", "up|other; wanted"},
    {"{ exec: $either }", "up; wanted"},
    // Without a forward outside branches, all are one need.
    {"{ matches: qname a.example, exec: $up }, { matches: \"!qname a.example\", exec: $other }",
     "up|other; wanted"},
    {"{ exec: $side }, { matches: qname a.example, exec: $up }", "up; wanted"},
    {"{ matches: qname a.example, exec: $both }", "up|other; wanted"},
    // `ready: false` does not make its branches count instead.
    {"{ matches: qname a.example, exec: $up }, { exec: $unwanted }", "wanted"},
    {"{ exec: reject 3 }", "wanted"},
    {"{ exec: $wanted }", "wanted"},
    // Caches before them.
    {"{ exec: $stale }, { exec: $up }", "up (stale); wanted"},
    {"{ exec: $lazy }, { exec: $both }", "up|other (stale); wanted"},
    {"{ exec: $plain }, { exec: $up }", "up; wanted"},
    {"{ exec: $up }, { exec: $stale }", "up; wanted"},
    {"{ matches: qname a.example, exec: $stale }, { exec: $up }", "up; wanted"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(readiness)

BOOST_AUTO_TEST_CASE(needs_follow_from_the_places_of_forwards) {
    for (const Case& one : kCases)
        BOOST_TEST(needs_of(one.main) == one.needs, one.main << " needs " << needs_of(one.main));
}

BOOST_AUTO_TEST_SUITE_END()
