#include "control/lists/holding_rules.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "control/config/effects.h"
#include "control/process/process_limits.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

array effects_json(const config::Settings& settings, config::PluginIndex plugin) {
    array out;
    for (const config::Effect& e : config::effects_of(settings, plugin)) {
        out.push_back(object{{"does", e.does},
                             {"sequence", e.sequence},
                             {"file", e.file},
                             {"line", e.line},
                             {"unless", e.negated},
                             {"with_others", e.with_others}});
    }
    return out;
}

ops::RpcResult rules_by(const ConfigSource& source, const FindRules& find, bool with_effects,
                        std::string* trouble) {
    const config::LoadOutcome loaded = source.load_in_force();
    if (trouble != nullptr && !loaded.ok()) *trouble = loaded.errors.front().sentence();
    if (!loaded.ok() && loaded.settings.plugins.empty()) {
        return ops::RpcError{
            ops::RpcCode::internal_error,
            "the configuration file cannot be read: " + loaded.errors.front().sentence()};
    }
    const auto rules = find(loaded.settings);
    if (!rules) return ops::bad_params(rules.error().text);
    array out;
    out.reserve(rules->size());
    std::map<config::PluginIndex, array> effects;
    // A name that an adlist's `allow` has is not blocked by its lists.
    std::set<std::string> allowed;
    for (const config::HoldingRule& r : *rules) {
        if (std::holds_alternative<config::AdList>(loaded.settings.plugin(r.plugin).args))
            allowed.insert(config::name_of(loaded.settings, r.plugin));
    }
    for (const config::HoldingRule& r : *rules) {
        const std::string plugin = config::name_of(loaded.settings, r.plugin);
        object one{{"plugin", plugin}, {"says", config::text_of(r.says)},
                   {"rule", r.rule},   {"file", r.file},
                   {"line", r.line},   {"queries", r.hits}};
        if (with_effects && !allowed.contains(plugin)) {
            const auto [at, fresh] = effects.try_emplace(r.plugin);
            if (fresh) at->second = effects_json(loaded.settings, r.plugin);
            one["effects"] = at->second;
        }
        out.push_back(std::move(one));
    }
    return boost::json::value(std::move(out));
}

bool is_text_of(const std::string& file, const std::string& text) {
    std::ifstream in(file, std::ios::binary);
    return in && std::string{std::istreambuf_iterator<char>(in), {}} == text;
}

}  // namespace

ops::RpcResult holding_rules(const ConfigSource& source, const FindRules& find, bool with_effects,
                             std::string* trouble) {
    try {
        return rules_by(source, find, with_effects, trouble);
    } catch (const std::bad_alloc&) {
        return ops::RpcError{ops::RpcCode::internal_error,
                             no_memory("to read the configuration beside the one in force").text};
    }
}

boost::json::object files_state(const ConfigSource& source, const std::string& trouble) {
    object out{{"name", source.path}, {"differs", false}, {"error", trouble}};
    const auto texts = source.in_force->get();
    if (texts == nullptr) return out;
    bool differs = false;
    for (auto text = texts->begin(); !differs && text != texts->end(); ++text)
        differs = !is_text_of(text->first, text->second);
    out["differs"] = differs;
    if (!differs) return out;
    try {
        const config::LoadOutcome loaded = source.load();
        out["error"] = loaded.ok() ? "" : loaded.errors.front().sentence();
    } catch (const std::bad_alloc&) {
        out["error"] = no_memory("to read the configuration beside the one in force").text;
    }
    return out;
}

}  // namespace steer
