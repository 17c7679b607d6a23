// Reload: applies a new configuration while serving.
//
// The reloader builds it on another thread (control/program/reload/reloader.h). All checks precede
// the first change. Then, in this order: parts prepare for it; when its upstreams are reachable,
// its snapshot is published; parts follow it. Settings that only a start can apply keep their value
// and are reported.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/file_watch.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/program/reload/reloader.h"
#include "control/program/reload/start_source.h"
#include "control/runtime/dpdk_part.h"
#include "control/runtime/network_part.h"
#include "control/runtime/workers_part.h"

namespace steer {

// A parameter of methods that reload.
inline constexpr ops::Parameter kAnySize{
    "any_size", ops::ParamType::flag,
    "true: accept lists that lost more rules than max_shrink allows"};

// For services that must know whether their change is in use. `InForce`: {generation, the reason if
// it is not in use}.
template <class InForce>
Reloader::Done in_force_of(std::function<void(InForce)> done) {
    return [done = std::move(done)](const ReloadOutcome& outcome) {
        done({outcome.generation, outcome.errors.empty() ? "" : outcome.errors.front().sentence()});
    };
}

class ReloadPart final : public Part {
  public:
    static constexpr std::string_view kName = "reload";
    using Needs = steer::Needs<MainLoop, StartSettings, StartSource, Configuration, Events,
                               DpdkPart, WorkersPart, NetworkPart>;
    explicit ReloadPart(const Needs& needs);

    void add_methods(ops::Methods& methods) override;
    void serve() override;
    void poll() override;
    void add_status(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void end() override { reloader_->end(); }
    [[nodiscard]] bool has_background_work() const override { return true; }

    // Each request gets its result. `any_size`: accepts lists that lost more rules than allowed.
    void request(const std::string& why, Reloader::Done done = {}, bool any_size = false);
    // The same for changes that clients' queries cause. Does not repeat the warnings of the last
    // reload.
    void request_by_queries(const std::string& why, Reloader::Done done);
    // If one of these functions returns true for a changed file, the change needs no reload.
    using Ignored = std::function<bool(const std::string& file)>;
    void ignore(Ignored ignored) { ignored_.push_back(std::move(ignored)); }

    // The hash of the present configuration, in hexadecimal.
    [[nodiscard]] const std::string& configuration_hash() const { return hash_text_; }

  private:
    Reloader::Done noting(const std::string& why, bool by_queries, Reloader::Done done);
    void note(const std::string& why, bool by_queries, const ReloadOutcome& outcome);
    void note_in_force(std::uint64_t text_hash);
    void await_hangup();
    void watch_files();
    void files_changed(const std::vector<std::string>& files);
    [[nodiscard]] bool has_same_servers(const std::string& file) const;
    // Adds a warning about what needs a restart.
    [[nodiscard]] std::vector<Error> refusals(Candidate& candidate) const;
    void take(std::unique_ptr<Candidate> candidate);
    void let_parts_read(Candidate& candidate, bool is_refused);
    void publish_candidate();
    void put_in_force(Candidate& candidate, std::uint32_t generation);
    void retire_earlier();

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    const DpdkPart& dpdk_;
    WorkersPart& workers_;
    NetworkPart& network_;
    const Parts& parts_;
    std::vector<Ignored> ignored_;
    std::unique_ptr<FileWatch> watch_;
    std::unique_ptr<Candidate>
        candidate_;  // waits until its upstreams are reachable and a generation has ended
    std::uint64_t candidate_since_ms_ = 0;
    bool has_earlier_ = false;  // a snapshot before the present one may exist
    std::uint64_t done_ = 0, refused_ = 0;
    std::uint64_t at_ms_ = 0;      // time of the last finished reload; 0: none yet
    std::int64_t in_force_s_ = 0;  // since 1970: start of the present configuration
    std::uint64_t text_hash_ = 0;  // of the present configuration
    std::string hash_text_;
    std::string error_;  // why the last one was rejected; empty: it was accepted
    // The last logged reload, and its reason.
    std::pair<std::uint64_t, std::string> noted_;
    std::set<std::string> warned_;  // warnings of the last reload
    std::unique_ptr<Reloader> reloader_;
};

}  // namespace steer
