#include "pages.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr const char *kCursor = "cursor", *kMore = "more", *kContinued = "continued";

void append_rows(json::array& all, json::array&& rows);

// The arrays of two parts of one object.
void join(json::object& first, json::object&& second) {
    for (auto& [key, member] : second) {
        auto* const known = first.if_contains(key);
        if (known != nullptr && known->is_array() && member.is_array())
            append_rows(known->get_array(), std::move(member.get_array()));
    }
}

void append_rows(json::array& all, json::array&& rows) {
    for (json::value& row : rows) {
        auto* const object = row.if_object();
        const bool goes_on = object != nullptr && object->contains(kContinued) && !all.empty() &&
                             all.back().is_object();
        if (goes_on)
            join(all.back().get_object(), std::move(*object));
        else
            all.push_back(std::move(row));
    }
}

}  // namespace

std::optional<std::string> cursor_of(const json::object& page) {
    const auto* const cursor = page.if_contains(kCursor);
    if (cursor == nullptr || !cursor->is_string()) return std::nullopt;
    return std::string(cursor->get_string());
}

void end_page(json::object& page) {
    if (page.erase(kCursor) != 0) page.erase(kMore);
}

void append_page(json::object& all, json::object&& page) {
    for (auto& [key, member] : page) {
        auto* const known = all.if_contains(key);
        if (known != nullptr && known->is_array() && member.is_array())
            append_rows(known->get_array(), std::move(member.get_array()));
        else
            all[key] = std::move(member);
    }
}

}  // namespace steerctl
