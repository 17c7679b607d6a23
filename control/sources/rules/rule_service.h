// The control socket's methods for dynamic_domain_sets: `rules`, `rules.list`, `rules.change`.
//
//   rules                              {"sets": [{"tag", "file", "rules", "max_entries"?, "learned"?, "waiting", "trouble"}]}
//   rules.list {"tag", "cursor"?}      {"tag", "file", "rules": [{"rule", "line", "learned_s"?}], "more"?, "cursor"?}
//   rules.change {"tag", "add": [RULE...], "remove": [RULE...]}
//                                      {"tag", "file", "added", "removed", "unchanged", "generation"}
//
// A change is answered when it is applied. Changes to a set are collected for its
// flush_interval_ms, or until there are batch_size of them; at most queue_size wait. A separate
// thread reads and writes files; everything else is on the main thread.
#pragma once

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/config/settings.h"
#include "control/host/process/side_thread.h"
#include "control/sources/rules/bounded_change.h"
#include "control/sources/rules/learner.h"
#include "control/sources/rules/rule_text.h"

namespace steer::rules {

struct FittingRules;

class RuleService {
  public:
    struct InForce {
        std::uint32_t generation = 0;
        std::string error;  // why it is not applied; empty: it is
    };
    // Reloads the configuration because of `why`. `by_queries`: no person requested it.
    using Reload = std::function<void(const std::string& why, bool by_queries,
                                      std::function<void(InForce)> done)>;
    using Generation = std::function<std::uint32_t()>;  // of the configuration in force

    // `may_learn`: whether a reload would read only changed rule files; if not, nothing is learned.
    RuleService(boost::asio::io_context& main_io, Reload reload, Generation generation,
                Learner::MayReload may_learn);
    ~RuleService();  // aborts running work; unanswered changes are not done, or not applied
    RuleService(const RuleService&) = delete;
    RuleService& operator=(const RuleService&) = delete;

    void add_methods(ops::Methods& methods);
    // Sets the present configuration. Creates missing files.
    void follow(const config::Settings& settings);
    // Whether a reported change of this file is our own; such a change causes a reload anyway.
    [[nodiscard]] bool is_own_change(const std::string& file);

    // A name from the learn_domain `tag`, in wire form.
    void learned(const std::string& tag, std::span<const std::uint8_t> name);
    // A name whose learn_domain no longer exists.
    void learned_by_nobody() { learner_.take_lost(); }
    // Writes learned names when due, and removes expired ones. Call it periodically.
    void poll(std::uint64_t now_ms);

    using WallClock = std::function<std::int64_t()>;  // ms since 1970
    void use_clock(WallClock clock) { wall_ms_ = std::move(clock); }

    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Request {
        std::string tag, file;
        ops::RpcDone done;        // empty: answered
        bool by_queries = false;  // no person requested it
        std::uint64_t added = 0, removed = 0, unchanged = 0, without_room = 0;
        std::size_t left = 0;         // not written yet
        std::string without_room_of;  // the set or queue without space, as a sentence
    };
    using RequestPtr = std::shared_ptr<Request>;
    struct Waiting {
        OwnedChange owned;
        RequestPtr request;
    };
    // The state of a file after we wrote it.
    struct Stamp {
        std::uint64_t device = 0, inode = 0, size = 0;
        std::int64_t s = 0, ns = 0;
        bool operator==(const Stamp&) const = default;
    };
    struct Set {
        explicit Set(boost::asio::io_context& main_io) : timer(main_io) {}
        config::RuleFile settings;
        std::deque<Waiting> waiting;
        boost::asio::steady_timer timer;
        bool wanted = true, collecting = false, writing = false;
        bool noticed = false;                     // the file changed while we were writing
        std::uint64_t written = 0, in_force = 0;  // versions
        Stamp stamp;
        std::string error;        // of the last write; empty: none
        std::string learn_error;  // of the last read for learned names
        std::size_t adding = 0;   // rules in the running write
        std::uint64_t added = 0, removed = 0, unchanged = 0, refused = 0;
        std::uint64_t expired = 0, displaced = 0;
        std::string age_error;   // of the last search for expired rules; empty: none
        bool searching = false;  // for expired rules
        std::uint64_t next_search_ms = 0;
    };
    using SetPtr = std::shared_ptr<Set>;
    struct Outcome;

    // nullptr: unknown; `done` got the error.
    [[nodiscard]] SetPtr find(const std::string& tag, const ops::RpcDone& done) const;
    void sets(const ops::RpcDone& done);
    void list(const ops::Arguments& asked, const ops::RpcDone& done);
    void change(const ops::Arguments& asked, const ops::RpcDone& done);
    void learn(Learner::Batch batch, std::function<void(const Learner::Learned&)> done);
    void learn_fitting(const SetPtr& set, FittingRules fitting, std::size_t max_names,
                       const std::function<void(const Learner::Learned&)>& done);
    [[nodiscard]] static std::size_t room_in(const Set& set);
    [[nodiscard]] static std::size_t rules_to_come(const Set& set);
    void take(const SetPtr& set, std::vector<RuleChange> changes, const ops::RpcDone& done,
              ChangedBy by = ChangedBy::person);
    void search_expired(const SetPtr& set);
    void remove_expired(const SetPtr& set, Result<std::vector<RuleChange>> expired);
    static std::string no_room_in(const Set& set);
    void collect(const SetPtr& set);
    void write(const SetPtr& set);
    void wrote(const SetPtr& set, const std::vector<Waiting>& batch, const Outcome& outcome);
    void put_in_force(const SetPtr& set, std::vector<RequestPtr> requests, bool by_queries);
    static void answer(const RequestPtr& request, std::uint32_t generation);
    static void refuse(const RequestPtr& request, const std::string& why);
    static Stamp stamp_of(const std::string& file);

    boost::asio::io_context& main_io_;
    const Reload reload_;
    const Generation generation_;
    const Learner::MayReload may_learn_;
    WallClock wall_ms_;
    std::uint64_t now_ms_ = 0;            // of the last poll()
    std::map<std::string, SetPtr> sets_;  // by tag
    Learner learner_;
    SideThread aside_;
};

}  // namespace steer::rules
