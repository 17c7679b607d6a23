// Arguments of the plugins that write addresses elsewhere: lists of routers, sets of the kernel,
// aliases of OPNsense.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings/lines.h"
#include "control/config/settings/router_row_kind.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::config {

struct PersistentRow {
    matchers::Prefix prefix;
    std::uint32_t file = 0;  // index of Settings::files
    int line = 0;
};

enum class OnTimeoutMode : std::uint8_t { answer, servfail, drop };
// The answer to a client if the list has no space for its address.
enum class OnFullMode : std::uint8_t { answer, cap_ttl, servfail };
// How many routers of the client's list an answer waits for: all reachable ones, the first, or all.
enum class Quorum : std::uint8_t { healthy, any, all };
// How many routers or sets of a list /readyz needs: none, one, or all.
enum class ReadyNeed : std::uint8_t { off, any, all };
enum class ManualChangeMode : std::uint8_t { repair, respect };
enum class MissingFamilyMode : std::uint8_t { answer, nodata };
enum class SharedMode : std::uint8_t { keep, skip, report };

// Of the maximum of a list, in percent.
struct ClaimShares {
    std::uint32_t name_percent = 5, suffix_percent = 25, client_percent = 25;
};

struct RouterRows {                    // `ros_address_list`, `ros_route`
    std::vector<RouterIndex> routers;  // at least one
    Quorum quorum = Quorum::healthy;
    ReadyNeed ready = ReadyNeed::off;
    const RouterRowKind* kind = &kAddressListKind;
    // IPv4 and IPv6: what rows of a family belong to (an address list, a routing table); empty: they become no rows. At
    // least one.
    std::array<std::string, 2> groups;
    // Values of the properties that rows of this kind have, in the order of routeros/row_types.h.
    std::array<std::vector<std::string>, 2> values;
    bool conntrack_guard = false;  // a row whose lease has ended stays while a connection uses it
    std::string comment_prefix = "fdns";
    bool async = true;
    Milliseconds min_ttl{60'000}, max_ttl{3'600'000};
    std::optional<Milliseconds> fixed_ttl;  // 0: rows without a timeout
    Milliseconds extra_time{30'000}, renew_slack{600'000};
    bool cap_answer_ttl = true;
    Milliseconds sync_timeout{100};
    OnTimeoutMode on_timeout = OnTimeoutMode::answer;
    OnFullMode on_full = OnFullMode::cap_ttl;
    MissingFamilyMode missing_family = MissingFamilyMode::answer;
    std::optional<std::vector<matchers::Prefix>> never_claim;  // no value: the default ranges
    std::vector<matchers::Prefix> allow_claim;
    SharedMode shared = SharedMode::keep;
    std::uint32_t shared_above = 3;
    std::uint32_t max_rows = 50'000;
    std::uint32_t max_addresses = 32;  // per answer
    ClaimShares shares;
    bool multi_writer = false;
    ManualChangeMode on_manual_change = ManualChangeMode::repair;
    bool cleanup_on_shutdown = false;
    std::vector<PersistentRow> persistent;

    [[nodiscard]] const std::string& group(bool v6) const { return groups[v6 ? 1 : 0]; }
};

// One set of the kernel: an `ipset`, an `nftset` with its table, or the routes of a `bgp_route`.
struct KernelSet {
    std::string family;  // of the table: ip, ip6, inet; empty: an ipset or a routing table
    std::string table;
    std::string name;
    std::uint32_t mask = 0;
};
// The settings of a `bgp_route` in addition to its tables.
struct BgpRoutes {
    std::string community;             // original text: two or three numbers
    std::string next_hop4, next_hop6;  // of the routes; empty: this machine
    Milliseconds linger{300'000}, flap_interval{1'800'000};
};
struct KernelSets {                   // `ipset`, `nftset`, `bgp_route`
    std::optional<KernelSet> v4, v6;  // at least one
    ReadyNeed ready = ReadyNeed::off;
    bool async = true;
    Milliseconds sync_timeout{100};
    OnTimeoutMode on_timeout = OnTimeoutMode::answer;
    OnFullMode on_full = OnFullMode::cap_ttl;
    Milliseconds min_ttl{60'000}, max_ttl{86'400'000}, extra_time{30'000};
    bool cap_answer_ttl = true;
    std::optional<std::vector<matchers::Prefix>> never_claim;  // no value: the default ranges
    std::vector<matchers::Prefix> allow_claim;
    std::uint32_t max_elements = 50'000;
    ClaimShares shares;
    std::optional<BgpRoutes> routes;
};

struct OpnsenseAlias {                   // `opnsense_alias`
    std::vector<OpnsenseIndex> routers;  // at least one
    Quorum quorum = Quorum::healthy;
    ReadyNeed ready = ReadyNeed::off;
    std::string alias4, alias6;  // at least one; one alias may have both families
    bool async = true;
    Milliseconds sync_timeout{500};
    OnTimeoutMode on_timeout = OnTimeoutMode::answer;
    OnFullMode on_full = OnFullMode::cap_ttl;
    MissingFamilyMode missing_family = MissingFamilyMode::answer;
    Milliseconds min_ttl{60'000}, max_ttl{3'600'000}, extra_time{30'000};
    bool cap_answer_ttl = true;
    std::optional<std::vector<matchers::Prefix>> never_claim;  // no value: the default ranges
    std::vector<matchers::Prefix> allow_claim;
    std::uint32_t max_elements = 50'000;
    ClaimShares shares;
    std::uint32_t max_addresses = 32;  // per answer
};

}  // namespace steer::config
