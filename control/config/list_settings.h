// Files beside the configuration: lists that are fetched, whoever names them, and those that are changed while serving.
#pragma once

#include <cstddef>
#include <cstdint>
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
    bool operator==(const ListUse&) const = default;
};
struct RemoteList {
    std::string url;   // in its one form (url.h); unique
    std::string file;  // its last good copy
    std::vector<ListUse> uses;
    bool present = false;  // there was a copy
};

// What a dynamic_domain_set is beside a DomainSet: its file, which is changed while serving.
struct RuleFile {
    std::string tag;                 // of the plugin
    std::string file;                // as it is opened
    std::vector<std::string> first;  // the rules of a file that is made anew
    int line = 0;
    std::uint32_t queue_size = 1024;  // rules that wait to be written
    std::uint32_t batch_size = 256;   // that are written at once
    std::uint32_t flush_interval_ms = 200;
};

}  // namespace steer::config
