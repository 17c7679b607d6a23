// Collects the names from learn_domains into batches of rules for their dynamic_domain_sets.
//
// A flood of new names is bounded: kMaxWaiting of them wait for each learn_domain; others are
// dropped and counted. One batch runs at a time, for one learn_domain after the other. It has at
// most kMaxAtOnce names, and at most batch_size of its set. It begins at least kEveryMs after the
// end of the previous one. Batches use at most a tenth of the time.
//
// Each batch ends with a reload, which reads the whole configuration. So no batch begins while a
// configuration file differs from the present configuration: a client's query must not apply an
// operator's half-finished change.
//
// Every received name waits, is in the running batch, or is counted once as added, unchanged,
// refused or dropped. For the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/config/settings.h"

namespace steer::rules {

class Learner {
  public:
    static constexpr std::size_t kMaxWaiting = 1024, kMaxAtOnce = 256;
    static constexpr std::uint64_t kEveryMs = 10'000;
    static constexpr std::uint64_t kHeldEveryMs = 1'000;  // for file checks while they differ

    struct Batch {
        std::string set;                 // the tag of a dynamic_domain_set
        std::vector<std::string> rules;  // "full:www.example"
        std::size_t max_names;           // maximum rules of the set, including these
    };
    // The results of a batch's rules.
    struct Learned {
        std::uint64_t added = 0;
        std::uint64_t unchanged = 0;  // already in the set
        std::uint64_t refused =
            0;  // the set is full, its file cannot be written, or a name cannot be a rule
        bool is_full = false;
        std::size_t max_entries = 0;  // of the set, if this limit was reached; else max_names was
        std::vector<std::string> later = {};  // the set's queue is full for these now
    };
    // Calls `done` once, when the rules are applied or rejected; not before Add returns.
    using Add = std::function<void(Batch, std::function<void(const Learned&)> done)>;
    // Whether a reload would read only changed rule files.
    using MayReload = std::function<bool()>;

    Learner(Add add, MayReload may_reload)
        : add_(std::move(add)), may_reload_(std::move(may_reload)) {}

    // Sets the present configuration. Drops names that wait for another set or another kind of
    // rule.
    void follow(const config::Settings& settings);
    // A name from the learn_domain `tag`, in presentation form.
    void take(const std::string& tag, const std::string& name);
    // A name from an earlier configuration.
    void take_lost() { ++lost_; }
    // Begins a batch if one is due.
    void check(std::uint64_t now_ms);

    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Source {
        std::string set;
        config::LearnDomain settings;
        std::size_t most = kMaxAtOnce;  // rules of a batch
        bool wanted = true, is_full = false;
        std::set<std::string> waiting;  // rules
        std::uint64_t added = 0, unchanged = 0, refused = 0, dropped = 0;
    };
    using SourcePtr = std::shared_ptr<Source>;

    static void wait(Source& source, std::string rule);
    [[nodiscard]] SourcePtr next_source();
    [[nodiscard]] bool may_begin();
    void finish(Source& source, const std::string& tag, const Learned& learned);

    const Add add_;
    const MayReload may_reload_;
    bool is_in_progress_ = false, is_held_ = false;
    std::uint64_t now_ms_ = 0;  // of the last call
    std::uint64_t begun_ms_ = 0, next_ms_ = 0;
    std::uint64_t lost_ = 0;
    std::string last_;                          // the tag of the last batch
    std::map<std::string, SourcePtr> sources_;  // by tag
};

}  // namespace steer::rules
