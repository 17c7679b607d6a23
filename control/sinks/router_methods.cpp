#include "control/sinks/router_methods.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <cmath>
#include <utility>

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using boost::json::value_from;

constexpr std::size_t kMostDifferences = 1'000;
constexpr std::size_t kMostShared = 1'000;
constexpr std::uint64_t kReplyMs = 3'000;  // what has none by then goes on (a listen, a print)

using Seen = RouterThread::Seen;

bool is_true(const value& params, std::string_view key) {
    const value* const given = ops::param(params, key);
    return given != nullptr && given->is_bool() && given->get_bool();
}

std::string name_in(const value& params) {
    const value* const given = ops::param(params, "name");
    return given != nullptr && given->is_string() ? std::string(given->get_string())
                                                  : std::string{};
}

ops::RpcError no_such(const std::string& name, const std::vector<Seen>& all) {
    std::string sentence = "there is no router '" + name + "'";
    for (std::size_t i = 0; i < all.size(); ++i)
        sentence += (i == 0 ? ": there are " : ", ") + all[i].name;
    return ops::bad_params(std::move(sentence));
}

double seconds_ago(std::uint64_t at_ms, std::uint64_t now_ms) {
    return static_cast<double>(now_ms - std::min(at_ms, now_ms)) / 1000.0;
}

using Routers = std::unique_ptr<RouterThread>;

// What one method does with one router, and tells of it.
using OfOne = std::function<object(const Seen&, const value& params, std::uint64_t now_ms)>;

// A method about the router of that name, or all of them: {"routers": [...]}.
ops::RpcLaterMethod about(boost::asio::io_context& main_io, const Routers& routers, OfOne of_one) {
    return
        [&main_io, &routers, of_one = std::move(of_one)](const value& params, ops::RpcDone done) {
            routers->visit([&main_io, of_one, params, done = std::move(done)](
                               const std::vector<Seen>& all, std::uint64_t now_ms) {
                const std::string name = name_in(params);
                array told;
                for (const Seen& seen : all) {
                    if (!name.empty() && seen.name != name) continue;
                    object one{{"name", seen.name}, {"address", seen.address}};
                    for (auto& [key, what] : of_one(seen, params, now_ms))
                        one[key] = std::move(what);
                    told.push_back(std::move(one));
                }
                ops::RpcResult result = !name.empty() && told.empty()
                                            ? ops::RpcResult(no_such(name, all))
                                            : ops::RpcResult(value{{"routers", std::move(told)}});
                boost::asio::post(main_io, [done, result = std::move(result)] { done(result); });
            });
        };
}

object differences(const Seen& seen, const value&, std::uint64_t now_ms) {
    array rows;
    for (const auto& row : seen.router.differences(kMostDifferences + 1, now_ms)) {
        object one{{"list", row.list}, {"address", row.address}, {"what", row.what}};
        if (!row.name.empty()) one["name"] = row.name;
        if (row.ends_ms != 0) one["left_s"] = (row.ends_ms - std::min(row.ends_ms, now_ms)) / 1000;
        rows.push_back(std::move(one));
    }
    array orphans;
    for (const auto& row : seen.router.orphans())
        orphans.push_back(
            object{{"list", row.list}, {"address", row.address}, {"comment", row.comment}});
    const bool more = rows.size() > kMostDifferences;
    if (more) rows.pop_back();
    return {{"state", routeros::label(seen.router.status().state)},
            {"differences", std::move(rows)},
            {"more", more},
            {"orphans", std::move(orphans)}};
}

object reconcile(const Seen& seen, const value& params, std::uint64_t now_ms) {
    const auto before = seen.router.status();
    const bool can = before.state == routeros::RouterState::in_sync && !before.paused;
    std::size_t orphans = 0;
    if (can && is_true(params, "orphans")) orphans = seen.router.remove_orphans(now_ms);
    if (can) seen.router.request_reprint(now_ms);
    return {{"state", routeros::label(before.state)},
            {"paused", before.paused},
            {"asked", can},
            {"orphans_removed", orphans}};
}

object trace(const Seen& seen, const value& params, std::uint64_t now_ms) {
    std::uint64_t since = 0;
    if (const value* const given = ops::param(params, "since")) {
        boost::system::error_code error;
        since = given->to_number<std::uint64_t>(error);
    }
    array sentences;
    const bool settled = is_true(params, "settled");
    for (const auto& s : seen.router.trace().since(since)) {
        if (settled && s.ended_ms == 0 && s.sent_ms + kReplyMs > now_ms) break;
        object one{{"serial", s.serial},
                   {"tag", s.tag},
                   {"ago_s", seconds_ago(s.sent_ms, now_ms)},
                   {"words", s.words}};
        if (s.ended_ms != 0) {
            one["took_ms"] = s.ended_ms - s.sent_ms;
            one["reply"] = s.reply;
        }
        if (s.rows != 0) one["rows"] = s.rows;
        sentences.push_back(std::move(one));
    }
    return {{"sentences", std::move(sentences)}};
}

