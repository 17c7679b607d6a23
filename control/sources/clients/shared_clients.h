// Names of clients and groups of devices as the boxes of a fleet share them (shared_entries.h).
//
//   kind `names`    key: a MAC address or an address; value: {"name", "at", "who"}
//   kind `groups`   key: [GROUP, MEMBER]; value: {"at", "who"}; with an empty MEMBER: {}, the group
//                   itself, so that it can be empty
//
// Pure, except for the functions that they get. All on the main thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/rpc/shared_entries.h"
#include "control/sources/clients/client_groups.h"
#include "control/sources/clients/client_names.h"

namespace steer::clients {

class SharedNames final : public shared::Entries {
  public:
    // `take`: puts or removes a name; no value: it is removed.
    using Take = std::function<Result<void>(const std::string& key, std::optional<GivenName> name)>;
    SharedNames(const GivenNames& given, Take take) : given_(given), take_(std::move(take)) {}

    [[nodiscard]] std::string_view kind() const override { return "names"; }
    [[nodiscard]] std::vector<shared::Entry> all() const override;
    [[nodiscard]] std::size_t count() const override { return given_.size(); }
    [[nodiscard]] std::string shown(const std::string& key) const override;
    [[nodiscard]] std::string value_of(const std::string& key) const override;
    Result<bool> take(const shared::Entry& entry, std::string_view box) override;
    void changed(const std::string& key) const { Entries::changed(key); }

  private:
    const GivenNames& given_;
    const Take take_;
};

class SharedGroups final : public shared::Entries {
  public:
    // `take`: puts or removes a member; without a member, the group; no origin: it is removed.
    using Take = std::function<Result<void>(const std::string& group, const std::string& member,
                                            const std::optional<MemberOrigin>& origin)>;
    SharedGroups(const GroupBook& book, Take take) : book_(book), take_(std::move(take)) {}

    [[nodiscard]] std::string_view kind() const override { return "groups"; }
    [[nodiscard]] std::vector<shared::Entry> all() const override;
    [[nodiscard]] std::size_t count() const override;
    [[nodiscard]] std::string shown(const std::string& key) const override;
    [[nodiscard]] std::string value_of(const std::string& key) const override;
    Result<bool> take(const shared::Entry& entry, std::string_view box) override;
    void changed(const std::string& group, const std::string& member) const;

  private:
    const GroupBook& book_;
    const Take take_;
};

}  // namespace steer::clients
