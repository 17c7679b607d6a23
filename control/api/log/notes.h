// A worker's note as lines for the log. Foreign bytes (names, record data) are escaped, so a name
// cannot begin a new log line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/note.h"

namespace steer::ops {

// query_summary gives one line: "TITLE: qname=www.example.org qtype=A client=192.0.2.10
// rcode=NOERROR ms=3"; without a response "rcode=-". debug_print gives several: the request, and
// the response record by record.
std::vector<std::string> note_lines(const Note& note, std::string_view title);

}  // namespace steer::ops
