// A trace in words: each event with its place in the configuration, and a sentence for people.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "control/observe/trace/trace_copy.h"
#include "control/program/build/build.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

struct TraceTerms {
    const Snapshot* snapshot = nullptr;  // of the trace's generation; nullptr: it was freed
    const std::vector<build::NamedSet>* sets = nullptr;  // of the matcher in force
};

// {"id", "name", "type", "class", "client", "client_port", "server", "port", "transport", "worker", "configuration",
// "took_ms", "end", "lists": tags, "events_lost", "passed_by", "answer": {"rcode", "ede", "ttl_s", "age_s", "addresses"},
// "way": [{"at_ms", "what", "text", "branch"; of an instruction "sequence", "file", "line", "rule", "operation",
// "by_plan"; of a test "holds", "sets"; of "plan" also "until": where it ends; of an extended error "ede", "ede_text"}]}
boost::json::object trace_json(const TraceCopy& trace, const TraceTerms& terms);

// How ids are written.
std::string trace_id_text(std::uint64_t id);

}  // namespace steer
