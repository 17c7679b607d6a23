#include "control/sources/clients/group_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <ctime>
#include <utility>

#include "control/config/lists/group_lines.h"
#include "control/host/process/regular_file.h"
#include "control/host/process/state_file.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::clients {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostBytes = std::size_t{8} << 20;
constexpr ops::Piece kGroups = ops::Piece::pages(4'000);
constexpr mode_t kMode = 0640;  // other users need not know who has which device
constexpr StateKeeper::Words kWords{
    .work = "groups of devices",
    .what = "the groups of devices",
    .parts = "groups or members",
    .part = "group",
    .unread = "rules for groups of devices are for no device",
    .unsaved = "groups end with the next start",
    .section = "clients",
    .off = "`control.leases` is off, so groups end with the next start",
};

// The groups of the last run. None: there is no file.
Result<std::vector<config::FileGroup>> read_kept_text(const std::string& file) {
    const auto text = read_regular(file, config::kMaxGroupText);
    if (!text)
        return Error{"the groups of the last run, '" + file +
                     "', cannot be read: " + text.error().text};
    return config::read_group_text(text->value_or(""));
}

// "2026-11-29 11:31 UTC"
std::string time_text(std::int64_t at_s) {
    const std::time_t at = at_s;
    std::tm parts{};
    std::array<char, 32> room{};
    ::gmtime_r(&at, &parts);
    return {room.data(), std::strftime(room.data(), room.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}

// Of the parameter `clients`, each once. Error: one is not a device.
Result<std::vector<std::string>> members_of(const ops::Arguments& asked) {
    std::vector<std::string> out;
    for (const std::string& written : asked.texts("clients")) {
        auto one = member_of(written);
        if (!one) return one.error();
        out.push_back(*std::move(one));
    }
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

}  // namespace

GroupService::GroupService(boost::asio::io_context& main_io, rte_rcu_qsbr* qsbr,
                           std::shared_ptr<LiveGroups> live, Files files,
                           std::function<const GivenNames&()> names,
                           std::function<std::int64_t()> now_s)
    : feed_file_(std::move(files.feed)),
      names_(std::move(names)),
      now_s_(std::move(now_s)),
      shared_(book_,
              [this](const std::string& group, const std::string& member,
                     const std::optional<MemberOrigin>& origin) {
                  return take(group, member, origin);
              }),
      live_(std::move(live)),
      table_(live_->table, qsbr),
      keeper_(main_io, std::move(files.groups), {.setting = "leases", .mode = kMode}, kWords),
      aside_(main_io, "groups of Redis") {
    if (!keeper_.is_on()) return;
    std::size_t left_out = 0;
    book_ = GroupBook::read(keeper_.load(kMostBytes), left_out);
    keeper_.set_left_out(left_out);
    table_.put(book_.all_devices());
}

void GroupService::follow(Named named, const config::Control& control) {
    named_ = std::move(named);
    if (control.client_groups_key != feed_.key) {
        const std::uint64_t number = feed_.number + 1;
        feed_ = {};
        feed_.number = number;
        feed_.key = control.client_groups_key;
        if (!feed_.key.empty()) begin_feed();
    }
    if (feed_.key.empty()) set_of_file(control.client_groups);
}

void GroupService::set_of_file(const std::vector<config::FileGroup>& groups) {
    if (book_.file() == groups) return;
    book_.set_file(groups);
    publish();
}

void GroupService::begin_feed() {
    feed_.problem = "Redis has not answered yet";
    feed_.problem_since_s = now_s_();
    if (feed_file_.empty()) return;
    aside_.run([file = feed_file_] { return read_kept_text(file); },
               [this, number = feed_.number](const Result<std::vector<config::FileGroup>>& kept) {
                   // Redis may have been faster.
                   if (number != feed_.number || feed_.good_s != 0) return;
                   if (kept) return set_of_file(*kept);
                   feed_.unkept = kept.error().text;
                   spdlog::warn("{}", feed_.unkept);
               });
}

void GroupService::take_feed(const std::string& key, std::optional<std::string> text,
                             std::string problem) {
    if (feed_.key != key) return;  // a reload has ended it
    if (!problem.empty() && feed_.problem.empty()) feed_.problem_since_s = now_s_();
    feed_.problem = std::move(problem);
    if (!feed_.problem.empty()) spdlog::warn("client_groups: {}", feed_.problem);
    if (text) judge_feed(*std::move(text));
}

void GroupService::judge_feed(std::string text) {
    struct Judged {
        Result<std::vector<config::FileGroup>> groups;
        std::string unkept;
    };
    aside_.run(
        [file = feed_file_, text = std::move(text)] {
            Judged out{config::read_group_text(text), {}};
            if (!out.groups || file.empty()) return out;
            const auto saved =
                save_state(file, text, {.setting = "leases", .mode = kMode}, "the groups of Redis",
                           "without Redis, the next start has older ones");
            if (!saved) out.unkept = saved.error().sentence();
            return out;
        },
        [this, number = feed_.number](const Judged& judged) {
            if (number != feed_.number) return;
            feed_.unkept = judged.unkept;
            if (judged.groups) {
                feed_.wrong.clear();
                feed_.good_s = now_s_();
                return set_of_file(*judged.groups);
            }
            feed_.wrong = judged.groups.error().text;
            feed_.wrong_since_s = now_s_();
            spdlog::warn("client_groups: the text of the key {} is wrong: {}", feed_.key,
                         feed_.wrong);
        });
}

void GroupService::publish() {
    table_.put(book_.all_devices());
    if (rules_.on_change) rules_.on_change();
}

// From the member behind the cursor's on; `groups` gets what the page has room for.
std::optional<ops::Cursor> GroupService::fill(json::array& groups,
                                              const std::optional<ops::Cursor>& after) const {
    const GivenNames& names = names_();
    ops::PageRoom room(kGroups.most_rows());
    auto group = after ? book_.groups().lower_bound((*after)[0]) : book_.groups().begin();
    for (; group != book_.groups().end(); ++group) {
        const auto& [name, members] = *group;
        const bool goes_on = after && name == (*after)[0];
        const bool is_begun = goes_on && !(*after)[1].empty();
        auto member = is_begun ? members.upper_bound((*after)[1]) : members.begin();
        if (is_begun && member == members.end()) continue;
        if (room.is_full()) return ops::Cursor{name, {}};
        json::array shown;
        for (; member != members.end() && !room.is_full(); ++member) {
            const auto named = names.find(member->first);
            room.add(shown,
                     json::object{{"client", member->first},
                                  {"name", named == names.end() ? json::value()
                                                                : json::value(named->second.name)},
                                  {"at", member->second.at_s},
                                  {"who", member->second.who}});
        }
        json::object row{{"group", name}, {"members", std::move(shown)}};
        if (is_begun) row[ops::kContinued] = true;
        groups.push_back(std::move(row));
        if (member != members.end()) return ops::Cursor{name, std::prev(member)->first};
        if (!room.is_full()) room.count(name.size());
    }
    return std::nullopt;
}

ops::RpcResult GroupService::list(const ops::Arguments& asked) const {
    std::optional<ops::Cursor> after;
    if (const auto text = asked.find_text(ops::kCursor)) {
        after = ops::Cursor::from(*text, 2);
        if (!after) return ops::bad_cursor();
    }
    json::array groups, of_file;
    const auto next = fill(groups, after);
    for (const config::FileGroup& group : book_.file())
        if (!next)
            of_file.push_back(json::object{{"group", group.name},
                                           {"members", group.macs.size() + group.prefixes.size()}});
    json::object out{{"groups", std::move(groups)},
                     {"of_file", std::move(of_file)},
                     {"most", GroupBook::kMostGroups},
                     {"most_members", GroupBook::kMostMembers},
                     {"file", keeper_.is_on() ? json::value(keeper_.file()) : json::value()}};
    ops::end_page(out, next);
    return json::value(std::move(out));
}

void GroupService::add(const ops::Arguments& asked, const ops::RpcDone& done) {
    auto group = checked_name(asked.text("group"));
    if (!group) return done(ops::bad_params(group.error().text));
    *group = book_.known_or(*group);  // in any case
    if (member_of(*group))
        return done(ops::bad_params(matchers::quoted(*group) +
                                    " is a device: write a name for the group first"));
    const auto clients = members_of(asked);
    if (!clients) return done(ops::bad_params(clients.error().text));
    if (clients->empty())
        return done(
            ops::bad_params("there is no member: write an address, a prefix, a MAC "
                            "address or a name"));
    const bool is_new = !book_.groups().contains(*group);
    const auto added = book_.add(*group, *clients, {now_s_(), asked.caller().name});
    if (!added) return done(ops::bad_params(added.error().text));
    changed(*group, *clients, done);
    if (is_new) shared_.changed(*group, {});
    for (const std::string& member : *clients)
        shared_.changed(*group, member);
}

void GroupService::remove(const ops::Arguments& asked, const ops::RpcDone& done) {
    const std::string group = book_.known_or(matchers::trimmed(asked.text("group")));
    const auto clients = members_of(asked);
    if (!clients) return done(ops::bad_params(clients.error().text));
    const bool is_whole = !asked.has("clients");
    if (!is_whole && clients->empty())
        return done(ops::bad_params("there is no member: leave `clients` out to remove the group"));
    if (const std::string use = is_whole ? use_of(group) : std::string(); !use.empty())
        return done(ops::bad_params(use));
    std::vector<std::string> gone = *clients;
    if (const auto at = book_.groups().find(group); is_whole && at != book_.groups().end()) {
        for (const auto& [member, origin] : at->second)
            gone.push_back(member);
        gone.emplace_back();
    }
    const auto removed = is_whole ? book_.remove(group) : book_.remove(group, *clients);
    if (!removed) return done(ops::bad_params(removed.error().text));
    changed(group, *clients, done);
    for (const std::string& member : gone)
        shared_.changed(group, member);
}

std::string GroupService::use_of(const std::string& group) const {
    if (rules_.numbers_for) {
        if (const auto used = rules_.numbers_for(group); !used.empty())
            return std::to_string(used.size()) + (used.size() == 1 ? " rule is" : " rules are") +
                   " for the group " + matchers::quoted(group) +
                   ": remove them first, as in 'steerctl unblock --number " +
                   std::to_string(used.front()) + "'";
    }
    if (const auto at = named_.find(group); at != named_.end())
        return at->second + " of the configuration is for the group " + matchers::quoted(group) +
               ": remove it there first";
    return {};
}

// Members and their group arrive in any order.
Result<void> GroupService::take(const std::string& group, const std::string& member,
                                const std::optional<MemberOrigin>& origin) {
    has_taken_ = true;
    if (origin) {
        to_remove_.erase(group);
        return book_.put(group, member, *origin);
    }
    if (member.empty()) {
        if (std::string use = use_of(group); !use.empty()) return Error{std::move(use)};
        to_remove_.insert(group);
    }
    book_.take_out(group, member);
    if (to_remove_.contains(group)) book_.take_out(group, {});
    if (!book_.groups().contains(group)) to_remove_.erase(group);
    return {};
}

void GroupService::poll() {
    table_.poll();
    if (!std::exchange(has_taken_, false)) return;
    book_.refresh();
    publish();
    keeper_.save(book_.text(), [](const std::string&) { /* problems name it */ });
}

void GroupService::changed(const std::string& group, const std::vector<std::string>& clients,
                           const ops::RpcDone& done) {
    publish();
    json::object out{{"group", group}, {"clients", json::array(clients.begin(), clients.end())}};
    auto answer = [out = std::move(out), done](const std::string& problem) mutable {
        out["kept"] = problem.empty();
        if (!problem.empty()) out["trouble"] = problem;
        done(json::value(std::move(out)));
    };
    keeper_.save(book_.text(), std::move(answer));
}

void GroupService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kGroup{"group", ParamType::text, "the name of the group", true};
    constexpr std::string_view kChanged = "group clients kept trouble?";
    constexpr std::string_view kResult =
        "the group, the members in their usual form, and whether the file has the change";
    methods.add({.name = "clients.groups",
                 .help = "Shows the groups of devices, with their members.",
                 .changes = Changes::nothing(),
                 .piece = kGroups,
                 .role = AccessRole::operate,  // MAC addresses
                 .run = [this](const ops::Arguments& asked) { return list(asked); },
                 .members = "groups of_file most most_members file more? cursor?",
                 .result =
                     "the groups with who added each member and when, and the sizes of those of "
                     "`client_groups`"});
    methods.add(
        {.name = "clients.group_add",
         .help = "Adds devices to a group; a group that is new is made.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {kGroup, {"clients", ParamType::devices, "the devices", true}},
         .run = [this](const ops::Arguments& asked, const ops::RpcDone& done) { add(asked, done); },
         .members = kChanged,
         .result = kResult});
    methods.add({.name = "clients.group_remove",
                 .help = "Removes devices from a group, or a group without rules.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .parameters = {kGroup, {"clients", ParamType::devices, "without it, the group"}},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { remove(asked, done); },
                 .members = kChanged,
                 .result = kResult});
}

void GroupService::write_metrics(ops::MetricWriter& writer) const {
    writer.family("steerdns_client_groups");
    writer.sample({}, std::uint64_t{book_.groups().size()});
}

void GroupService::add_problems(Problems& problems) const {
    for (const auto& [group, matcher] : named_) {
        if (book_.has(group)) continue;
        problems.push_back({"clients", matcher + " never matches: there is no group " +
                                           matchers::quoted(group) +
                                           "; make it with 'steerctl clients group add'"});
        break;
    }
    const std::string groups =
        feed_.good_s != 0 ? "; the groups of " + time_text(feed_.good_s) + " stay in force"
                          : "; the groups of the last run stay in force, if there are some";
    if (!feed_.problem.empty())
        problems.push_back({"clients", "`client_groups` is not followed since " +
                                           time_text(feed_.problem_since_s) + ": " + feed_.problem +
                                           groups});
    if (!feed_.wrong.empty())
        problems.push_back({"clients", "`client_groups`: the text of the key " +
                                           matchers::quoted(feed_.key) + " is wrong since " +
                                           time_text(feed_.wrong_since_s) + ": " + feed_.wrong +
                                           groups});
    if (!feed_.unkept.empty()) problems.push_back({"clients", feed_.unkept});
    keeper_.add_problems(problems);
}

}  // namespace steer::clients
