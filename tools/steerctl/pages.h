// Pages of a long answer as one result: equal to what one answer would be.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

namespace steerctl {

// The cursor of the next page; no value: this is the last one.
std::optional<std::string> cursor_of(const boost::json::object& page);

// Removes what only pages have: `cursor`, and with it `more`.
void end_page(boost::json::object& page);

// Appends the arrays of `page` to those of `all`. Other members are those of the later page. An
// object with `continued` goes on with the last one before.
void append_page(boost::json::object& all, boost::json::object&& page);

}  // namespace steerctl
