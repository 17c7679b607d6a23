#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>

#include "cells.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr std::array<std::string_view, 5> kRow{"row", "limit", "action", "dry_run", "counts"};
constexpr std::array<std::string_view, 5> kOffender{"row", "client", "name", "per_s", "refused"};
constexpr std::array<std::string_view, 8> kBan{"client",  "row",     "in_force", "per_s",
                                               "since_s", "dropped", "passed",   "exempt"};
constexpr std::array<std::string_view, 4> kQuota{"quota", "key", "setting", "counts"};

}  // namespace

std::string limits_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out =
        rows_text(array_of(all, "rows"), kRow, {"row", "limit", "action", "dry run", "decisions"});
    if (out.empty()) out = "the configuration has no `limits`\n";
    const std::string offenders = rows_text(array_of(all, "offenders"), kOffender,
                                            {"row", "client", "name", "per second", "refused"});
    if (!offenders.empty()) out += "\nabove a limit now\n" + offenders;
    const std::string quotas =
        rows_text(array_of(all, "quotas"), kQuota, {"quota", "for each", "setting", "refused"});
    if (!quotas.empty()) out += "\nquotas of other settings\n" + quotas;
    return out;
}

std::string bans_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    const std::string out = rows_text(
        array_of(all, "bans"), kBan,
        {"client", "row", "in force", "per second", "since", "dropped", "passed", "exempt"});
    if (!out.empty()) return out;
    return is_true(all, "available") ? "nothing is banned\n"
                                     : "nothing is banned; bans need a port with AF_XDP\n";
}

std::string ban_removed_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    return text_of(all, "prefix") + (is_true(all, "removed")
                                         ? " is not banned any more, for at least ten minutes\n"
                                         : " was not banned\n");
}

}  // namespace steerctl
