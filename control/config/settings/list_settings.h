// Files in addition to the configuration: fetched lists, and lists that change at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steer::config {

// How a plugin reads a list: its type, and the relevant `args`, unchanged.
struct ListUse {
    std::string_view type;
    std::string format, strict;
    std::vector<std::string> selectors;
    std::size_t most_rules = 0;  // of an adlist: a longer list is rejected; 0: no limit
    std::optional<std::uint32_t> max_shrink{};  // percent; no value: that of `control.fetch`
    bool ready = true;       // readiness waits for its first copy, if it is fetched
    bool match_all = false;  // it may have a rule that covers all names
    bool operator==(const ListUse&) const = default;
};
struct RemoteList {
    std::string url;   // in its unique form (url.h)
    std::string file;  // its last good copy
    std::vector<ListUse> uses;
    bool present = false;     // a copy exists and can be used
    bool is_damaged = false;  // a copy exists and cannot be used: it is fetched completely
};

// A list that a plugin read.
struct ReadList {
    std::string owner;        // "domain_set 'ads'"
    std::string source;       // its path or URL
    std::string file;         // the path that was opened
    bool loaded = true;       // false: a URL without a copy that can be used
    bool is_damaged = false;  // there is a copy, which cannot be used
    std::size_t rules = 0;
    std::size_t bad_lines = 0, left_out = 0;  // lines that are no rules; unsupported rules
    std::size_t of_form = 0;                  // the part of bad lines that has the form of the list
    std::uint32_t max_shrink = 100;  // percent of its rules that it may lose when it is read again
    bool is_remote = false;          // true: checked when it is fetched
    ListUse use;                     // how it is read; without a type: by no plugin of lists
    int line = 0;
};

// The part of a dynamic_domain_set that a DomainSet does not have: its file, which changes at run
// time.
struct RuleFile {
    std::string tag;                 // of the plugin
    std::string file;                // the path to open
    std::vector<std::string> first;  // the rules of a newly created file
    int line = 0;
    std::uint32_t queue_size = 1024;  // maximum rules that wait to be written
    std::uint32_t batch_size = 256;   // maximum rules per write
    std::uint32_t flush_interval_ms = 200;
    std::uint32_t max_entries = 0;           // maximum rules in the file; 0: no limit
    std::uint32_t entry_ttl_s = 0;           // lifetime of a learned rule; 0: until it is removed
    std::uint32_t cleanup_interval_s = 600;  // between two searches for expired rules
    std::string origins_file{};              // control/sources/rules/rule_origins.h; empty: none
};

}  // namespace steer::config
