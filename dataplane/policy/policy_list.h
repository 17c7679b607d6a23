// An address list in a snapshot: the rules of its claims, and the clients that it serves.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/list_state.h"
#include "dataplane/policy/dns64.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

enum class OnTimeout : std::uint8_t { answer, servfail, drop };
// The action for an answer with an address that the list refused, because the list or a share is
// full. In order of strictness: with several lists, the strictest action is used.
enum class OnFull : std::uint8_t { answer, cap_ttl, servfail };
enum class MissingFamily : std::uint8_t { answer, nodata };
// The action for addresses that also belong to names outside the list.
enum class Sharing : std::uint8_t { keep, skip, report };

// Clients that only some of a list's routers serve: a range, both ends included.
struct ServedClients {
    IpAddress first, last;
    ListId id;  // of the list on those routers
};

struct PolicyList {                       // one ros_address_list, ipset, nftset or bgp_route
    ListId id;                            // on all of its routers
    std::vector<ServedClients> served{};  // disjoint, sorted; other clients are behind all routers
    std::string tag;
    bool has_v4 = false, has_v6 = false;
    bool synchronous = false;  // async: false
    std::uint32_t min_ttl_s = 60, max_ttl_s = 3600, extra_time_s = 30;
    bool fixed = false;             // fixed_ttl given
    std::uint32_t fixed_ttl_s = 0;  // 0: no timeout
    bool cap_answer_ttl = true;
    std::uint32_t sync_timeout_ms = 100;
    OnTimeout on_timeout = OnTimeout::answer;
    OnFull on_full = OnFull::cap_ttl;
    MissingFamily missing_family = MissingFamily::answer;
    Sharing shared = Sharing::keep;
    std::uint32_t max_rows = 0;       // of each of its ids; sizes the row board
    std::uint16_t max_addresses = 0;  // per answer; further ones are removed; 0: no limit
    std::uint8_t shared_above = 3;    // number of other names that makes an address shared
    matchers::PrefixSet never_claim;
    matchers::PrefixSet
        never_exact;  // the part of never_claim for addresses with the prefix of a NAT64
    std::vector<TranslatedPrefix>
        translated{};  // prefixes of NAT64, and the form in which lists have their addresses

    [[nodiscard]] const TranslatedPrefix* translated_at(const std::uint8_t* v6) const noexcept {
        for (const TranslatedPrefix& t : translated) {
            if (t.prefix.holds(v6)) return &t;
        }
        return nullptr;
    }
    // Whether the list can have an address of an AAAA answer.
    [[nodiscard]] bool takes_v6() const noexcept {
        return has_v6 || (has_v4 && std::any_of(translated.begin(), translated.end(),
                                                [](const auto& t) { return t.as_v4; }));
    }

    // Whether its routers depend on the client.
    [[nodiscard]] bool depends_on_client() const noexcept { return !served.empty(); }
    // Rows with any of its ids. Set-up only.
    [[nodiscard]] std::uint64_t all_rows() const;
    // The id of the list on the routers that serve this client.
    [[nodiscard]] ListId id_for(const IpAddress& client) const noexcept {
        return depends_on_client() ? served_id(client) : id;
    }

  private:
    [[nodiscard]] ListId served_id(const IpAddress& client) const noexcept;
};

}  // namespace steer
