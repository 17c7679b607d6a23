#include "control/sources/blocking/blocking_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "matchers/quote.h"

namespace steer::blocking {
namespace {

namespace json = boost::json;
using ops::bad_params;
using ops::RpcCode;
using ops::RpcError;

constexpr std::size_t kMostBytes = std::size_t{32} << 20;
constexpr mode_t kMode = 0600;
constexpr ops::Piece kRules = ops::Piece::pages(2'000);
constexpr std::uint64_t kLongestS = 10 * 366 * std::uint64_t{86'400};
constexpr StateKeeper::Words kWords{
    .work = "rules of people",
    .what = "the rules of people",
    .parts = "rules",
    .part = "rule",
    .unread = "rules of people are not in force",
    .unsaved = "after the next start they are not in force",
    .section = "rules",
    .off = "rules are off",
};

// What `blocking.set` asks for: name, reach and direction.
Rule named_rule(const ops::Arguments& asked) {
    Rule rule;
    rule.name = asked.text("name");
    rule.allows = asked.is_true("allow");
    rule.is_exact = asked.is_true("exact");
    return rule;
}

// Clocks are read in whole seconds, and that of the fleet from afar.
constexpr std::int64_t kSameEndS = 5, kSurelyOverS = 3'600;

// The same rule, and by about the same end: it keeps its number.
bool is_almost(const Rule& here, const Rule& there) {
    return here.allows == there.allows && here.note == there.note && here.who == there.who &&
           (here.until_s == 0) == (there.until_s == 0) &&
           std::abs(here.until_s - there.until_s) <= kSameEndS;
}

}  // namespace

BlockingService::BlockingService(boost::asio::io_context& main_io, Times times, rte_rcu_qsbr* qsbr,
                                 std::shared_ptr<LiveRules> live, const clients::GroupBook& groups,
                                 FindAudience find_audience, std::string file, Flush flush)
    : times_(std::move(times)),
      flush_(std::move(flush)),
      groups_(groups),
      find_audience_(std::move(find_audience)),
      live_(std::move(live)),
      table_(live_->table, qsbr),
      keeper_(main_io, std::move(file), {.setting = "rules", .mode = kMode}, kWords) {
    if (!keeper_.is_on()) return;
    std::size_t left_out = 0;
    book_ = RuleBook::read(keeper_.load(kMostBytes), left_out);
    keeper_.set_left_out(left_out);
    book_.set_ends(now());
    book_.remove_expired(now());
    publish();
}

BlockingService::~BlockingService() {
    keeper_.stop();
}

void BlockingService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kClients{
        "clients", ParamType::text,
        "for an address, a prefix, a MAC address, or the name of a device or a group; without it, "
        "for everyone"};
    constexpr ops::Parameter kGroup{"group", ParamType::text, "for a group of devices"};
    constexpr ops::Parameter kFor{"seconds",
                                  ParamType::number,
                                  "how long; without it, until it is removed",
                                  false,
                                  1,
                                  kLongestS,
                                  "s"};
    constexpr ops::Parameter kNote{"note", ParamType::text, "a remark, at most 200 bytes"};
    constexpr std::string_view kChanged = "rules kept trouble?";
    constexpr std::string_view kResult = "the rules, and whether the file has the change";
    methods.add({.name = "blocking.list",
                 .help = "Shows the rules of `block`, `allow` and `pause`.",
                 .changes = Changes::nothing(),
                 .piece = kRules,
                 .role = AccessRole::operate,
                 .run = [this](const ops::Arguments& asked) { return list(asked); },
                 .members = "file rules most more? cursor?",
                 .result = "the rules in force, with who added them, and the largest number"});
    methods.add(
        {.name = "blocking.set",
         .help = "Blocks or allows a name with all names below it, from the next query on.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {{"name", ParamType::domain_name, "the name", true},
                        {"allow", ParamType::flag, "allow it; without it, block it"},
                        {"exact", ParamType::flag, "only the name, not the names below it"},
                        kClients,
                        kGroup,
                        kFor,
                        kNote},
         .run = [this](const ops::Arguments& asked, const ops::RpcDone& done) { set(asked, done); },
         .members = kChanged,
         .result = kResult});
    methods.add(
        {.name = "blocking.pause",
         .help = "Passes the lists for a while, except those that are marked `legal`.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {{"seconds", ParamType::number, "how long", true, 1, kLongestS, "s"},
                        {"plugin", ParamType::text, "the tag of an adlist or rpz; without it, all"},
                        {"list", ParamType::text, "only this list of the plugin"},
                        kClients,
                        kGroup,
                        kNote},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { pause(asked, done); },
         .members = kChanged,
         .result = kResult});
    methods.add({.name = "blocking.suspend",
                 .help = "Passes a list that is marked `legal` for a while.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {{"seconds", ParamType::number, "how long", true, 1, kLongestS, "s"},
                                {"plugin", ParamType::text, "the tag of an adlist or rpz", true},
                                {"list", ParamType::text, "only this list of the plugin"},
                                {"note", ParamType::text, "why, at most 200 bytes", true}},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { suspend(asked, done); },
                 .members = kChanged,
                 .result = kResult});
    methods.add(
        {.name = "blocking.remove",
         .help = "Removes rules, by their number or their name.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {{"number", ParamType::number, "the number of a rule, as listed"},
                        {"name", ParamType::domain_name, "all rules for this name"},
                        {"clients", ParamType::text, "of these, only those for these clients"},
                        {"group", ParamType::text, "of these, only those for this group"}},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { remove(asked, done); },
         .members = kChanged,
         .result = kResult});
    methods.add({.name = "blocking.export",
                 .help = "Writes the rules as a list in AdGuard's syntax.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::operate,
                 .run = [this](const ops::Arguments&) -> ops::RpcResult {
                     return json::value(json::object{{"text", adguard_text(book_, groups_)}});
                 },
                 .members = "text",
                 .result = "the list; pauses are not in it"});
}

