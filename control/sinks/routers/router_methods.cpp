#include "control/sinks/routers/router_methods.h"

#include "routeros/router.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <cmath>
#include <optional>
#include <utility>

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using boost::json::value_from;

constexpr std::size_t kMaxDifferences = 1'000;
constexpr std::size_t kMaxShared = 1'000;
// Rows of routers, and of their orphans. A router's differences, or its rows to adopt, are in one
// page.
constexpr ops::Piece kRouters = ops::Piece::pages(4'000);
constexpr std::size_t kOrphans = 4'000;
constexpr std::uint64_t kReplyMs =
    3'000;  // commands without a reply by then continue (listen, print)

using Seen = RouterThread::Seen;

using Routers = std::unique_ptr<RouterThread>;

struct RouterAccess {
    boost::asio::io_context& main_io;
    const Routers& routers;
    OpnsenseRows opnsense;
};

// Of one router, or all.
array opnsense_rows(const RouterAccess& at, const std::string& name) {
    array rows = at.opnsense();
    if (name.empty()) return rows;
    array out;
    for (value& row : rows) {
        if (row.at("name").as_string() == name) out.push_back(std::move(row));
    }
    return out;
}

ops::RpcError not_routeros(const std::string& name) {
    return ops::bad_params("'" + name +
                           "' is an OPNsense router, and this works with RouterOS routers only: "
                           "`steerctl routers status " +
                           name + "` shows it");
}

ops::RpcError no_such(const std::string& name, const std::vector<Seen>& all) {
    std::string sentence = "there is no router '" + name + "'";
    for (std::size_t i = 0; i < all.size(); ++i)
        sentence += (i == 0 ? ": there are " : ", ") + all[i].name;
    return ops::bad_params(std::move(sentence));
}

// One method for one router, and its result.
using OfOne = std::function<object(const Seen&, const ops::Arguments& asked, std::uint64_t now_ms)>;

// A method about the router of that name, or all of them: {"routers": [...]}.
ops::Later about(const RouterAccess& at, OfOne of_one) {
    return [at, of_one = std::move(of_one)](const ops::Arguments& asked, const ops::RpcDone& done) {
        const std::string name = asked.text("name");
        const bool is_opnsense = !name.empty() && !opnsense_rows(at, name).empty();
        at.routers->visit([&main_io = at.main_io, of_one, asked, done, name, is_opnsense](
                              const std::vector<Seen>& all, std::uint64_t now_ms) {
            array out;
            for (const Seen& seen : all) {
                if (!name.empty() && seen.name != name) continue;
                object one{{"name", seen.name}, {"address", seen.address}};
                for (auto& [key, what] : of_one(seen, asked, now_ms))
                    one[key] = std::move(what);
                out.push_back(std::move(one));
            }
            ops::RpcResult result =
                !name.empty() && out.empty()
                    ? ops::RpcResult(is_opnsense ? not_routeros(name) : no_such(name, all))
                    : ops::RpcResult(value{{"routers", std::move(out)}});
            boost::asio::post(main_io, [done, result = std::move(result)] { done(result); });
        });
    };
}

// A page of routers, while it is filled.
struct RoutersPage {
    std::optional<ops::Cursor> after{};  // a router, and a part of it; until its place is found
    ops::PageRoom room{kRouters.most_rows()};
    std::optional<ops::Cursor> next{};

    [[nodiscard]] bool is_begun() const { return after && !(*after)[1].empty(); }
};

// A router's row of a page; a router with more sets `next`.
using PartOfOne = std::function<object(const Seen&, const ops::Arguments& asked,
                                       std::uint64_t now_ms, RoutersPage& page)>;

// Each router has one row of its own.
PartOfOne whole(OfOne of_one) {
    return [of_one = std::move(of_one)](const Seen& seen, const ops::Arguments& asked,
                                        std::uint64_t now_ms,
                                        RoutersPage&) { return of_one(seen, asked, now_ms); };
}

void fill(RoutersPage& page, array& rows, const std::vector<Seen>& all, const PartOfOne& part,
          const ops::Arguments& asked, std::uint64_t now_ms) {
    const std::string name = asked.text("name");
    for (const Seen& seen : all) {
        const bool is_asked = name.empty() || seen.name == name;
        if (!is_asked || (page.after && seen.name != (*page.after)[0])) continue;
        if (page.room.is_full()) {
            page.next = ops::Cursor{seen.name, {}};
            return;
        }
        object one{{"name", seen.name}, {"address", seen.address}};
        if (page.is_begun()) one[ops::kContinued] = true;
        for (auto& [key, what] : part(seen, asked, now_ms, page))
            one[key] = std::move(what);
        page.after.reset();
        if (page.room.is_full())
            rows.push_back(std::move(one));
        else
            page.room.add(rows, std::move(one));
        if (page.next) return;
    }
}

// As about(), page by page.
ops::Later pages_about(const RouterAccess& at, PartOfOne part) {
    return [at, part = std::move(part)](const ops::Arguments& asked, const ops::RpcDone& done) {
        RoutersPage page;
        if (const auto text = asked.find_text(ops::kCursor)) {
            page.after = ops::Cursor::from(*text, 2);
            if (!page.after) return done(ops::bad_cursor());
        }
        const std::string name = asked.text("name");
        const bool is_opnsense = !name.empty() && !opnsense_rows(at, name).empty();
        at.routers->visit(
            [&main_io = at.main_io, part, asked, done, name, is_opnsense, page = std::move(page)](
                const std::vector<Seen>& all, std::uint64_t now_ms) mutable {
                array rows;
                fill(page, rows, all, part, asked, now_ms);
                const bool is_known =
                    name.empty() ||
                    std::ranges::any_of(all, [&](const Seen& seen) { return seen.name == name; });
                object out{{"routers", std::move(rows)}};
                ops::end_page(out, page.next);
                ops::RpcResult result = value(std::move(out));
                if (!is_known) result = is_opnsense ? not_routeros(name) : no_such(name, all);
                if (is_known && page.after) result = ops::lost_place();
                boost::asio::post(main_io, [done, result = std::move(result)] { done(result); });
            });
    };
}

// Orphans behind the cursor's, as many as have room.
array orphans_of(const Seen& seen, RoutersPage& page) {
    std::optional<routeros::OrphanPlace> after;
    if (page.is_begun()) {
        after.emplace();
        const std::string& text = (*page.after)[1];
        const std::size_t dot = text.find('.');
        const ops::Cursor parts{text.substr(0, dot), text.substr(std::min(dot + 1, text.size()))};
        after->table = parts.number(0).value_or(0);
        after->id = parts.number(1).value_or(0);
    }
    array rows;
    routeros::OrphanPlace last;
    for (const auto& row : seen.router.orphans(after, kOrphans)) {
        if (page.room.is_full() || rows.size() + 1 == kOrphans) {
            page.next =
                ops::Cursor{seen.name, std::to_string(last.table) + "." + std::to_string(last.id)};
            break;
        }
        last = row.place;
        page.room.add(
            rows, object{{"list", row.list}, {"address", row.address}, {"comment", row.comment}});
    }
    return rows;
}

object differences(const Seen& seen, const ops::Arguments&, std::uint64_t now_ms,
                   RoutersPage& page) {
    if (page.is_begun()) return {{"orphans", orphans_of(seen, page)}};
    array rows;
    for (const auto& row : seen.router.differences(kMaxDifferences + 1, now_ms)) {
        object one{{"list", row.list}, {"address", row.address}, {"what", row.what}};
        if (!row.name.empty()) one["name"] = row.name;
        if (row.ends_ms != 0) one["left_s"] = (row.ends_ms - std::min(row.ends_ms, now_ms)) / 1000;
        rows.push_back(std::move(one));
    }
    const bool more = rows.size() > kMaxDifferences;
    if (more) rows.pop_back();
    array orphans = orphans_of(seen, page);
    return {{"state", routeros::label(seen.router.status().state)},
            {"differences", std::move(rows)},
            {"more", more},
            {"orphans", std::move(orphans)}};
}

object reconcile(const Seen& seen, const ops::Arguments& asked, std::uint64_t now_ms) {
    const auto before = seen.router.status();
    const bool can = before.state == routeros::RouterState::in_sync && !before.paused;
    std::size_t orphans = 0;
    if (can && asked.is_true("orphans")) orphans = seen.router.remove_orphans(now_ms);
    if (can) seen.router.request_reprint(now_ms);
    return {{"state", routeros::label(before.state)},
            {"paused", before.paused},
            {"asked", can},
            {"orphans_removed", orphans}};
}

object trace(const Seen& seen, const ops::Arguments& asked, std::uint64_t now_ms) {
    const std::uint64_t since = asked.number("since", 0);
    array sentences;
    const bool settled = asked.is_true("settled");
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

object errors(const Seen& seen, const ops::Arguments&, std::uint64_t now_ms) {
    array all;
    for (const auto& e : seen.router.trace().errors())
        all.push_back(object{{"ago_s", seconds_ago(e.at_ms, now_ms)}, {"text", e.text}});
    return {{"errors", std::move(all)}};
}

object probe(const Seen& seen, const ops::Arguments& asked, std::uint64_t now_ms) {
    if (asked.is_true("start")) seen.router.probe(now_ms);
    const routeros::ProbeView view = seen.router.probed();
    object out{{"state", routeros::label(seen.router.status().state)},
               {"probe", label(view.state)},
               {"trouble", view.error},
               {"version", view.version},
               {"findings", findings_object(view.findings)}};
    if (view.state >= routeros::ProbeState::complete) out["transcript"] = view.transcript;
    return out;
}

object shared(const Seen& seen, const ops::Arguments&, std::uint64_t now_ms) {
    array addresses;
    auto all = seen.shared.show(static_cast<std::uint32_t>(now_ms / 1000));
    std::erase_if(all, [&](const auto& one) { return seen.router.tag_of(one.list).empty(); });
    const bool more = all.size() > kMaxShared;
    if (more) all.resize(kMaxShared);
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

object status(const Seen& seen, const ops::Arguments&, std::uint64_t now_ms) {
    return router_status(seen.status(), now_ms);
}

// Routers of both kinds.
ops::Later status_of_all(const RouterAccess& at) {
    return [at, of_routeros = about(at, status)](const ops::Arguments& asked,
                                                 const ops::RpcDone& done) {
        array rows = opnsense_rows(at, asked.text("name"));
        if (rows.empty()) return of_routeros(asked, done);
        of_routeros(asked, [done, rows = std::move(rows)](ops::RpcResult result) {
            if (!result) result = value{{"routers", array()}};  // only an OPNsense router has it
            result->as_object()["opnsense"] = rows;
            done(std::move(result));
        });
    };
}

object adopt(const Seen& seen, const ops::Arguments& asked, std::uint64_t now_ms) {
    const auto done =
        seen.router.adopt(asked.text("from"), asked.is_true("apply"), now_ms, kMaxDifferences);
    const auto state = seen.router.status();
    array rows;
    for (const auto& row : done.rows) {
        object one{{"list", row.list},
                   {"address", row.address},
                   {"comment", row.comment},
                   {"becomes", row.becomes}};
        if (!row.own_comment.empty()) one["own_comment"] = row.own_comment;
        rows.push_back(std::move(one));
    }
    return {{"state", routeros::label(state.state)},
            {"paused", state.paused},
            {"found", done.found},
            {"asked", done.asked},
            {"rows", std::move(rows)}};
}

object forget(const Seen& seen, const ops::Arguments& asked, std::uint64_t now_ms) {
    const auto address = IpAddress::parse(asked.text("address"));
    const auto done = seen.router.forget(address->bytes, now_ms);
    const auto state = seen.router.status();
    return {{"state", routeros::label(state.state)},
            {"paused", state.paused},
            {"claims", done.claims},
            {"rows", done.rows},
            {"persistent", done.persistent}};
}

object paused(const Seen& seen, const ops::Arguments&, std::uint64_t) {
    const auto state = seen.router.status();
    return {{"paused", state.paused}, {"writes_in_flight", state.writes_in_flight}};
}

// Runs `then` after `first`, once no earlier command is in flight.
ops::Later when_quiet(const Routers& routers, ops::Later first, ops::Later then) {
    return [&routers, first = std::move(first), then = std::move(then)](const ops::Arguments& asked,
                                                                        const ops::RpcDone& done) {
        first(asked, [&routers, then, asked, done](const ops::RpcResult& result) {
            if (!result) return done(result);
            routers->when_quiet(asked.text("name"), [then, asked, done] { then(asked, done); });
        });
    };
}

// Pauses or resumes writes to the router by this command, independent of the bypass.
OfOne pause(const Routers& routers, bool on) {
    return [&routers, on](const Seen& seen, const ops::Arguments&, std::uint64_t) {
        routers->pause(seen.name, on);
        return object{{"paused", seen.router.status().paused}};
    };
}

void bypass(const RouterAccess& at, const ops::Arguments& asked, const ops::RpcDone& done) {
    const Routers& routers = at.routers;
    const bool on = asked.is_true("on");
    if (asked.has("on")) routers->bypass(on);
    if (!on) return done(value{{"bypass", routers->bypassed()}});
    routers->when_quiet({}, [&main_io = at.main_io, &routers, done] {
        routers->visit([&main_io, &routers, done](const std::vector<Seen>& all, std::uint64_t) {
            std::size_t writes = 0;
            for (const Seen& seen : all)
                writes += seen.router.status().writes_in_flight;
            const value result{{"bypass", routers->bypassed()}, {"writes_in_flight", writes}};
            boost::asio::post(main_io, [done, result] { done(result); });
        });
    });
}

}  // namespace

namespace {

using ops::Changes;
using ops::ParamType;

constexpr ops::Parameter kRouter{"name", ParamType::text, "a router; without it, all routers"};
constexpr ops::Parameter kOneRouter{"name", ParamType::text, "a router", true};

void add_reads(ops::Methods& methods, const RouterAccess& at) {
    methods.add({.name = "routers",
                 .help = "Shows the state of each router and of its lists.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .parameters = {kRouter},
                 .run = status_of_all(at),
                 .members = "routers opnsense?",
                 .result = "each router with its state, lists, rows and times, and the aliases of "
                           "OPNsense routers"});
    methods.add(
        {.name = "routers.diff",
         .help = "Lists the rows that differ between steerdnsd and the router, and orphaned rows.",
         .changes = Changes::nothing(),
         .piece = kRouters,
         .parameters = {kRouter},
         .run = pages_about(at, differences),
         .members = "routers more? cursor?",
         .result = "the rows that differ, and orphaned rows, by router"});
    methods.add({.name = "routers.errors",
                 .help = "Lists the last errors of a router.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .parameters = {kRouter},
                 .run = about(at, errors),
                 .members = "routers",
                 .result = "errors with their age, by router"});
    methods.add({.name = "routers.shared",
                 .help = "Lists addresses that names outside the list also use.",
                 .changes = Changes::nothing(),
                 .piece = kRouters,
                 .parameters = {kRouter},
                 .run = pages_about(at, whole(shared)),
                 .members = "routers more? cursor?",
                 .result = "addresses with the names that use them"});
    methods.add(
        {.name = "routers.trace",
         .help = "Lists the last API commands sent to a router, with their replies.",
         .changes = Changes::nothing(),
         .piece = ops::Piece::report(),
         .parameters = {kOneRouter,
                        {"since", ParamType::number, "only commands after this serial number"},
                        {"settled", ParamType::flag,
                         "true: stop at the first command that still waits for its reply"}},
         .run = about(at, trace),
         .members = "routers",
         .result = "commands and replies with their times"});
    methods.add({.name = "routers.probe",
                 .help = "Shows the probed behaviour of the RouterOS version, or starts a probe.",
                 .changes = Changes::with("start"),
                 .piece = ops::Piece::report(),
                 .parameters = {kOneRouter, {"start", ParamType::flag, "true: start a probe"}},
                 .run = about(at, probe),
                 .members = "routers",
                 .result = "what the version was found to do"});
}

void add_changes(ops::Methods& methods, const RouterAccess& at) {
    methods.add(
        {.name = "routers.reconcile",
         .help = "Reads the rows of a router again and repairs what differs.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {kRouter, {"orphans", ParamType::flag, "true: remove orphaned rows too"}},
         .run = about(at, reconcile),
         .members = "routers",
         .result = "the result for each router"});
    methods.add(
        {.name = "routers.adopt",
         .help = "Lists rows of a predecessor by their comments, or takes them over.",
         .changes = Changes::with("apply"),
         .piece = kRouters,
         .role = AccessRole::admin,
         .parameters = {{"from", ParamType::text,
                         "what the comments begin with, before the first ';'", true},
                        kRouter,
                        {"apply", ParamType::flag, "true: replace the comments by our own"}},
         .run = pages_about(at, whole(adopt)),
         .members = "routers more? cursor?",
         .result = "the rows that were found, and how many were taken over"});
    methods.add(
        {.name = "routers.forget",
         .help = "Removes the rows of an address from routers, except persistent rows.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {{"address", ParamType::address, "the address of the rows", true}, kRouter},
         .run = about(at, forget),
         .members = "routers",
         .result = "the number of removed rows"});
    methods.add(
        {.name = "routers.pause",
         .help = "Stops writes to a router; returns when no write is in flight, or after 5 s.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {kRouter},
         .run = when_quiet(at.routers, about(at, pause(at.routers, true)), about(at, paused)),
         .members = "routers",
         .result = "the paused routers"});
    methods.add({.name = "routers.resume",
                 .help = "Ends a pause.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .parameters = {kRouter},
                 .run = about(at, pause(at.routers, false)),
                 .members = "routers",
                 .result = "the routers whose pause ended"});
    methods.add({.name = "bypass",
                 .help = "Stops writes to all routers while queries are still answered.",
                 .changes = Changes::with("on"),
                 .piece = ops::Piece::small(),
                 .role = AccessRole::admin,
                 .parameters = {{"on", ParamType::flag,
                                 "the new state; without it, the state is only reported"}},
                 .run = [at](const ops::Arguments& asked,
                             const ops::RpcDone& done) { bypass(at, asked, done); },
                 .members = "bypass",
                 .result = "the state"});
}

}  // namespace

void add_router_methods(ops::Methods& methods, boost::asio::io_context& main_io,
                        const std::unique_ptr<RouterThread>& routers, OpnsenseRows opnsense) {
    const RouterAccess at{main_io, routers, std::move(opnsense)};
    add_reads(methods, at);
    add_changes(methods, at);
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
