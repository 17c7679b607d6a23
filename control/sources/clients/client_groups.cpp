#include "control/sources/clients/client_groups.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "control/api/rpc/peer.h"
#include "control/host/process/state_file.h"
#include "control/sources/clients/client_names.h"
#include "matchers/prefix/mac_address.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"
#include "matchers/text.h"

namespace steer::clients {
namespace {

namespace json = boost::json;

MemberOrigin origin_of(const json::object& row) {
    const json::value* const at = row.if_contains("at");
    return {at != nullptr && at->is_int64() ? at->get_int64() : 0,
            ops::without_process(safe_text(text_at(row, "who")))};
}

}  // namespace

Result<void> GroupBook::add(const std::string& group, const std::vector<std::string>& members,
                            const MemberOrigin& origin) {
    const auto at = groups_.find(group);
    if (at == groups_.end() && groups_.size() >= kMostGroups)
        return Error{"there are " + std::to_string(kMostGroups) +
                     " groups already: remove one with 'steerctl clients group remove'"};
    GroupMembers changed = at == groups_.end() ? GroupMembers() : at->second;
    const std::size_t before = changed.size();
    for (const std::string& member : members)
        changed.try_emplace(member, origin);
    const std::size_t all = members_ + changed.size() - before;
    if (all > kMostMembers)
        return Error{"all groups together would have " + std::to_string(all) +
                     " members, and at most " + std::to_string(kMostMembers) +
                     " fit: write prefixes"};
    members_ = all;
    groups_.insert_or_assign(group, std::move(changed));
    make_devices(group);
    return {};
}

Result<void> GroupBook::put(const std::string& group, const std::string& member,
                            const MemberOrigin& origin) {
    auto at = groups_.find(group);
    const bool is_new = at == groups_.end();
    if (is_new && groups_.size() >= kMostGroups)
        return Error{"there are " + std::to_string(kMostGroups) + " groups already"};
    const bool is_member = !member.empty();
    if (is_member && members_ >= kMostMembers && (is_new || !at->second.contains(member)))
        return Error{"the groups have " + std::to_string(kMostMembers) + " members already"};
    if (is_new) at = groups_.try_emplace(group).first;
    if (is_member) members_ += at->second.insert_or_assign(member, origin).second ? 1U : 0U;
    stale_.insert(group);
    return {};
}

void GroupBook::take_out(const std::string& group, const std::string& member) {
    const auto at = groups_.find(group);
    if (at == groups_.end()) return;
    if (!member.empty())
        members_ -= at->second.erase(member);
    else if (at->second.empty())
        groups_.erase(at);
    stale_.insert(group);
}

void GroupBook::refresh() {
    for (const std::string& group : stale_)
        make_devices(group);
    stale_.clear();
}

Result<GroupBook::Groups::iterator> GroupBook::of_people(const std::string& group) {
    if (auto known = check(group); !known) return known.error();
    const auto at = groups_.find(group);
    if (at != groups_.end()) return at;
    return Error{"the members of " + matchers::quoted(group) +
                 " come from `client_groups`: change them there"};
}

Result<void> GroupBook::remove(const std::string& group, const std::vector<std::string>& members) {
    const auto at = of_people(group);
    if (!at) return at.error();
    GroupMembers changed = (*at)->second;
    const std::size_t before = changed.size();
    for (const std::string& member : members) {
        if (changed.erase(member) == 0)
            return Error{"people did not add " + member + " to the group " +
                         matchers::quoted(group) +
                         (is_of_file(group) ? ": change `client_groups`, if it has it"
                                            : ": see 'steerctl clients group'")};
    }
    members_ -= before - changed.size();
    (*at)->second = std::move(changed);
    make_devices(group);
    return {};
}

Result<void> GroupBook::remove(const std::string& group) {
    const auto at = of_people(group);
    if (!at) return at.error();
    members_ -= (*at)->second.size();
    groups_.erase(*at);
    make_devices(group);
    return {};
}

Result<void> GroupBook::check(std::string_view group) const {
    if (has(group)) return {};
    constexpr std::size_t kShown = 5;
    std::string known;
    std::size_t shown = 0;
    for (const auto& [name, devices] : devices_) {
        if (shown++ == kShown) break;
        known += (known.empty() ? "" : ", ") + matchers::quoted(name);
    }
    if (devices_.size() > kShown) known += " and others";
    return Error{
        "there is no group " + matchers::quoted(group) + ": " +
        (known.empty() ? "make it with 'steerctl clients group add'" : "the groups are " + known)};
}

std::optional<std::string> GroupBook::named(std::string_view written) const {
    const std::string_view text = matchers::trimmed(written);
    if (has(text)) return std::string(text);
    const std::string wanted = matchers::lowered(text);
    std::optional<std::string> found;
    for (const auto& [name, devices] : devices_) {
        if (matchers::lowered(name) != wanted) continue;
        if (found) return std::nullopt;
        found = name;
    }
    return found;
}

std::shared_ptr<const DeviceGroup> GroupBook::devices(std::string_view group) const {
    const auto at = devices_.find(group);
    return at == devices_.end() ? nullptr : at->second;
}

std::unique_ptr<const DeviceGroups> GroupBook::all_devices() const {
    std::vector<DeviceGroups::Named> all;
    for (const auto& [name, devices] : devices_)
        all.push_back({name, devices});
    return std::make_unique<const DeviceGroups>(std::move(all));
}

void GroupBook::set_file(std::vector<config::FileGroup> groups) {
    file_ = std::move(groups);
    make_devices();
}

void GroupBook::make_devices() {
    devices_.clear();
    for (const auto& [name, members] : groups_)
        make_devices(name);
    for (const config::FileGroup& one : file_) {
        if (!groups_.contains(one.name)) make_devices(one.name);
    }
}

void GroupBook::make_devices(const std::string& group) {
    const auto at = groups_.find(group);
    const config::FileGroup* const of_file = file_group(group);
    if (at == groups_.end() && of_file == nullptr) {
        devices_.erase(group);
        return;
    }
    DeviceGroup out;
    std::vector<matchers::Prefix> prefixes;
    if (of_file != nullptr) {
        out.macs = of_file->macs;
        prefixes = of_file->prefixes;
    }
    if (at != groups_.end()) {
        for (const auto& [member, origin] : at->second) {
            if (const auto mac = parse_mac(member)) {
                out.macs.push_back(*mac);
            } else if (const auto prefix = matchers::Prefix::parse(member)) {
                prefixes.push_back(*prefix);
            }
        }
    }
    std::ranges::sort(out.macs);
    out.prefixes = matchers::PrefixSet(prefixes);
    devices_.insert_or_assign(group, std::make_shared<const DeviceGroup>(std::move(out)));
}

const config::FileGroup* GroupBook::file_group(std::string_view group) const {
    const auto at = std::ranges::lower_bound(file_, group, {}, &config::FileGroup::name);
    return at != file_.end() && at->name == group ? &*at : nullptr;
}

std::string GroupBook::text() const {
    json::object out;
    for (const auto& [name, members] : groups_) {
        json::object& group = out[name].emplace_object();
        for (const auto& [member, origin] : members)
            group[member] = json::object{{"at", origin.at_s}, {"who", origin.who}};
    }
    return json::serialize(out) + "\n";
}

GroupBook GroupBook::read(const json::object& file, std::size_t& left_out) {
    GroupBook book;
    left_out = 0;
    for (const auto& [written, value] : file) {
        const json::object* const members = value.if_object();
        const auto name = checked_name(std::string_view(written));
        if (members == nullptr || !name || !book.add(*name, {}, {})) {
            ++left_out;
            continue;
        }
        GroupMembers& group = book.groups_.find(*name)->second;
        for (const auto& [member, row] : *members) {
            const auto key = member_of(std::string_view(member));
            const bool is_good = key && row.is_object() && book.members_ < kMostMembers;
            if (is_good && group.try_emplace(*key, origin_of(row.get_object())).second) {
                ++book.members_;
            } else {
                ++left_out;
            }
        }
    }
    book.make_devices();
    return book;
}

}  // namespace steer::clients
