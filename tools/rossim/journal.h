// The journal: one record for each change of a router's address lists and routes, at the moment when it took
// effect.
//
// A record is one JSON line:
// {"t_ns":1760000000000000000,"router":"edge1","op":"add","family":4,"list":"policy",
// "address":"203.0.113.7","timeout_s":60,"comment":"...",".id":"*1F"}. t_ns is CLOCK_REALTIME;
// timeout_s is what the row has left and null for a permanent row; "disabled":true is there only
// when it is so. A route has "menu":"route", its routing table as list, a host without its length, and "gateway". reboot and up have neither family nor row; a reboot drops every row that has a
// timeout without a record for each. A change of list or address is a remove and an add.
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
    std::optional<std::int64_t> left_us;  // until the row ends by itself; none: permanent
    std::string_view comment;
    std::uint64_t id = 0;
    bool disabled = false;
    bool is_route = false;       // `list` is its routing table
    std::string_view gateway{};  // of a route
};

// Called within advance(), before the reply that acknowledges the change can leave. The views end
// with the call.
using Journal = std::function<void(const Commit&)>;

std::string_view change_name(Change change);

// The record as one line, with its newline.
std::string to_json_line(const Commit& commit);

}  // namespace rossim
