// One list: asked for, looked at, and put in place of its last good copy only if it is good.
//
// Blocks. Good is what came whole and of which each plugin that uses it would take a rule at least (with `strict`: every
// line), and that has not lost more rules than `max_shrink` allows. The copy is replaced by a rename, so that a reader has the old or the new one, never a part.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/fetch/fetch.h"
#include "control/fetch/list_facts.h"

namespace steer::fetch {

// How, for all lists of a configuration.
struct FetchOptions {
    config::Fetch limits;
    std::vector<resolver::Resolver> resolvers;
    bool any_size = false;   // also a list that lost more than its `max_shrink`
    bool keep_facts = true;  // beside the file; without, it is asked for as if it were not there
};
// Of a configuration: its `fetch`, and the upstreams of its `forward` plugins.
FetchOptions fetch_options_of(const config::Settings& settings);

struct ListOutcome {
    Outcome outcome = Outcome::stopped;
    std::string why;       // empty if all is well
    std::string remark;    // what the operator should know all the same
    ListFacts facts;       // of the copy that is there now
    bool changed = false;  // the copy is another one
};

// `now_s`: seconds since 1970.
ListOutcome fetch_list(const config::RemoteList& list, const FetchOptions& options,
                       std::uint64_t now_s, const std::stop_token& stop);

// All lists of which there is no copy, at the same time, for at most `limits.start_wait`. Says what it does to `say`.
// Returns how many came.
std::size_t fetch_missing(const std::vector<config::RemoteList>& lists, const FetchOptions& options,
                          const std::function<void(const std::string&)>& say,
                          const std::stop_token& stop);

// "LIST-URL: brought, 12,345 bytes, 678 rules", "... cannot be brought: WHY".
std::string sentence(const std::string& url, const ListOutcome& outcome);

}  // namespace steer::fetch
