// Files beside the configuration: fetched lists, and lists that change while serving.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steer::config {

// How a plugin reads a list: its type, and what its `args` say about it, as written.
struct ListUse {
    std::string_view type;
    std::string format, strict;
    std::vector<std::string> selectors;
    std::size_t most_rules = 0;  // of an adlist: a longer list is refused; 0: no limit
    std::optional<std::uint32_t> max_shrink{};  // percent; nothing: as `control.fetch` says
    bool ready = true;       // readiness waits for its first copy, if it is fetched
    bool match_all = false;  // it may have a rule that covers all names
    bool operator==(const ListUse&) const = default;
};
struct RemoteList {
    std::string url;   // in its one form (url.h); unique
    std::string file;  // its last good copy
    std::vector<ListUse> uses;
    bool present = false;  // there was a copy
};

// A list as a plugin read it.
struct ReadList {
    std::string owner;   // "domain_set 'ads'"
    std::string source;  // its path or URL
    std::string file;    // as it was opened
    bool loaded = true;  // false: a URL that has no copy yet
    std::size_t rules = 0;
    std::size_t bad_lines = 0, left_out = 0;  // not rules; rules that have no meaning here
    std::size_t of_form = 0;                  // of the bad lines: in the form of the list
    std::uint32_t max_shrink = 100;  // percent of its rules that may go when it is read again
    bool is_remote = false;          // that is looked at when it is fetched
    ListUse use;                     // how it is read; without a type: by no plugin of lists
    int line = 0;
};

// What a dynamic_domain_set is beside a DomainSet: its file, which is changed while serving.
struct RuleFile {
    std::string tag;                 // of the plugin
    std::string file;                // as it is opened
    std::vector<std::string> first;  // the rules of a newly created file
    int line = 0;
    std::uint32_t queue_size = 1024;  // rules that wait to be written
    std::uint32_t batch_size = 256;   // that are written at once
    std::uint32_t flush_interval_ms = 200;
    std::uint32_t max_entries = 0;  // rules of the file; 0: no limit
    std::uint32_t entry_ttl_s = 0;  // how long a learned rule stays; 0: until it is removed
    std::uint32_t cleanup_interval_s = 600;  // between two searches for those that are older
    std::string origins_file{};              // control/sources/rules/rule_origins.h; empty: none
};

}  // namespace steer::config
