// The control socket's methods about groups of devices: `clients.groups`, `clients.group_add`,
// `clients.group_remove`.
//
//   clients.groups    {"groups": [{"group", "members": [{"client", "name", "at", "who"}]}], "most",
//                      "most_members", "file"}
//   clients.group_add {"group", "clients": [ADDRESS, PREFIX, MAC or given name...]}
//   clients.group_remove {"group", "clients"}: these members, or without `clients` the group
//                     {"group", "clients", "kept": whether the file has the change, "trouble"?}
//
// A change is in force at once. A separate thread writes the file; a change that could not be
// written stays in force until the end of the process. A group with rules, or
// that the configuration names, cannot be removed. All on the main thread, except writing the file.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/host/process/published.h"
#include "control/host/process/side_thread.h"
#include "control/part.h"
#include "control/sources/clients/client_groups.h"
#include "control/sources/clients/client_names.h"

namespace steer::clients {

class GroupService {
  public:
    // Reads the file. Empty `file`: groups are not kept over a restart. `live`: the table that
    // workers read. `names`: called for each request. `now_s`: Unix time.
    GroupService(boost::asio::io_context& main_io, rte_rcu_qsbr* qsbr,
                 std::shared_ptr<LiveGroups> live, std::string file,
                 std::function<const GivenNames&()> names, std::function<std::int64_t()> now_s);

    void add_methods(ops::Methods& methods);
    void write_metrics(ops::MetricWriter& writer) const;
    void add_problems(Problems& problems) const;

    [[nodiscard]] const GroupBook& book() const { return book_; }
    // What rules do with groups: they follow each change, and say which rules are for a group.
    struct Rules {
        std::function<void()> on_change;
        std::function<std::vector<std::uint32_t>(std::string_view group)> numbers_for;
    };
    void set_rules(Rules rules) { rules_ = std::move(rules); }
    // The groups that the configuration names, each with one of the matchers that do
    // ("client_group 'kids'").
    using Named = std::map<std::string, std::string, std::less<>>;
    // `of_file`: those of `client_groups`.
    void follow(Named named, const std::vector<config::FileGroup>& of_file);
    // Frees tables that no worker reads any more.
    void poll() { table_.poll(); }

  private:
    [[nodiscard]] ops::RpcResult list() const;
    void add(const ops::Arguments& asked, const ops::RpcDone& done);
    void remove(const ops::Arguments& asked, const ops::RpcDone& done);
    [[nodiscard]] Result<std::string> member(const std::string& written) const;
    // Of the parameter `clients`.
    [[nodiscard]] Result<std::vector<std::string>> members(const ops::Arguments& asked) const;
    void publish();
    void changed(const std::string& group, const std::vector<std::string>& clients,
                 const ops::RpcDone& done);

    const std::string file_;
    const std::function<const GivenNames&()> names_;
    const std::function<std::int64_t()> now_s_;
    GroupBook book_;
    Rules rules_;
    Named named_;
    std::shared_ptr<LiveGroups> live_;  // outlives `table_`
    Published<DeviceGroups> table_;
    std::string problem_;  // why the file lacks changes; empty: it has all
    std::size_t left_out_ = 0;
    SideThread aside_;
};

}  // namespace steer::clients
