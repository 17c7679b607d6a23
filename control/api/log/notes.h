// A worker's note as lines for the log. Foreign bytes (names, record data) are escaped, so a name
// cannot begin a new log line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/answer/rpz.h"
#include "dataplane/base/note.h"

namespace steer::ops {

// query_summary gives one line: "TITLE: qname=www.example.org qtype=A client=192.0.2.10
// rcode=NOERROR ms=3"; without a response "rcode=-". debug_print gives several: the request, and
// the response record by record.
std::vector<std::string> note_lines(const Note& note, std::string_view title);

// A match of an rpz, as "rpz 'policy': zone=$feed trigger=name action=nxdomain client=192.0.2.10
// qname=bad.example qtype=A".
std::string policy_line(const Note& note, const Rpz& rpz);

}  // namespace steer::ops
