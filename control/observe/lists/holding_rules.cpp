#include "control/observe/lists/holding_rules.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/log/mnemonics.h"
#include "control/config/advice/effects.h"
#include "control/host/process/process_limits.h"
#include "control/host/process/regular_file.h"
#include "control/program/build/name_verdict.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

// ", except for types A, AAAA"; empty: for all types.
std::string types_text(const build::HeldTypes& types) {
    if (types.except.empty()) return {};
    std::string names;
    for (const std::uint16_t type : types.except)
        names += (names.empty() ? "" : ", ") + ops::type_name(type);
    const std::string named = (types.except.size() == 1 ? "type " : "types ") + names;
    return types.others ? ", except for " + named : ", for " + named + " alone";
}

array effects_json(const config::Settings& settings, config::PluginIndex plugin,
                   const build::NameVerdict& verdict) {
    array out;
    for (const config::Effect& e : config::effects_of(settings, plugin)) {
        const auto types = e.negated ? std::nullopt : verdict.of(e.by);
        if (types && types->none()) continue;
        out.push_back(object{{"does", e.does + (types ? types_text(*types) : "")},
                             {"sequence", e.sequence},
                             {"file", e.file},
                             {"line", e.line},
                             {"unless", e.negated},
                             {"with_others", e.with_others}});
    }
    return out;
}

using FoundRules = std::vector<config::HoldingRule>;
// Adds to the JSON of each rule from `begin` on.
using AddEffects =
    std::function<void(const config::Settings&, const FoundRules&, std::size_t begin, array&)>;

std::uint64_t hash_of(const config::HoldingRule& rule) {
    return ops::hash_of(rule.file + " " + std::to_string(rule.line) + " " + rule.rule);
}

ops::RpcResult rules_by(const ConfigSource& source, const FindRules& find, const AddEffects& add,
                        HoldingPage* page, std::string* error) {
    const config::LoadOutcome loaded = source.load_in_force();
    if (error != nullptr && !loaded.ok()) *error = loaded.errors.front().sentence();
    if (!loaded.ok() && loaded.settings.plugins.empty()) {
        return ops::RpcError{
            ops::RpcCode::internal_error,
            "the configuration file cannot be read: " + loaded.errors.front().sentence()};
    }
    const auto rules = find(loaded.settings);
    if (!rules) return ops::bad_params(rules.error().text);
    const auto [begin, end] =
        page != nullptr ? page->choose(*rules) : std::pair(std::size_t{0}, rules->size());
    array out;
    out.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
        const config::HoldingRule& r = (*rules)[i];
        out.push_back(object{{"plugin", config::name_of(loaded.settings, r.plugin)},
                             {"says", config::text_of(r.says)},
                             {"rule", r.rule},
                             {"file", r.file},
                             {"line", r.line},
                             {"queries", r.hits}});
    }
    if (add) add(loaded.settings, *rules, begin, out);
    return boost::json::value(std::move(out));
}

ops::RpcResult rules_in_memory(const ConfigSource& source, const FindRules& find,
                               const AddEffects& add, HoldingPage* page, std::string* error) {
    try {
        return rules_by(source, find, add, page, error);
    } catch (const std::bad_alloc&) {
        return ops::RpcError{ops::RpcCode::internal_error,
                             no_memory("to read the configuration beside the one in force").text};
    }
}

bool is_text_of(const std::string& file, std::string_view text) {
    const auto now = read_regular(file);
    return now && *now == text;
}

}  // namespace

std::pair<std::size_t, std::size_t> HoldingPage::choose(const FoundRules& all) {
    std::size_t begin = 0;
    if (after) {
        const auto row = after->number(0), hash = after->number(1);
        const auto behind = row && hash ? ops::row_behind(*row, *hash, all.size(),
                                                          [&](auto i) { return hash_of(all[i]); })
                                        : std::nullopt;
        has_lost_place = !behind;
        begin = behind.value_or(all.size());
    }
    const std::size_t end = std::min(all.size(), begin + kHoldingRules.most_rows());
    if (end < all.size())
        next = ops::Cursor{std::to_string(end - 1), std::to_string(hash_of(all[end - 1]))};
    return {begin, end};
}

ops::RpcResult holding_rules(const ConfigSource& source, const FindRules& find,
                             std::string* error) {
    return rules_in_memory(source, find, {}, nullptr, error);
}

ops::RpcResult holding_rules(const ConfigSource& source, const std::string& name,
                             const std::vector<ZoneRule>& zones, HoldingPage& page,
                             std::string* error) {
    const auto add = [&name](const config::Settings& settings, const FoundRules& rules,
                             std::size_t begin, array& out) {
        const build::NameVerdict verdict(settings, rules, name);
        std::map<config::PluginIndex, array> effects;
        for (std::size_t i = 0; i < out.size(); ++i) {
            const config::PluginIndex plugin = rules[begin + i].plugin;
            const auto [at, fresh] = effects.try_emplace(plugin);
            if (fresh) at->second = effects_json(settings, plugin, verdict);
            out[i].as_object()["effects"] = at->second;
        }
    };
    return rules_in_memory(
        source,
        [&](const config::Settings& settings) {
            auto rules = config::rules_for(settings, name);
            if (rules) add_zone_rules(settings, zones, *rules);
            return rules;
        },
        add, &page, error);
}

boost::json::object files_state(const ConfigSource& source, const std::string& error) {
    object out{{"name", source.path}, {"differs", false}, {"error", error}};
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
