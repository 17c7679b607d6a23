// The control socket's methods about rules that people add: `blocking.*`.
//
//   blocking.list                  {"file", "rules": [RULE...], "most"}
//   blocking.set {"name", "allow", "exact", "clients" or "group", "seconds", "note"}; `clients` may be
//                                  the name of a device or a group
//   blocking.pause {"seconds", "plugin", "list", "clients" or "group"}
//   blocking.suspend {"plugin", "list", "seconds", "note"}: a legal list; for admins
//   blocking.remove {"number" | "name", "clients" or "group"}
//                                  {"rules": the added or removed ones, "kept": whether the file has the change, "trouble"?}
//   blocking.export                {"text"}: an AdGuard list
//
// A change is in force for the next query. A separate thread writes the file; a change that could not
// be written stays in force until the end of the process, and the next one is tried again. Expired
// rules are removed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/api/rpc/shared_entries.h"
#include "control/host/process/published.h"
#include "control/host/process/state_keeper.h"
#include "control/part.h"
#include "control/sources/blocking/rule_book.h"
#include "control/sources/clients/client_finder.h"
#include "dataplane/base/clock.h"

namespace steer::blocking {

struct Times {
    std::function<std::int64_t()> wall_s;  // since 1970
    Clock& boot;
};

class BlockingService {
  public:
    // Removes cached answers for these names.
    using Flush = std::function<void(std::vector<matchers::Rule> names)>;

    // The clients or the group that a person means.
    using FindAudience = std::function<Result<clients::Audience>(std::string_view written)>;

    // Reads the file. Empty `file`: rules are off. `live`: the table that workers read. `groups`
    // outlives this object.
    BlockingService(boost::asio::io_context& main_io, Times times, rte_rcu_qsbr* qsbr,
                    std::shared_ptr<LiveRules> live, const clients::GroupBook& groups,
                    FindAudience find_audience, std::string file, Flush flush);
    ~BlockingService();
    BlockingService(const BlockingService&) = delete;
    BlockingService& operator=(const BlockingService&) = delete;

    void add_methods(ops::Methods& methods);
    // Sets the plugins that a pause may name: {tag, lists}; and whether rules are in force.
    struct Lists {
        std::string plugin;
        std::vector<std::string> lists, legal;  // all, and those that are legal
    };
    void follow(const std::string& file, std::vector<Lists> lists);
    // After a change of the groups.
    void follow_groups();
    // The rules as the boxes of a fleet share them. Suspensions of legal lists stay on their box.
    [[nodiscard]] shared::Entries& shared() { return shared_; }
    // A rule as `blocking.set` would add it, with the table of all rules that would then be in
    // force. Changes nothing.
    struct Trial {
        Rule rule;
        std::shared_ptr<const NameRules> rules;
        std::uint32_t now_s = 0;  // of CLOCK_BOOTTIME
        std::vector<Lists> lists;
    };
    [[nodiscard]] Result<Trial> trial(const ops::Arguments& asked) const;
    // The rules for a name as blocking.list has them, each with "decides": whether it is the one
    // that decides. With a client, only those for that client; `mac`: its MAC address, 0: not known.
    [[nodiscard]] boost::json::array about(std::string_view name,
                                           const std::optional<IpAddress>& client,
                                           std::uint64_t mac) const;
    // The number of the rule that decides about a name for a client; 0: none.
    [[nodiscard]] std::uint32_t deciding(std::string_view name, const IpAddress& client,
                                         std::uint64_t mac) const;
    // The numbers of the rules for a group.
    [[nodiscard]] std::vector<std::uint32_t> rules_for(std::string_view group) const;
    void poll();
    void write_metrics(ops::MetricWriter& writer) const;
    void add_problems(Problems& problems) const;

  private:
    class SharedRules final : public shared::Entries {
      public:
        explicit SharedRules(BlockingService& service) : service_(service) {}
        [[nodiscard]] std::string_view kind() const override { return "rules"; }
        [[nodiscard]] std::vector<shared::Entry> all() const override;
        [[nodiscard]] std::size_t count() const override;
        [[nodiscard]] std::string shown(const std::string& key) const override {
            return "the rule for " + name_of_shared(key);
        }
        [[nodiscard]] std::string value_of(const std::string& key) const override;
        Result<bool> take(const shared::Entry& entry, std::string_view box) override;
        void put_or_removed(const std::vector<Rule>& rules) const;
        void expired(const std::vector<Rule>& rules) const;
        [[nodiscard]] std::int64_t clock_ahead_s() const { return ahead_s(); }

      private:
        BlockingService& service_;
    };

    // Whether the lists of a pause are there and may be paused.
    [[nodiscard]] Result<void> check_lists(const Rule& rule) const;
    [[nodiscard]] Result<void> check_shared(const Rule& rule) const;
    Result<bool> take(const shared::Entry& entry, std::string_view box);
    void tell_taken(const std::string& line);
    [[nodiscard]] ops::RpcResult list(const ops::Arguments& asked) const;
    void set(const ops::Arguments& asked, const ops::RpcDone& done);
    void pause(const ops::Arguments& asked, const ops::RpcDone& done);
    void suspend(const ops::Arguments& asked, const ops::RpcDone& done);
    // Takes the parameters `clients` and `group`. Error: no client is meant.
    [[nodiscard]] Result<void> read_audience(const ops::Arguments& asked, Rule& rule) const;
    // Takes plugin and list from the parameters. False: `done` got the error.
    bool read_lists(const ops::Arguments& asked, const ops::RpcDone& done, Rule& rule) const;
    void remove(const ops::Arguments& asked, const ops::RpcDone& done);
    void add(Rule rule, const ops::Arguments& asked, const ops::RpcDone& done);
    // The rule with the clients, the end and the note of the request, checked.
    [[nodiscard]] Result<Rule> complete(Rule rule, const ops::Arguments& asked) const;
    // After a change of the book: publishes it, drops cached answers that only the removed rules
    // allowed, and writes the file.
    void changed(const std::vector<Rule>& removed, boost::json::array rules,
                 const ops::RpcDone& done);
    [[nodiscard]] RuleTime now() const;
    void publish();
    void keep(std::function<void(const std::string& problem)> then);
    [[nodiscard]] Result<void> check_on() const;
    [[nodiscard]] bool refuse_if_off(const ops::RpcDone& done) const;

    const Times times_;
    const Flush flush_;
    const clients::GroupBook& groups_;
    const FindAudience find_audience_;
    RuleBook book_;
    SharedRules shared_{*this};
    std::size_t logged_ = 0;           // log lines about them
    std::int64_t taken_s_ = -1;        // when they were put in force, by CLOCK_BOOTTIME
    bool has_taken_ = false;           // of other boxes, since the last poll
    std::vector<Rule> taken_;          // what they replaced
    std::set<std::uint32_t> dropped_;  // numbers of what they removed
    std::vector<Lists> lists_;
    std::shared_ptr<LiveRules> live_;  // outlives `table_`
    Published<NameRules> table_;
    std::uint64_t version_ = 0;
    StateKeeper keeper_;
};

}  // namespace steer::blocking
