// Fetches one list, checks it, and replaces its last good copy only by a good one.
//
// Blocks. A list is good if it is complete and each plugin that uses it accepts at least one rule
// (with `strict`: every line). Also, it must not have lost more rules than `max_shrink` allows. A
// rename replaces the copy, so readers see the old or the new one.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/streams/fetch/fetch.h"
#include "control/streams/fetch/list_facts.h"

namespace steer::fetch {

// The options for all lists of a configuration.
struct FetchOptions {
    config::Fetch limits;
    std::vector<resolver::Resolver> resolvers;
    bool any_size = false;   // accepts a list that lost more than its `max_shrink`
    bool keep_facts = true;  // stores facts beside the file, for conditional requests
};
// From a configuration: its `fetch`, and the upstreams of its `forward` plugins.
FetchOptions fetch_options_of(const config::Settings& settings);

struct ListOutcome {
    Outcome outcome = Outcome::stopped;
    std::string why;       // empty: success
    std::string remark;    // a note for the operator
    ListFacts facts;       // of the present copy
    bool changed = false;  // the copy changed
};

// `now_s`: seconds since 1970.
ListOutcome fetch_list(const config::RemoteList& list, const FetchOptions& options,
                       std::uint64_t now_s, const std::stop_token& stop);

// Fetches all lists without a copy, in parallel, for at most `limits.start_wait`. Reports progress
// to `say`. Returns the number of fetched lists.
std::size_t fetch_missing(const std::vector<config::RemoteList>& lists, const FetchOptions& options,
                          const std::function<void(const std::string&)>& say,
                          const std::stop_token& stop);

// "LIST-URL: brought, 12,345 bytes, 678 rules", "... cannot be brought: WHY".
std::string sentence(const std::string& url, const ListOutcome& outcome);

}  // namespace steer::fetch