void BlockingService::follow(const std::string& file, std::vector<Lists> lists) {
    lists_ = std::move(lists);
    // Another file needs a restart, because the daemon may not open it.
    if (file.empty() == keeper_.is_on()) {
        spdlog::info("control.rules is {}: a restart applies it", file.empty() ? "off" : "on");
    }
}

void BlockingService::poll() {
    table_.poll();
    // Many come at once, at a connection: the table is made once a second.
    const std::int64_t present_s = now().boot_s;
    if (has_taken_ && present_s != taken_s_) {
        has_taken_ = false;
        taken_s_ = present_s;
        logged_ = 0;
        std::ranges::move(book_.remove(std::exchange(dropped_, {})), std::back_inserter(taken_));
        changed(std::exchange(taken_, {}), {}, [](const ops::RpcResult&) {});
    }
    const auto ended = book_.remove_expired(now());
    if (ended.empty()) return;
    for (const Rule& rule : ended)
        spdlog::info("rule {} has expired: {} {}", rule.number, rule.allows ? "allow" : "block",
                     rule.name);
    changed(ended, {}, [](const ops::RpcResult&) {});
    shared_.expired(ended);
}

Result<void> BlockingService::check_on() const {
    if (keeper_.is_on()) return {};
    return Error{"rules are off: set `control.rules` to a file, or serve the page, and restart"};
}

bool BlockingService::refuse_if_off(const ops::RpcDone& done) const {
    const auto on = check_on();
    if (!on) done(bad_params(on.error().text));
    return !on;
}

ops::RpcResult BlockingService::list(const ops::Arguments& asked) const {
    std::uint64_t after = 0;  // a number
    if (const auto text = asked.find_text(ops::kCursor)) {
        const auto cursor = ops::Cursor::from(*text, 1);
        const auto number = cursor ? cursor->number(0) : std::nullopt;
        if (!number) return ops::bad_cursor();
        after = *number;
    }
    const auto& all = book_.rules();
    ops::PageRoom room(kRules.most_rows());
    json::array rules;
    auto rule = std::ranges::upper_bound(all, after, {}, &Rule::number);
    for (; rule != all.end() && !room.is_full(); ++rule)
        room.add(rules, to_json(*rule));
    json::object out{
        {"file", keeper_.file()}, {"rules", std::move(rules)}, {"most", RuleBook::kMostRules}};
    if (rule != all.end()) ops::end_page(out, ops::Cursor{std::to_string(std::prev(rule)->number)});
    return json::value(std::move(out));
}

void BlockingService::set(const ops::Arguments& asked, const ops::RpcDone& done) {
    add(named_rule(asked), asked, done);
}

