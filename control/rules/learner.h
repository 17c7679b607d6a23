// Names that learn_domains hand over, collected to batches of rules for their dynamic_domain_sets.
//
// A flood of new names is bounded: kMostWaiting of them wait for each learn_domain, others are dropped and counted. A batch
// has kMostAtOnce of them at most and begins a second after the one before at the earliest; a tenth of the time is spent on
// batches at most, because each ends with a reload. On the main thread.
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
    static constexpr std::uint64_t kEveryMs = 1'000;

    struct Batch {
        std::string set;                 // the tag of a dynamic_domain_set
        std::vector<std::string> rules;  // "full:www.example"
        std::size_t max_names;           // rules that the set may have with these
    };
    // What became of the rules of a batch.
    struct Learned {
        std::uint64_t added = 0, unchanged = 0;
        std::uint64_t refused =
            0;  // the set is full, its file cannot be written, or a name cannot be a rule
        bool is_full = false;
    };
    // Calls `done` once, when the rules are in force or refused; not from within itself.
    using Add = std::function<void(Batch, std::function<void(const Learned&)> done)>;

    explicit Learner(Add add) : add_(std::move(add)) {}

    // The configuration in force.
    void follow(const config::Settings& settings);
    // A name that the learn_domain `tag` handed over, in presentation form.
    void take(const std::string& tag, const std::string& name);
    // Begins batches that are due.
    void look(std::uint64_t now_ms);

    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Source {
        std::string set;
        config::LearnDomain settings;
        bool wanted = true;
        std::set<std::string> waiting;  // rules
        bool is_under_way = false, is_full = false;
        std::uint64_t begun_ms = 0, next_ms = 0;
        std::uint64_t added = 0, unchanged = 0, refused = 0, dropped = 0;
    };
    void finish(Source& source, const std::string& tag, const Learned& learned);

    const Add add_;
    std::uint64_t now_ms_ = 0;                                // of the last look
    std::map<std::string, std::shared_ptr<Source>> sources_;  // by tag
};

}  // namespace steer::rules
