// A worker's note as lines for the log. Foreign bytes (names, record data) are escaped: a name
// cannot make a log line of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/answer/rpz.h"
#include "dataplane/base/note.h"

namespace steer::ops {

// query_summary is one line: "TITLE: qname=www.example.org qtype=A client=192.0.2.10 rcode=NOERROR
// ms=3"; without a response "rcode=-". debug_print is several: the request, and the response record
// by record.
std::vector<std::string> note_lines(const Note& note, std::string_view title);

// A match of an rpz: "rpz 'policy': zone=$feed trigger=name action=nxdomain client=192.0.2.10 qname=bad.example qtype=A".
std::string policy_line(const Note& note, const Rpz& rpz);

}  // namespace steer::ops
