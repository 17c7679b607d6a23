// The control socket's methods about groups of devices: `clients.groups`, `clients.group_add`,
// `clients.group_remove`.
//
//   clients.groups    {"groups": [{"group", "members": [{"client", "name", "at", "who"}]}], "most",
//                      "most_members", "file"}
//   clients.group_add {"group", "clients": [ADDRESS, PREFIX, MAC or name...]}
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
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/config/settings.h"
#include "control/host/process/published.h"
#include "control/host/process/side_thread.h"
#include "control/host/process/state_keeper.h"
#include "control/part.h"
#include "control/sources/clients/client_groups.h"
#include "control/sources/clients/client_names.h"
#include "control/sources/clients/shared_clients.h"

namespace steer::clients {

class GroupService {
  public:
    // Empty: what they would keep is not kept over a restart.
    struct Files {
        std::string groups;  // those of people
        std::string feed;    // the last good text of Redis
    };
    // Reads the file of the groups. `live`: the table that workers read. `names`: called for each
    // request. `now_s`: Unix time.
    GroupService(boost::asio::io_context& main_io, rte_rcu_qsbr* qsbr,
                 std::shared_ptr<LiveGroups> live, Files files,
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
    // Reads `client_groups`: a file, or the last good text of a key in Redis.
    void follow(Named named, const config::Control& control);
    // What Redis has for the key: a new text, which is checked on another thread; or why it is not
    // known. The last good text stays in force until a better one.
    void take_feed(const std::string& key, std::optional<std::string> text, std::string problem);
    // The groups as the boxes of a fleet share them.
    [[nodiscard]] shared::Entries& shared() { return shared_; }
    // Puts what other boxes changed in force; frees tables that no worker reads any more.
    void poll();

  private:
    [[nodiscard]] ops::RpcResult list(const ops::Arguments& asked) const;
    std::optional<ops::Cursor> fill(boost::json::array& groups,
                                    const std::optional<ops::Cursor>& after) const;
    void add(const ops::Arguments& asked, const ops::RpcDone& done);
    void remove(const ops::Arguments& asked, const ops::RpcDone& done);
    // Why people need the group; empty: it may be removed.
    [[nodiscard]] std::string use_of(const std::string& group) const;
    Result<void> take(const std::string& group, const std::string& member,
                      const std::optional<MemberOrigin>& origin);
    void publish();
    void set_of_file(const std::vector<config::FileGroup>& groups);
    // Begins with the text of the last run.
    void begin_feed();
    void judge_feed(std::string text);
    void changed(const std::string& group, const std::vector<std::string>& clients,
                 const ops::RpcDone& done);

    // A key of Redis that `client_groups` names.
    struct Feed {
        std::string key;      // empty: none
        std::string problem;  // why its text is not known; empty: it is
        std::int64_t problem_since_s = 0;
        std::string wrong;  // why its last text is not in force; empty: it is
        std::int64_t wrong_since_s = 0;
        std::string unkept;        // why the file lacks the text; empty: it has it
        std::int64_t good_s = 0;   // when the text in force was taken; 0: in an earlier run
        std::uint64_t number = 0;  // of the key; answers for an earlier one are dropped
    };

    const std::string feed_file_;
    const std::function<const GivenNames&()> names_;
    const std::function<std::int64_t()> now_s_;
    GroupBook book_;
    SharedGroups shared_;
    bool has_taken_ = false;           // of other boxes, since the last poll
    std::set<std::string> to_remove_;  // groups that go with their last member
    Rules rules_;
    Named named_;
    std::shared_ptr<LiveGroups> live_;  // outlives `table_`
    Published<DeviceGroups> table_;
    Feed feed_;
    StateKeeper keeper_;
    SideThread aside_;  // reads texts of Redis
};

}  // namespace steer::clients
