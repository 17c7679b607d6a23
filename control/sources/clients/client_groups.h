// Groups of devices that people make. Pure.
//
// A group is a name and its members: addresses, prefixes and MAC addresses. It may be empty. All
// groups together have at most kMostMembers members. Groups of the configuration's file
// (`client_groups`) are beside them; of a name that both have, the members count together.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/settings/group_settings.h"
#include "dataplane/answer/device_groups.h"
#include "matchers/result.h"

namespace steer::clients {

// When a member was added, and who added it.
struct MemberOrigin {
    std::int64_t at_s = 0;  // Unix time
    std::string who;        // Caller::name
    bool operator==(const MemberOrigin&) const = default;
};
using GroupMembers = std::map<std::string, MemberOrigin>;  // the key: member_of()

class GroupBook {
  public:
    static constexpr std::size_t kMostGroups = 256, kMostMembers = 10'000;

    // Adds members to a group, which is made if it is new. Members that are in it stay as they are.
    // Error: there would be too many; then nothing is changed.
    Result<void> add(const std::string& group, const std::vector<std::string>& members,
                     const MemberOrigin& origin);
    // Error: a member is not in the group, or there is no such group; then nothing is changed.
    Result<void> remove(const std::string& group, const std::vector<std::string>& members);
    Result<void> remove(const std::string& group);

    // One change of many, by another box; without a member, of the group itself. In force by
    // refresh(). take_out(): what is not there stays so; a group with members stays.
    Result<void> put(const std::string& group, const std::string& member,
                     const MemberOrigin& origin);
    void take_out(const std::string& group, const std::string& member);
    void refresh();

    // The groups of `client_groups`, by name. They are not in groups() or text().
    void set_file(std::vector<config::FileGroup> groups);
    [[nodiscard]] const std::vector<config::FileGroup>& file() const { return file_; }
    [[nodiscard]] bool has(std::string_view group) const {
        return groups_.contains(group) || is_of_file(group);
    }
    // The group that a person means: its name, also in another case (ASCII) if only one has it.
    [[nodiscard]] std::optional<std::string> named(std::string_view written) const;
    // The same; what names no group stays.
    [[nodiscard]] std::string known_or(std::string_view written) const {
        return named(written).value_or(std::string(written));
    }
    [[nodiscard]] bool is_of_file(std::string_view group) const {
        return file_group(group) != nullptr;
    }

    // Error: there is no such group. The text names some that exist.
    [[nodiscard]] Result<void> check(std::string_view group) const;
    [[nodiscard]] const std::map<std::string, GroupMembers, std::less<>>& groups() const {
        return groups_;
    }
    // For workers. devices(): nullptr if there is no such group.
    [[nodiscard]] std::shared_ptr<const DeviceGroup> devices(std::string_view group) const;
    [[nodiscard]] std::unique_ptr<const DeviceGroups> all_devices() const;

    // The text of the file. read(): what cannot be read is left out and counted.
    [[nodiscard]] std::string text() const;
    static GroupBook read(const boost::json::object& file, std::size_t& left_out);

  private:
    using Groups = std::map<std::string, GroupMembers, std::less<>>;
    [[nodiscard]] const config::FileGroup* file_group(std::string_view group) const;
    // Error: people made no such group.
    [[nodiscard]] Result<Groups::iterator> of_people(const std::string& group);
    // After a change of the group, or of all.
    void make_devices(const std::string& group);
    void make_devices();

    Groups groups_;
    std::vector<config::FileGroup> file_;
    std::map<std::string, std::shared_ptr<const DeviceGroup>, std::less<>> devices_;  // of both
    std::set<std::string> stale_;  // groups that refresh() makes again
    std::size_t members_ = 0;      // of all groups
};

}  // namespace steer::clients