object errors(const Seen& seen, const value&, std::uint64_t now_ms) {
    array all;
    for (const auto& e : seen.router.trace().errors())
        all.push_back(object{{"ago_s", seconds_ago(e.at_ms, now_ms)}, {"text", e.text}});
    return {{"errors", std::move(all)}};
}

object findings_object(const routeros::Findings& findings) {
    object all;
    for (std::size_t i = 0; i < routeros::kQuestions; ++i) {
        const auto question = static_cast<routeros::Question>(i);
        const routeros::Finding& found = findings[question];
        all[label(question)] = {
            {"question", text_of(question)}, {"answer", label(found.answer)}, {"text", found.text}};
    }
    return all;
}

object probe(const Seen& seen, const value& params, std::uint64_t now_ms) {
    if (is_true(params, "start")) seen.router.probe(now_ms);
    const routeros::ProbeView view = seen.router.probed();
    object told{{"state", routeros::label(seen.router.status().state)},
                {"probe", label(view.state)},
                {"trouble", view.trouble},
                {"version", view.version},
                {"findings", findings_object(view.findings)}};
    if (view.state >= routeros::ProbeState::complete) told["transcript"] = view.transcript;
    return told;
}

// A method that is about one router.
ops::RpcLaterMethod named(ops::RpcLaterMethod of_all) {
    return [of_all = std::move(of_all)](const value& params, ops::RpcDone done) {
        if (name_in(params).empty())
            return done(ops::bad_params("write the router's name, as in {\"name\": \"edge1\"}"));
        of_all(params, std::move(done));
    };
}

object shared(const Seen& seen, const value&, std::uint64_t now_ms) {
    array addresses;
    auto all = seen.shared.show(static_cast<std::uint32_t>(now_ms / 1000));
    std::erase_if(all, [&](const auto& one) { return seen.router.tag_of(one.list).empty(); });
    const bool more = all.size() > kMostShared;
    if (more) all.resize(kMostShared);
    for (const auto& one : all) {
        addresses.push_back(object{{"list", seen.router.tag_of(one.list)},
                                   {"address", one.address.to_string()},
                                   {"name", seen.router.name_of(one.list, one.address.bytes)},
                                   {"shared", one.shared},
                                   {"others", one.names},
                                   {"such_as", array(one.examples.begin(), one.examples.end())}});
    }
    return {{"addresses", std::move(addresses)}, {"more", more}};
}

object status(const Seen& seen, const value&, std::uint64_t now_ms) {
    return router_status({seen.name, seen.address, seen.router.status(), seen.router.counters(),
                          seen.shared_addresses},
                         now_ms);
}

object forget(const Seen& seen, const value& params, std::uint64_t now_ms) {
    const auto address = IpAddress::parse(ops::param(params, "address")->get_string());
    const auto done = seen.router.forget(address->bytes, now_ms);
    const auto state = seen.router.status();
    return {{"state", routeros::label(state.state)},
            {"paused", state.paused},
            {"claims", done.claims},
            {"rows", done.rows},
            {"persistent", done.persistent}};
}

// A method with an address.
ops::RpcLaterMethod addressed(ops::RpcLaterMethod of_all) {
    return [of_all = std::move(of_all)](const value& params, ops::RpcDone done) {
        const value* const given = ops::param(params, "address");
        if (given == nullptr || !given->is_string() || !IpAddress::parse(given->get_string())) {
            return done(ops::bad_params("write the address, as in {\"address\": \"203.0.113.7\"}"));
        }
        of_all(params, std::move(done));
    };
}

object paused(const Seen& seen, const value&, std::uint64_t) {
    const auto state = seen.router.status();
    return {{"paused", state.paused}, {"writes_in_flight", state.writes_in_flight}};
}

// Answers as `then` does, once `first` is done and nothing that was sent before is under way.
ops::RpcLaterMethod when_quiet(const Routers& routers, ops::RpcLaterMethod first,
                               ops::RpcLaterMethod then) {
    return [&routers, first = std::move(first), then = std::move(then)](const value& params,
                                                                        const ops::RpcDone& done) {
        first(params, [&routers, then, params, done](const ops::RpcResult& result) {
            if (!result) return done(result);
            routers->when_quiet(name_in(params), [then, params, done] { then(params, done); });
        });
    };
}

