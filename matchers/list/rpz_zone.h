// Reads a response policy zone (draft-vixie-dnsop-dns-rpz-00) from zone text, record by record:
// triggers and actions.
//
// SOA and NS of the apex, other records there, and DNSSEC records are not policy and are left out.
// Everything else that is unknown is a bad line. Accepts any bytes; linear cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "matchers/list/bad_lines.h"
#include "matchers/list/zone_entries.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::matchers {

struct RpzRecord {
    enum class Trigger : std::uint8_t {
        name,        // the question's name, or the target of a CNAME in the answer
        below,       // as above, for all names below `name`, but not `name`
        client,      // `prefix` has the client's address (rpz-client-ip)
        address,     // `prefix` has an address of the answer (rpz-ip)
        ns_name,     // rpz-nsdname
        ns_address,  // rpz-nsip
    };
    enum class Action : std::uint8_t {
        nxdomain,     // CNAME .
        nodata,       // CNAME *.
        passthru,     // CNAME rpz-passthru., or the trigger itself
        drop,         // CNAME rpz-drop.
        tcp_only,     // CNAME rpz-tcp-only.
        alias,        // CNAME to `target`
        alias_below,  // CNAME *.`target`: the question's name, prepended to it
        data,         // a record: `type` and `data`
    };

    Trigger trigger = Trigger::name;
    Action action = Action::nxdomain;
    std::string name;    // for name and below: lower case, without a last dot; below "": every name
    Prefix prefix;       // for client and address
    bool is_v4 = false;  // family of `prefix`
    std::string target;  // for an alias: without a last dot
    std::uint32_t ttl_s = 0;
    int line = 0;
    std::string_view owner;  // for messages, without the zone's name
    // For data: as in the zone; a name without a last dot is below `origin`.
    std::string type;
    std::span<const ZoneWord> data;
    std::string_view origin;

    [[nodiscard]] bool is_of_name() const {
        return trigger == Trigger::name || trigger == Trigger::below;
    }
    // Whether the zone changes the answer to every type for the name.
    [[nodiscard]] bool blocks() const {
        return action == Action::nxdomain || action == Action::nodata || action == Action::drop;
    }
};

// Calls visit(record) for each policy record of the zone. `zone_name`: the apex, without a last
// dot. Empty: the owner of the SOA, else the first $ORIGIN. Errors have the name `file`. `serial`
// (may be nullptr) gets that of the first SOA.
BadLines read_rpz_zone(std::string_view bytes, std::string_view file, std::string_view zone_name,
                       const std::function<void(const RpzRecord&)>& visit,
                       std::optional<std::uint32_t>* serial = nullptr);

// The prefix in the labels before rpz-ip or rpz-client-ip, as in "24.0.2.0.192" and
// "48.zz.db8.2001".
struct RpzPrefix {
    Prefix prefix;
    bool is_v4;
};
Result<RpzPrefix> parse_rpz_prefix(std::string_view labels);

}  // namespace steer::matchers