Result<BlockingService::Trial> BlockingService::trial(const ops::Arguments& asked) const {
    if (auto on = check_on(); !on) return on.error();
    auto rule = complete(named_rule(asked), asked);
    if (!rule) return rule.error();
    RuleBook book = book_;
    std::vector<Rule> replaced;
    auto put = book.put(*std::move(rule), replaced);
    if (!put) return put.error();
    // (No worker reads this table: its version has no use.)
    auto rules = std::make_shared<const NameRules>(table_rules(book, groups_), 1);
    return Trial{*std::move(put), std::move(rules), static_cast<std::uint32_t>(now().boot_s),
                 lists_};
}

Result<void> BlockingService::check_lists(const Rule& rule) const {
    if (rule.plugin.empty()) {
        if (rule.list.empty()) return {};
        return Error{"a list belongs to a plugin: write its tag, too"};
    }
    const auto known = std::ranges::find(lists_, rule.plugin, &Lists::plugin);
    if (known == lists_.end())
        return Error{"there is no adlist or rpz " + matchers::quoted(rule.plugin) +
                     ": see 'steerctl adlist'"};
    const bool is_unknown =
        !rule.list.empty() && std::ranges::find(known->lists, rule.list) == known->lists.end();
    if (is_unknown)
        return Error{matchers::quoted(rule.plugin) + " has no list " + matchers::quoted(rule.list) +
                     ": see 'steerctl adlist'"};
    const auto is_legal = [known](const std::string& list) {
        return std::ranges::find(known->legal, list) != known->legal.end();
    };
    const bool all_are_legal =
        rule.list.empty() ? std::ranges::all_of(known->lists, is_legal) : is_legal(rule.list);
    if (all_are_legal && !rule.suspends)
        return Error{"marked `legal`: an admin can suspend it by 'steerctl pause --legal'"};
    return {};
}

bool BlockingService::read_lists(const ops::Arguments& asked, const ops::RpcDone& done,
                                 Rule& rule) const {
    rule.name = ".";
    rule.allows = true;
    rule.plugin = asked.text("plugin");
    rule.list = asked.text("list");
    const auto good = check_lists(rule);
    if (!good) done(bad_params(good.error().text));
    return good.has_value();
}

void BlockingService::pause(const ops::Arguments& asked, const ops::RpcDone& done) {
    Rule rule;
    if (read_lists(asked, done, rule)) add(std::move(rule), asked, done);
}

void BlockingService::suspend(const ops::Arguments& asked, const ops::RpcDone& done) {
    Rule rule;
    rule.suspends = true;
    if (read_lists(asked, done, rule)) add(std::move(rule), asked, done);
}

Result<void> BlockingService::read_audience(const ops::Arguments& asked, Rule& rule) const {
    rule.group = groups_.known_or(asked.text("group"));
    rule.clients = asked.text("clients");
    // RuleBook::checked() refuses both.
    if (rule.clients.empty() || !rule.group.empty()) return {};
    auto found = find_audience_(rule.clients);
    if (!found) return found.error();
    rule.clients = std::move(found->clients);
    rule.group = std::move(found->group);
    return {};
}

Result<Rule> BlockingService::complete(Rule rule, const ops::Arguments& asked) const {
    for (const char* const one : {"clients", "group"}) {
        if (asked.has(one) && asked.text(one).empty())
            return Error{matchers::quoted(one) + " is empty: leave it out for a rule for everyone"};
    }
    if (const auto read = read_audience(asked, rule); !read) return read.error();
    rule.note = asked.text("note");
    rule.who = asked.caller().name;
    const RuleTime made = now();
    rule.made_s = made.wall_s;
    if (const auto seconds = static_cast<std::int64_t>(asked.number("seconds", 0)); seconds != 0) {
        rule.until_s = made.wall_s + seconds;
        rule.boot_until_s = made.boot_s + seconds;
    }
    auto good = RuleBook::checked(std::move(rule));
    if (!good) return good.error();
    if (!good->group.empty()) {
        if (const auto known = groups_.check(good->group); !known) return known.error();
    }
    return good;
}

void BlockingService::add(Rule rule, const ops::Arguments& asked, const ops::RpcDone& done) {
    if (refuse_if_off(done)) return;
    auto good = complete(std::move(rule), asked);
    if (!good) return done(bad_params(good.error().text));
    std::vector<Rule> replaced;
    auto put = book_.put(*std::move(good), replaced);
    if (!put) return done(bad_params(put.error().text));
    changed(replaced, {to_json(*put)}, done);
    shared_.put_or_removed({*put});
}

