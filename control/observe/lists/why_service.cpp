#include "control/observe/lists/why_service.h"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>
#include <vector>

#include "control/config/text/dns_names.h"
#include "control/observe/lists/holding_rules.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

array sets_of(const SetsInForce& in_force, const std::string& name) {
    array out;
    const auto wire = config::asked_name(name);
    matchers::NameMatcher::Scratch scratch;
    if (in_force.names == nullptr || !wire || !in_force.names->prepare(scratch)) return out;
    const matchers::TagBits sets = in_force.names->match(*wire, scratch);
    for (const build::NamedSet& set : in_force.sets)
        if (sets.any_of(set.bits)) out.emplace_back(set.tag);
    return out;
}

}  // namespace

WhyService::WhyService(boost::asio::io_context& main_io, ConfigSource source,
                       const SetsInForce& in_force, SnapshotInForce snapshot)
    : main_io_(main_io),
      source_(std::move(source)),
      in_force_(in_force),
      snapshot_(std::move(snapshot)) {}

void WhyService::add_methods(ops::Methods& methods) {
    methods.add({.name = "why",
                 .help = "Shows the rules that match a name, what they do, and its sets.",
                 .changes = ops::Changes::nothing(),
                 .parameters = {{"name", ops::ParamType::text, "a domain name", true}},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { ask(asked.text("name"), done); },
                 .members = "name file rules sets",
                 .result = "the matching rules with their files and lines, and the sets"});
}

void WhyService::ask(const std::string& name, const ops::RpcDone& done) {
    if (is_busy_) {
        return done(ops::RpcError{ops::RpcCode::internal_error,
                                  "another name is being looked up: ask again"});
    }
    is_busy_ = true;
    const Snapshot* const snapshot = snapshot_();
    auto zones = snapshot != nullptr ? zone_rules(*snapshot, name) : std::vector<ZoneRule>();
    const auto begun = thread_.run([this, done, name, zones = std::move(zones)] {
        std::string error;
        auto rules = holding_rules(source_, name, zones, &error);
        boost::json::object file = files_state(source_, error);
        boost::asio::post(main_io_, [this, done, name, found = std::move(rules),
                                     state = std::move(file)]() mutable {
            is_busy_ = false;
            answer(name, std::move(found), std::move(state), done);
        });
    });
    if (begun) return;
    is_busy_ = false;
    done(ops::RpcError{ops::RpcCode::internal_error, begun.error().text});
}

void WhyService::answer(const std::string& name, ops::RpcResult rules, object file,
                        const ops::RpcDone& done) {
    if (rules.has_error()) return done(rules.error());
    done(value(object{{"name", name},
                      {"sets", sets_of(in_force_, name)},
                      {"rules", *rules},
                      {"file", std::move(file)}}));
}

}  // namespace steer
