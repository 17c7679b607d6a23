// A worker's note as lines for the log. Foreign bytes (names, record data) are escaped: a name
// cannot make a log line of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/note.h"

namespace steer::ops {

// query_summary is one line: "TITLE: qname=www.example.org qtype=A client=192.0.2.10 rcode=NOERROR
// ms=3"; without a response "rcode=-". debug_print is several: the request, and the response record
// by record.
std::vector<std::string> note_lines(const Note& note, std::string_view title);

}  // namespace steer::ops
