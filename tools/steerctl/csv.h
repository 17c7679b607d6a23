// Recorded queries as CSV (RFC 4180): one line per query, CRLF at its end, the columns in a fixed
// order.
//
// Names come from strangers. A cell that a spreadsheet could take for a formula (it begins with =,
// +, -, @, a tab or a return) gets an apostrophe before it, as OWASP recommends.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace steerctl {

std::string csv_cell(std::string_view text);
std::string csv_heading();                               // the names of the fields
std::string csv_line(const boost::json::object& query);  // of recorder.history

}  // namespace steerctl
