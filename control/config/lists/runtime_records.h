// Records that `steerctl static` adds to `static` plugins at run time, from the file
// `control.static`.
//
// The file is a map from tags of `static` plugins to lists in the form of their `records`. It is a
// part of the configuration: a start and a reload read it, and an error in it has file and line.
#pragma once

#include <string>
#include <vector>

#include "control/config/reading.h"

namespace steer::config {

// The content of the file, read at the first call: a map with lists as values. Null: there is no
// file, or it has an error, which is reported.
const Node& runtime_records(Reading& in);
// Warns about records for tags without a `static` plugin.
void warn_of_unused_records(Reading& in);

// The content of such a file alone, without a configuration.
struct RecordBook {
    struct Part {
        std::string tag;
        std::vector<RecordFields> records;
    };
    std::vector<Part> parts;
};
// Error: with file and line.
Result<RecordBook> parse_record_book(const std::string& file, std::string_view text);

// The `static` plugins of a configuration, and the tags that their records may name.
struct StaticPlugins {
    struct Tag {
        std::string tag, type;
        Role role;
        PluginIndex index;
    };
    struct One {
        std::string tag;
        StaticRecords records;
        std::vector<std::string> places;  // of records.written: "FILE:LINE"
    };
    std::vector<Tag> tags;
    std::vector<One> plugins;
};
StaticPlugins static_plugins(const Settings& settings);
// Error: the record is invalid, exists already, or closes a loop of CNAMEs; a clause without a
// place. Compiles a regexp: not for the main thread.
Result<void> try_record(const StaticPlugins& plugins, const std::string& tag,
                        const RecordFields& fields);

}  // namespace steer::config
