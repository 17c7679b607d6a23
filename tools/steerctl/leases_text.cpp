#include <array>
#include <boost/json/array.hpp>
#include <string_view>

#include "cells.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;

std::string leases_text(const json::value& answer) {
    constexpr std::array<std::string_view, 5> kLease{"name", "address", "router", "server",
                                                     "static"};
    constexpr std::array<std::string_view, 4> kNameless{"address", "host_name", "router", "why"};
    constexpr std::array<std::string_view, 4> kRouter{"router", "state", "leases", "trouble"};
    const json::object& all = object_of(answer);
    const std::string routers =
        rows_text(array_of(all, "routers"), kRouter, {"router", "state", "leases", "trouble"});
    if (routers.empty()) return "the configuration has no dhcp_leases\n";
    std::string out = rows_text(array_of(all, "leases"), kLease,
                                {"name", "address", "router", "DHCP server", "static"});
    if (out.empty()) out = "no lease has a name\n";
    const std::string nameless =
        rows_text(array_of(all, "nameless"), kNameless,
                  {"address", "host name", "router", "why it has no name"});
    if (!nameless.empty()) out += "\nleases without a name\n" + nameless;
    return out + "\n" + routers;
}

std::string router_lists_text(const json::value& answer) {
    constexpr std::array<std::string_view, 5> kList{"tag", "list", "router", "addresses", "sample"};
    constexpr std::array<std::string_view, 5> kRouter{"router", "state", "age_s", "servers",
                                                      "trouble"};
    const json::object& all = object_of(answer);
    const std::string routers = rows_text(array_of(all, "routers"), kRouter,
                                          {"router", "state", "age", "DNS servers", "trouble"});
    if (routers.empty()) return "the configuration has no ros_list, and no forward with 'router'\n";
    const std::string lists =
        rows_text(array_of(all, "lists"), kList,
                  {"ros_list", "address list", "router", "addresses", "the first ones"});
    return lists + (lists.empty() ? "" : "\n") + routers;
}

}  // namespace steerctl
