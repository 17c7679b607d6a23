// A trace in words: each event with its place in the configuration, and a sentence for people.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/observe/trace/trace_copy.h"
#include "control/program/build/build.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/policy/trace.h"

namespace steer {

struct TraceTerms {
    const Snapshot* snapshot = nullptr;  // of the trace's generation; nullptr: it was freed
    const std::vector<build::NamedSet>* sets = nullptr;  // of the matcher in force
};

// {"id", "name", "type", "class", "client", "client_port", "server", "port", "transport", "worker",
// "configuration", "took_ms", "end", "lists": tags, "events_lost", "passed_by", "answer": {"rcode",
// "ede", "ttl_s", "age_s", "addresses"}, "way": [{"at_ms", "what", "text", "branch"; of an
// instruction "sequence", "file", "line", "rule", "operation", "by_plan"; of a test "holds",
// "sets"; of "plan" also "until": where it ends; of an extended error "ede", "ede_text"}]}
boost::json::object trace_json(const TraceCopy& trace, const TraceTerms& terms);

// The text form of ids.
std::string trace_id_text(std::uint64_t id);

// Words for the numbers in traces.
std::string_view packet_cache_sentence(TracePacketCache does);
std::string_view packet_cache_word(TracePacketCache does);  // "answered", "would_answer" ...
std::string_view cache_sentence(TraceCache is);
std::string_view cache_word(TraceCache is);  // "miss", "hit", "stale", "guarded", "expired"
std::string_view source_text(std::uint32_t source);
std::string_view upstream_result_text(unsigned result);
std::string_view via_text(unsigned via);
std::string_view branch_end_text(unsigned is);
std::string_view outcome_text(unsigned outcome);
std::string_view leave_text(unsigned leave);

}  // namespace steer
