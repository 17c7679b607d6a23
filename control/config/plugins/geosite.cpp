// geosite: names of a geosite.dat by the codes of its lists; to the rest a domain_set.
#include <algorithm>

#include "control/config/plugins/plugin_type.h"
#include "control/config/rules.h"
#include "matchers/list/geo_data.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct Args {
    Text file;
    std::vector<Text> selectors;
    bool strict = false;
};

void read_path(Reading& in, const Node& node, const Place& place, Args& out) {
    if (read_value(in, node, place, {}, out.file.value)) out.file.line = place.line;
}
void read_selectors(Reading& in, const Node& node, const Place& place, Args& out) {
    out.selectors = read_texts(in, node, place);
}

constexpr std::array<Row<Args>, 3> kRows{{
    {"file", Own<Args>{"path", read_path}, "required", "", "a geosite.dat of v2fly's format"},
    {"selectors", Own<Args>{"list of codes", read_selectors}, "none", "",
     "what is taken: `CODE`, or `CODE@ATTRIBUTE` for the rules of a list that have an attribute; "
     "all together, in any case; without this key, everything"},
    {"strict", &Args::strict, "false", "",
     "a bad rule of the file is an error; otherwise it is named in a warning and left out"},
}};

void read(Reading& in, const Node* node, Plugin& plugin) {
    Args args;
    Node empty;
    DomainSet set;
    const std::string owner = owner_of(plugin);
    const bool is_map = read_rows(in, args_or_empty(node, plugin, empty), kRows, owner, args);
    set.strict = args.strict;
    if (is_map && !args.file.value.empty()) {
        std::vector<std::string> selectors;
        for (const Text& text : args.selectors)
            selectors.push_back(text.value);
        const std::string file = in.resolve(args.file.value);
        const Place place{"file", owner, args.file.line};
        if (const auto bytes = in.read_file(file, place)) {
            auto geo = matchers::read_geosite(*bytes, file, selectors);
            if (geo) {
                take_rules(in, std::move(geo->list), args.strict, file, place, set.rules);
                for (const Text& text : args.selectors) {
                    if (std::find(geo->missing.begin(), geo->missing.end(), text.value) ==
                        geo->missing.end())
                        continue;
                    in.report().error(text.line, "nothing in " + matchers::quoted(file) +
                                                     " fits the selector " +
                                                     matchers::quoted(text.value) + " of " + owner);
                }
            } else {
                in.report().error(args.file.line, "the file " + matchers::quoted(file) + " in " +
                                                      place.name() + ": " + geo.error().text);
            }
        }
    }
    plugin.args = std::move(set);
}

}  // namespace

const PluginType kGeositeType{"geosite",
                              Role::provider,
                              "A set of domain names, taken from a geosite.dat.",
                              "",
                              "",
                              [] { return row_texts(kRows); },
                              read,
                              nullptr};

}  // namespace steer::config
