#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cells.h"
#include "report.h"

namespace steerctl {

namespace json = boost::json;

std::string reverse_text(const json::value& answer) {
    const auto* const all = answer.if_object();
    const auto* const names = all == nullptr ? nullptr : all->if_contains("names");
    const auto* const list = names == nullptr ? nullptr : names->if_array();
    if (list == nullptr || list->empty()) return "no name known for this address\n";
    std::string out;
    for (const json::value& one : *list) {
        const auto* const fields = one.if_object();
        const auto* const name = fields == nullptr ? nullptr : fields->if_contains("name");
        const auto* const text = name == nullptr ? nullptr : name->if_string();
        out += (text == nullptr ? "-" : printable(std::string_view(*text))) + "\n";
    }
    return out;
}

}  // namespace steerctl
