// Names that learn_domains hand over, collected to batches of rules for their dynamic_domain_sets.
//
// A flood of new names is bounded: kMostWaiting of them wait for each learn_domain, others are dropped and counted. One
// batch is under way at a time, of one learn_domain after the other; it has kMostAtOnce names at most, and no more than
// its set writes at once (batch_size). It begins kEveryMs after the end of the one before at the earliest; a tenth of the
// time is spent on batches at most.
//
// Each batch ends with a reload, which reads the whole configuration. So none begins while a file of it differs from
// what is in force: a query of a client must not put in force what an operator has half written.
//
// Every name that was handed over waits, is in the batch under way, or is counted once: added, unchanged, refused or
// dropped. On the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/ops/metrics.h"

namespace steer::rules {

class Learner {
  public:
    static constexpr std::size_t kMostWaiting = 1024, kMostAtOnce = 256;
    static constexpr std::uint64_t kEveryMs = 10'000;
    static constexpr std::uint64_t kHeldEveryMs = 1'000;  // files are looked at, while they differ

    struct Batch {
        std::string set;                 // the tag of a dynamic_domain_set
        std::vector<std::string> rules;  // "full:www.example"
        std::size_t max_names;           // rules that the set may have with these
    };
    // What became of the rules of a batch.
    struct Learned {
        std::uint64_t added = 0;
        std::uint64_t unchanged = 0;  // the set has them
        std::uint64_t refused =
            0;  // the set is full, its file cannot be written, or a name cannot be a rule
        bool is_full = false;
        std::vector<std::string> later = {};  // for these the set's queue has no room now
    };
    // Calls `done` once, when the rules are in force or refused; not from within itself.
    using Add = std::function<void(Batch, std::function<void(const Learned&)> done)>;
    // Whether a reload would read but rule files anew.
    using MayReload = std::function<bool()>;

    Learner(Add add, MayReload may_reload)
        : add_(std::move(add)), may_reload_(std::move(may_reload)) {}

    // The configuration in force. What waits for another set or as another kind of rule than now is dropped.
    void follow(const config::Settings& settings);
    // A name that the learn_domain `tag` handed over, in presentation form.
    void take(const std::string& tag, const std::string& name);
    // A name of a configuration that is gone.
    void take_lost() { ++lost_; }
    // Begins the batch that is due.
    void look(std::uint64_t now_ms);

    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Source {
        std::string set;
        config::LearnDomain settings;
        std::size_t most = kMostAtOnce;  // rules of a batch
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
    bool is_under_way_ = false, is_held_ = false;
    std::uint64_t now_ms_ = 0;  // of the last look
    std::uint64_t begun_ms_ = 0, next_ms_ = 0;
    std::uint64_t lost_ = 0;
    std::string last_;                          // the tag whose batch was the last
    std::map<std::string, SourcePtr> sources_;  // by tag
};

}  // namespace steer::rules
