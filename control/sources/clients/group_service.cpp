#include "control/sources/clients/group_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <utility>

#include "control/host/process/state_file.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::clients {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostBytes = std::size_t{8} << 20;
constexpr mode_t kMode = 0640;  // other users need not know who has which device
constexpr std::string_view kLoss = "rules for groups of devices are for no device";

}  // namespace

GroupService::GroupService(boost::asio::io_context& main_io, rte_rcu_qsbr* qsbr,
                           std::shared_ptr<LiveGroups> live, std::string file,
                           std::function<const GivenNames&()> names,
                           std::function<std::int64_t()> now_s)
    : file_(std::move(file)),
      names_(std::move(names)),
      now_s_(std::move(now_s)),
      live_(std::move(live)),
      table_(live_->table, qsbr),
      aside_(main_io, "groups of devices") {
    if (file_.empty()) return;
    const auto kept = load_or_keep(file_, kMostBytes, kLoss);
    if (!kept) {
        problem_ = kept.error().sentence();
        spdlog::warn("{}", problem_);
        return;
    }
    book_ = GroupBook::read(*kept, left_out_);
    table_.put(book_.all_devices());
    if (left_out_ != 0)
        spdlog::warn("{}: {} groups or members cannot be read and are left out", file_, left_out_);
}

void GroupService::follow(Named named, const std::vector<config::FileGroup>& of_file) {
    named_ = std::move(named);
    if (book_.file() == of_file) return;
    book_.set_file(of_file);
    publish();
}

void GroupService::publish() {
    table_.put(book_.all_devices());
    if (rules_.on_change) rules_.on_change();
}

ops::RpcResult GroupService::list() const {
    const GivenNames& names = names_();
    json::array groups;
    for (const auto& [group, members] : book_.groups()) {
        json::array shown;
        for (const auto& [member, origin] : members) {
            const auto named = names.find(member);
            shown.push_back(json::object{
                {"client", member},
                {"name", named == names.end() ? json::value() : json::value(named->second.name)},
                {"at", origin.at_s},
                {"who", origin.who}});
        }
        groups.push_back(json::object{{"group", group}, {"members", std::move(shown)}});
    }
    json::array of_file;
    for (const config::FileGroup& group : book_.file())
        of_file.push_back(json::object{{"group", group.name},
                                       {"members", group.macs.size() + group.prefixes.size()}});
    return json::value(json::object{{"groups", std::move(groups)},
                                    {"of_file", std::move(of_file)},
                                    {"most", GroupBook::kMostGroups},
                                    {"most_members", GroupBook::kMostMembers},
                                    {"file", file_.empty() ? json::value() : json::value(file_)}});
}

Result<std::string> GroupService::member(const std::string& written) const {
    auto key = member_of(written);
    if (key) return key;
    const std::string_view name = matchers::trimmed(written);
    std::vector<std::string> found;
    for (const auto& [client, given] : names_()) {
        if (given.name == name) found.push_back(client);
    }
    if (found.empty()) return key;
    if (found.size() > 1)
        return Error{std::to_string(found.size()) + " clients have the name " +
                     matchers::quoted(name) + ": write the address or the MAC address, as in " +
                     found.front()};
    return {boost::system::in_place_value, found.front()};
}

Result<std::vector<std::string>> GroupService::members(const ops::Arguments& asked) const {
    std::vector<std::string> out;
    for (const std::string& written : asked.texts("clients")) {
        auto one = member(written);
        if (!one) return one.error();
        out.push_back(*std::move(one));
    }
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

void GroupService::add(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto group = checked_name(asked.text("group"));
    if (!group) return done(ops::bad_params(group.error().text));
    if (member_of(*group))
        return done(ops::bad_params(matchers::quoted(*group) +
                                    " is a device: write a name for the group first"));
    const auto clients = members(asked);
    if (!clients) return done(ops::bad_params(clients.error().text));
    if (clients->empty())
        return done(
            ops::bad_params("there is no member: write an address, a prefix, a MAC "
                            "address or a given name"));
    const auto added = book_.add(*group, *clients, {now_s_(), asked.caller().who});
    if (!added) return done(ops::bad_params(added.error().text));
    changed(*group, *clients, done);
}

void GroupService::remove(const ops::Arguments& asked, const ops::RpcDone& done) {
    const std::string group(matchers::trimmed(asked.text("group")));
    const auto clients = members(asked);
    if (!clients) return done(ops::bad_params(clients.error().text));
    const bool is_whole = !asked.has("clients");
    if (!is_whole && clients->empty())
        return done(ops::bad_params("there is no member: leave `clients` out to remove the group"));
    if (is_whole && rules_.numbers_for) {
        if (const auto used = rules_.numbers_for(group); !used.empty())
            return done(ops::bad_params(std::to_string(used.size()) +
                                        (used.size() == 1 ? " rule is" : " rules are") +
                                        " for the group " + matchers::quoted(group) +
                                        ": remove them first, as in 'steerctl unblock --number " +
                                        std::to_string(used.front()) + "'"));
    }
    if (const auto at = named_.find(group); is_whole && at != named_.end())
        return done(ops::bad_params(at->second + " of the configuration is for the group " +
                                    matchers::quoted(group) + ": remove it there first"));
    const auto removed = is_whole ? book_.remove(group) : book_.remove(group, *clients);
    if (!removed) return done(ops::bad_params(removed.error().text));
    changed(group, *clients, done);
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
    if (file_.empty()) return answer("`control.leases` is off, so groups end with the next start");
    const std::size_t left_out = std::exchange(left_out_, 0);
    aside_.run(
        [file = file_, text = book_.text(), left_out]() -> Result<void> {
            const auto folder = std::filesystem::path(file).parent_path();
            std::error_code error;
            if (!std::filesystem::is_directory(folder, error))
                return Error{"the folder '" + folder.string() +
                             "' does not exist, so groups end with the next start; create it"};
            return save_state(file, text,
                              {.setting = "leases", .mode = kMode, .is_damaged = left_out != 0},
                              "the groups of devices", "they are lost at the next start");
        },
        [this, answer, left_out](const Result<void>& saved) mutable {
            problem_ = saved ? std::string() : saved.error().sentence();
            if (!saved) {
                spdlog::warn("{}", problem_);
                left_out_ = left_out;
            }
            answer(problem_);
        });
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
                 .role = AccessRole::operate,  // MAC addresses
                 .run = [this](const ops::Arguments&) { return list(); },
                 .members = "groups of_file most most_members file",
                 .result =
                     "the groups with who added each member and when, and the sizes of those of "
                     "`client_groups`"});
    methods.add(
        {.name = "clients.group_add",
         .help = "Adds devices to a group; a group that is new is made.",
         .changes = Changes::always(),
         .parameters = {kGroup,
                        {"clients", ParamType::texts,
                         "addresses, prefixes, MAC addresses, or names that a person gave", true}},
         .run = [this](const ops::Arguments& asked, const ops::RpcDone& done) { add(asked, done); },
         .members = kChanged,
         .result = kResult});
    methods.add(
        {.name = "clients.group_remove",
         .help = "Removes devices from a group, or a group without rules.",
         .changes = Changes::always(),
         .parameters = {kGroup,
                        {"clients", ParamType::texts, "the devices; without it, the group"}},
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
    if (!problem_.empty()) problems.push_back({"clients", problem_});
    if (left_out_ != 0)
        problems.push_back({"clients", std::to_string(left_out_) + " groups or members of '" +
                                           file_ +
                                           "' cannot be read; the next change of a group keeps "
                                           "the file as '" +
                                           file_ + ".damaged'"});
}

}  // namespace steer::clients
