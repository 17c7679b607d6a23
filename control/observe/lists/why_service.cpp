#include "control/observe/lists/why_service.h"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>
#include <vector>

#include "control/config/text/dns_names.h"
#include "control/observe/lists/holding_rules.h"
#include "matchers/quote.h"

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
                       const SetsInForce& in_force, SnapshotInForce snapshot, RulesOfPeople people)
    : main_io_(main_io),
      source_(std::move(source)),
      in_force_(in_force),
      snapshot_(std::move(snapshot)),
      people_(std::move(people)) {}

void WhyService::add_methods(ops::Methods& methods) {
    methods.add({.name = "why",
                 .help = "Shows the rules that match a name, what they do, and its sets.",
                 .changes = ops::Changes::nothing(),
                 .piece = kHoldingRules,
                 .parameters = {{"name", ops::ParamType::text, "a domain name", true},
                                {"client", ops::ParamType::client,
                                 "of the rules of people, only those for this address"}},
                 .run =
                     [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                         Question question{.name = asked.text("name")};
                         if (const auto text = asked.find_text("client")) {
                             question.client = IpAddress::parse(*text);
                             if (!question.client)
                                 return done(ops::bad_params(
                                     "rules of people are for one client here: write an address, "
                                     "not " +
                                     matchers::quoted(*text)));
                         }
                         if (const auto text = asked.find_text(ops::kCursor)) {
                             question.page.after = ops::Cursor::from(*text, 2);
                             if (!question.page.after) return done(ops::bad_cursor());
                         }
                         // Which devices people have rules for is for those who may list them.
                         question.shows_people = asked.caller().role >= AccessRole::operate;
                         ask(question, done);
                     },
                 .members = "name file rules sets people more? cursor?",
                 .result = "the matching rules with their files and lines, the sets, and rules of "
                           "people"});
}

void WhyService::ask(const Question& question, const ops::RpcDone& done) {
    if (is_busy_) {
        return done(ops::RpcError{ops::RpcCode::internal_error,
                                  "another name is being looked up: ask again"});
    }
    is_busy_ = true;
    const Snapshot* const snapshot = snapshot_();
    auto zones =
        snapshot != nullptr ? zone_rules(*snapshot, question.name) : std::vector<ZoneRule>();
    const auto begun = thread_.run(
        [this, done, question = Question(question), zones = std::move(zones)]() mutable {
            std::string error;
            auto rules = holding_rules(source_, question.name, zones, question.page, &error);
            boost::json::object file = files_state(source_, error);
            boost::asio::post(main_io_, [this, done, question, found = std::move(rules),
                                         state = std::move(file)]() mutable {
                is_busy_ = false;
                answer(question, std::move(found), std::move(state), done);
            });
        });
    if (begun) return;
    is_busy_ = false;
    done(ops::RpcError{ops::RpcCode::internal_error, begun.error().text});
}

void WhyService::answer(const Question& question, ops::RpcResult rules, object file,
                        const ops::RpcDone& done) {
    if (rules.has_error()) return done(rules.error());
    if (question.page.has_lost_place) return done(ops::lost_place());
    object out{{"name", question.name},
               {"sets", array()},
               {"rules", std::move(*rules)},
               {"people", array()},
               {"file", std::move(file)}};
    ops::end_page(out, question.page.next);
    // The rest is in the last page.
    if (!question.page.next) {
        out["sets"] = sets_of(in_force_, question.name);
        if (question.shows_people) out["people"] = people_(question.name, question.client);
    }
    done(value(std::move(out)));
}

}  // namespace steer
