#include "control/lists/holding_rules.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <new>
#include <utility>

#include "control/process/process_limits.h"

namespace steer {
namespace {

ops::RpcResult rules_by(const ConfigSource& source, const FindRules& find) {
    const config::LoadOutcome loaded = source.load();
    if (!loaded.ok()) {
        return ops::RpcError{
            ops::RpcCode::internal_error,
            "the configuration file cannot be read: " + loaded.errors.front().sentence()};
    }
    const auto rules = find(loaded.settings);
    if (!rules) return ops::bad_params(rules.error().text);
    boost::json::array out;
    out.reserve(rules->size());
    for (const config::HoldingRule& r : *rules) {
        out.push_back(boost::json::object{{"plugin", config::name_of(loaded.settings, r.plugin)},
                                          {"says", config::text_of(r.says)},
                                          {"rule", r.rule},
                                          {"file", r.file},
                                          {"line", r.line},
                                          {"queries", r.hits}});
    }
    return boost::json::value(std::move(out));
}

}  // namespace

ops::RpcResult holding_rules(const ConfigSource& source, const FindRules& find) {
    try {
        return rules_by(source, find);
    } catch (const std::bad_alloc&) {
        return ops::RpcError{ops::RpcCode::internal_error,
                             no_memory("to read the configuration beside the one in force").text};
    }
}

}  // namespace steer
