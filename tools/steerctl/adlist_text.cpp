#include <array>
#include <boost/json/array.hpp>
#include <string_view>

#include "cells.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;

std::string adlists_text(const json::value& answer) {
    constexpr std::array<std::string_view, 5> kColumns{"tag", "list", "names", "matches",
                                                       "paused_s"};
    const json::array& all = array_of(object_of(answer), "adlists");
    if (all.empty()) return "no adlist is in use\n";
    return rows_text(all, kColumns, {"adlist", "list", "names", "matches", "paused for"});
}

}  // namespace steerctl