// Paused, or written to again: by this command, whatever the bypass says.
OfOne pause(const Routers& routers, bool on) {
    return [&routers, on](const Seen& seen, const value&, std::uint64_t) {
        routers->pause(seen.name, on);
        return object{{"paused", seen.router.status().paused}};
    };
}

}  // namespace

object router_status(const RouterThread::Status& router, std::uint64_t now_ms) {
    const auto& s = router.state;
    object all{{"name", router.name},
               {"address", router.address},
               {"state", label(s.state)},
               {"paused", s.paused},
               {"away", s.away},
               {"version", s.version},
               {"board", s.board},
               {"trouble", s.trouble},
               {"claims", s.claims},
               {"rows", s.rows_ours},
               {"orphans", s.rows_orphaned},
               {"foreign", s.rows_foreign},
               {"blocked", s.rows_blocked},
               {"shared", router.shared},
               {"held", s.held},
               {"owed", s.owed},
               {"cpu_share_percent", std::lround(s.routine_share * 100)},
               {"service_us", s.service_us},
               {"rtt_ms", s.rtt_ms}};
    if (s.flash_since_reboot) all["flash_sectors_since_reboot"] = *s.flash_since_reboot;
    if (s.flash_total) all["flash_sectors"] = *s.flash_total;
    if (s.flash_per_hour) all["flash_sectors_per_hour"] = *s.flash_per_hour;
    if (s.findings) all["findings"] = findings_object(*s.findings);
    array lists;
    for (const auto& list : s.lists)
        lists.push_back(
            object{{"tag", list.tag}, {"claims", list.claims}, {"max_rows", list.max_rows}});
    all["lists"] = std::move(lists);
    if (!s.second_writers.empty()) all["second_writer"] = value_from(s.second_writers);
    if (s.left_alone != 0) all["left_alone"] = s.left_alone;
    if (s.late != 0) all["late"] = s.late;
    if (router.counters.unknown_sentences != 0)
        all["unknown_sentences"] = router.counters.unknown_sentences;
    if (s.repair_refused) all["repair_refused"] = true;
    if (s.away_since_ms != 0) {
        all["away_for_s"] = seconds_ago(s.away_since_ms, now_ms);
        all["told_meanwhile"] = s.claims_while_away;
    }
    return all;
}

void add_router_methods(ops::JsonRpc& rpc, boost::asio::io_context& main_io,
                        const Routers& routers) {
    rpc.add_later("routers", about(main_io, routers, status));
    rpc.add_later("routers.diff", about(main_io, routers, differences));
    rpc.add_later("routers.reconcile", about(main_io, routers, reconcile));
    rpc.add_later("routers.pause",
                  when_quiet(routers, about(main_io, routers, pause(routers, true)),
                             about(main_io, routers, paused)));
    rpc.add_later("routers.forget", addressed(about(main_io, routers, forget)));
    rpc.add_later("routers.resume", about(main_io, routers, pause(routers, false)));
    rpc.add_later("routers.errors", about(main_io, routers, errors));
    rpc.add_later("routers.shared", about(main_io, routers, shared));
    rpc.add_later("routers.trace", named(about(main_io, routers, trace)));
    rpc.add_later("routers.probe", named(about(main_io, routers, probe)));
    rpc.add_later("bypass", [&main_io, &routers](const value& params, ops::RpcDone done) {
        const value* const on = ops::param(params, "on");
        if (on == nullptr) return done(value{{"bypass", routers->bypassed()}});
        if (!on->is_bool()) return done(ops::bad_params("write {\"on\": true} or {\"on\": false}"));
        routers->bypass(on->get_bool());
        if (!on->get_bool()) return done(value{{"bypass", false}});
        routers->when_quiet({}, [&main_io, &routers, done = std::move(done)] {
            routers->visit([&main_io, &routers, done](const std::vector<Seen>& all, std::uint64_t) {
                std::size_t writes = 0;
                for (const Seen& seen : all)
                    writes += seen.router.status().writes_in_flight;
                const value told{{"bypass", routers->bypassed()}, {"writes_in_flight", writes}};
                boost::asio::post(main_io, [done, told] { done(told); });
            });
        });
    });
}

void forget_rows(boost::asio::io_context& main_io, RouterThread& routers,
                 std::vector<IpAddress> addresses, std::function<void(std::size_t)> done) {
    routers.visit([&main_io, addresses = std::move(addresses), done = std::move(done)](
                      const std::vector<Seen>& all, std::uint64_t now_ms) {
        std::size_t rows = 0;
        for (const Seen& seen : all) {
            for (const IpAddress& address : addresses)
                rows += seen.router.forget(address.bytes, now_ms).rows;
        }
        boost::asio::post(main_io, [done, rows] { done(rows); });
    });
}

}  // namespace steer
