#include "control/config/plugins/name_rules.h"

#include "control/config/lists/rules.h"

namespace steer::config {

void read_name_rule(Reading& in, std::string_view word, int line, const std::string& owner,
                    NameRules& out) {
    const Place place{"args", owner, line};
    if (word.starts_with('$')) {
        if (const auto index = in.refer(word.substr(1), Wanted::domain_set, line))
            out.sets.push_back(*index);
    } else if (word.starts_with('&')) {
        read_rule_file(in, {std::string(word.substr(1)), line}, place, false, out.rules);
    } else if (const auto* known = in.find_tag(word);
               known != nullptr && known->role == Role::provider) {
        in.report().warn(line, "'" + std::string(word) + "' in " + owner + " is the tag of a " +
                                   known->type + ": read as '$" + std::string(word) +
                                   "'; write the '$', or 'domain:" + std::string(word) +
                                   "' for a name");
        if (const auto index = in.refer(word, Wanted::domain_set, line)) out.sets.push_back(*index);
    } else {
        read_rule(in, {std::string(word), line}, place, out.rules);
    }
}

void read_name_rules(Reading& in, const Node& node, const Place& place, NameRules& out) {
    const std::string owner = place.name();
    for (const Text& item : read_texts(in, node, place))
        read_name_rule(in, item.value, item.line, owner, out);
}

}  // namespace steer::config