void BlockingService::remove(const ops::Arguments& asked, const ops::RpcDone& done) {
    if (refuse_if_off(done)) return;
    if (asked.has("number") == asked.has("name"))
        return done(bad_params("write which rules to remove: a number, as listed, or a name"));
    std::vector<Rule> removed;
    if (asked.has("number")) {
        removed = book_.remove(static_cast<std::uint32_t>(
            std::min<std::uint64_t>(asked.number("number", 0), UINT32_MAX)));
    } else {
        Rule rule;
        rule.name = asked.text("name");
        rule.allows = true;
        if (const auto read = read_audience(asked, rule); !read)
            return done(bad_params(read.error().text));
        const auto usual = RuleBook::checked(std::move(rule));
        if (!usual) return done(bad_params(usual.error().text));
        // "" of `clients`: those for everyone.
        const bool is_for_group = !usual->group.empty();
        const bool is_for_some = asked.has("clients") || asked.has("group");
        removed = book_.remove(
            usual->name,
            is_for_some && !is_for_group ? std::optional(usual->clients) : std::nullopt,
            is_for_group ? std::optional(usual->group) : std::nullopt);
    }
    if (removed.empty()) return done(bad_params("there is no such rule: see 'steerctl blocking'"));
    json::array rules;
    for (const Rule& rule : removed)
        rules.push_back(to_json(rule));
    changed(removed, std::move(rules), done);
    shared_.put_or_removed(removed);
}

// ---- rules of a fleet

std::vector<shared::Entry> BlockingService::SharedRules::all() const {
    std::vector<shared::Entry> out;
    for (const Rule& rule : service_.book_.rules()) {
        if (!rule.suspends && !service_.dropped_.contains(rule.number))
            out.push_back({shared_key(rule), shared_value(rule, ahead_s())});
    }
    return out;
}

std::size_t BlockingService::SharedRules::count() const {
    return static_cast<std::size_t>(
        std::ranges::count(service_.book_.rules(), false, &Rule::suspends));
}

std::string BlockingService::SharedRules::value_of(const std::string& key) const {
    const Rule* const rule = service_.book_.find(key);
    return rule == nullptr || service_.dropped_.contains(rule->number)
               ? std::string()
               : shared_value(*rule, ahead_s());
}

Result<bool> BlockingService::SharedRules::take(const shared::Entry& entry, std::string_view box) {
    return service_.take(entry, box);
}

void BlockingService::SharedRules::put_or_removed(const std::vector<Rule>& rules) const {
    for (const Rule& rule : rules)
        if (!rule.suspends) changed(shared_key(rule));
}

void BlockingService::SharedRules::expired(const std::vector<Rule>& rules) const {
    for (const Rule& rule : rules)
        if (!rule.suspends) ended(shared_key(rule));
}

// As add() and pause() check a call.
Result<void> BlockingService::check_shared(const Rule& rule) const {
    if (rule.is_pause() && rule.until_s == 0) return Error{"a pause needs an end"};
    if (rule.is_pause() ? rule.is_exact : !rule.plugin.empty())
        return Error{"a rule of this version has another form"};
    if (rule.until_s > now().wall_s + static_cast<std::int64_t>(kLongestS))
        return Error{"it would end in more than ten years"};
    if (auto good = check_lists(rule); !good) return good;
    if (!rule.group.empty()) return groups_.check(rule.group);
    return {};
}

// A box that joins brings thousands: only the first ones until the next poll are lines.
void BlockingService::tell_taken(const std::string& line) {
    constexpr std::size_t kMostLines = 10;
    if (++logged_ <= kMostLines) spdlog::info("{}", line);
    if (logged_ == kMostLines) spdlog::info("further rules of other boxes follow");
}

Result<bool> BlockingService::take(const shared::Entry& entry, std::string_view box) {
    if (auto on = check_on(); !on) return on.error();
    const Rule* const known = book_.find(entry.key);
    const bool is_known = known != nullptr && !dropped_.contains(known->number);
    bool is_long_over = false;
    if (!entry.value.empty()) {
        auto rule = rule_of_shared(entry.key, entry.value, shared_.clock_ahead_s());
        if (!rule) return rule.error();
        if (auto good = check_shared(*rule); !good) return good.error();
        const RuleTime present = now();
        if (rule->until_s != 0)
            rule->boot_until_s = present.boot_s + (rule->until_s - present.wall_s);
        rule->box = box;
        if (!rule->has_expired(present)) {
            if (is_known && is_almost(*known, *rule)) return true;
            auto put = book_.put_in_place(*std::move(rule), taken_);
            if (!put) return put.error();
            tell_taken(put->who + " of box " + put->box + " added the rule " +
                       (put->allows ? "allow " : "block ") + put->name);
            has_taken_ = true;
            return true;
        }
        is_long_over = rule->until_s + kSurelyOverS < present.wall_s;
    }
    if (is_known) {
        tell_taken("box " + std::string(box) + " removed the rule for " + known->name);
        dropped_.insert(known->number);
        has_taken_ = true;
    }
    return !is_long_over;
}

