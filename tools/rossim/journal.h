// The journal: one record for each change of a router's address lists and routes, at the moment of
// the change.
//
// A record is one JSON line:
// {"t_ns":1760000000000000000,"router":"edge1","op":"add","family":4,"list":"policy",
// "address":"203.0.113.7","timeout_s":60,"comment":"...",".id":"*1F"}
// t_ns is CLOCK_REALTIME. timeout_s is the remaining time, and null for a permanent row.
// "disabled":true is present only for a disabled row. A route has "menu":"route", its routing table
// as list, a host address without its length, and "gateway". The records `reboot` and `up` have
// neither family nor row. A reboot removes every row with a timeout without a record for each. A
// change of list or address is a remove and an add.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rossim {

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

enum class Change : std::uint8_t { add, set, remove, expire, reboot, up };

struct Commit {
    std::int64_t t_ns = 0;
    std::string_view router;
    Change change = Change::add;
    Family family = Family::ipv4;
    std::string_view list;
    std::string_view address;
    std::optional<std::int64_t> left_us;  // until the row expires; none: permanent
    std::string_view comment;
    std::uint64_t id = 0;
    bool disabled = false;
    bool is_route = false;       // `list` is its routing table
    std::string_view gateway{};  // of a route
};

// Called within advance(), before the reply that acknowledges the change can leave. The views are
// valid only during the call.
using Journal = std::function<void(const Commit&)>;

std::string_view change_name(Change change);

// Returns the record as one line with its newline.
std::string to_json_line(const Commit& commit);

}  // namespace rossim
