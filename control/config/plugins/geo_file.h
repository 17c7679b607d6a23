// The common part of geosite and geoip: a file, and codes that select its entries.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "control/config/lists/list_source.h"
#include "control/config/plugin_type.h"
#include "matchers/quote.h"

namespace steer::config {

struct GeoArgs {
    Text file;
    std::vector<Text> selectors;
    bool strict = false;
    bool match_all = false;  // of a geosite
    std::optional<std::uint32_t> max_shrink;
    bool ready = true;
};

inline void read_geo_path(Reading& in, const Node& node, const Place& place, GeoArgs& out) {
    if (read_value(in, node, place, {}, out.file.value)) out.file.line = place.line;
}
inline void read_geo_selectors(Reading& in, const Node& node, const Place& place, GeoArgs& out) {
    out.selectors = read_texts(in, node, place);
}

// Reads the file with `read`(bytes, file, selectors) and passes the result to `take`(made, file,
// place).
template <class Read, class Take>
void read_geo_file(Reading& in, const GeoArgs& args, const std::string& owner, const ListUse& use,
                   Read read, Take take) {
    if (args.file.value.empty()) return;
    std::vector<std::string> selectors;
    for (const Text& text : args.selectors)
        selectors.push_back(text.value);
    const Place place{"file", owner, args.file.line};
    const auto source = read_list_source(in, args.file, place, use);
    if (!source) return;
    const std::string& file = source->file;
    auto geo = read(source->bytes, file, selectors);
    if (!geo) {
        in.report().error(args.file.line, "the file " + matchers::quoted_path(file) + " in " +
                                              place.name() + ": " + geo.error().text);
        return;
    }
    // If nothing matches, the file has no rule for these selectors, and that is the only error.
    if (geo->missing.size() < selectors.size() || selectors.empty())
        take(std::move(geo->list), file, place);
    for (const Text& text : args.selectors) {
        if (std::find(geo->missing.begin(), geo->missing.end(), text.value) == geo->missing.end())
            continue;
        in.report().error(text.line, "the selector " + matchers::quoted(text.value) + " of " +
                                         owner + " matches nothing in " +
                                         matchers::quoted_path(file) + ": correct or remove it");
    }
}

}  // namespace steer::config