void BlockingService::changed(const std::vector<Rule>& removed, json::array rules,
                              const ops::RpcDone& done) {
    publish();
    // A cache in front of a list has the answers that the rule allowed.
    std::vector<matchers::Rule> names;
    for (const Rule& rule : removed) {
        if (!rule.allows || !rule.is_for_everyone()) continue;
        if (auto of_rule = names_of(rule)) names.push_back(*std::move(of_rule));
    }
    if (!names.empty()) flush_(std::move(names));
    keep([rules = std::move(rules), done](const std::string& problem) mutable {
        json::object out{{"rules", std::move(rules)}, {"kept", problem.empty()}};
        if (!problem.empty()) out["trouble"] = problem;
        done(json::value(std::move(out)));
    });
}

RuleTime BlockingService::now() const {
    return {times_.wall_s(), static_cast<std::int64_t>(times_.boot.now().s())};
}

void BlockingService::publish() {
    table_.put(std::make_unique<const NameRules>(table_rules(book_, groups_), ++version_));
}

void BlockingService::keep(std::function<void(const std::string& problem)> then) {
    book_.set_ends(now());
    keeper_.save(book_.text(), std::move(then));
}

void BlockingService::follow_groups() {
    const bool has_some =
        std::ranges::any_of(book_.rules(), [](const Rule& rule) { return !rule.group.empty(); });
    if (has_some) publish();
}

std::uint32_t BlockingService::deciding(std::string_view name, const IpAddress& client,
                                        std::uint64_t mac) const {
    const auto wire = wire_name(name);
    const NameRules* const table = live_->table.load();
    if (!wire || table == nullptr) return 0;
    const NameRule* const found = table->find({.name = *wire,
                                               .client = client,
                                               .lease = nullptr,
                                               .frame_mac = mac,
                                               .now_s = static_cast<std::uint32_t>(now().boot_s)});
    return found != nullptr ? found->number : 0;
}

json::array BlockingService::about(std::string_view name, const std::optional<IpAddress>& client,
                                   std::uint64_t mac) const {
    json::array out;
    const auto wire = wire_name(name);
    if (!wire) return out;
    const std::uint32_t decides = client ? deciding(name, *client, mac) : 0;
    for (const Rule& rule : rules_about(book_, *wire)) {
        const auto made = table_rule(rule, groups_);
        if (client && (!made || !made->rule.is_for(*client, nullptr, mac))) continue;
        json::object shown = to_json(rule);
        shown["decides"] = rule.number == decides;
        out.push_back(std::move(shown));
    }
    return out;
}

std::vector<std::uint32_t> BlockingService::rules_for(std::string_view group) const {
    std::vector<std::uint32_t> out;
    for (const Rule& rule : book_.rules()) {
        if (rule.group == group) out.push_back(rule.number);
    }
    return out;
}

void BlockingService::write_metrics(ops::MetricWriter& writer) const {
    if (!keeper_.is_on()) return;
    const auto count = [this](bool allows) {
        return static_cast<std::uint64_t>(std::ranges::count(book_.rules(), allows, &Rule::allows));
    };
    writer.family("steerdns_blocking_rules");
    writer.sample({{"does", "block"}}, count(false));
    writer.sample({{"does", "allow"}}, count(true));
}

void BlockingService::add_problems(Problems& problems) const {
    for (const Rule& rule : book_.rules()) {
        if (rule.group.empty() || groups_.has(rule.group)) continue;
        problems.push_back({"rules", "rule " + std::to_string(rule.number) +
                                         " is for no device: there is no group " +
                                         matchers::quoted(rule.group) +
                                         "; make it with 'steerctl clients group add', or remove "
                                         "the rule"});
        break;
    }
    keeper_.add_problems(problems);
}

}  // namespace steer::blocking
