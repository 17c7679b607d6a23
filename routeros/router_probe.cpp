// The probe of a RouterOS version's undocumented behaviour: when it runs, and its result.
#include <algorithm>

#include "routeros/router.h"

namespace steer::routeros {

namespace {

constexpr unsigned kMaxProbes = 3;  // automatic probes of a version
constexpr std::uint64_t kTryAgainMs =
    60'000;  // and a start waits this long for a moment without writes
constexpr std::uint64_t kRemoveAgainMs = 1'800'000;
constexpr std::uint64_t kProbeLimitMs = 180'000;  // then no reply is expected any more
constexpr std::uint64_t kLongestRestMs = 5'000;

}  // namespace

std::string_view label(ProbeState state) {
    switch (state) {
#define STEER_PROBE_STATE_LABEL(name, text, meaning) \
    case ProbeState::name:                           \
        return text;
        STEER_PROBE_STATES(STEER_PROBE_STATE_LABEL)
#undef STEER_PROBE_STATE_LABEL
    }
    return {};
}

void Router::probe(std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (probing_ && probing_->questions) return;
    probe_asked_ = true;
    probed_ = {};
    probed_.state = ProbeState::waiting;
    run();
}

ProbeView Router::probed() const {
    ProbeView view = probed_;
    if (probing_ && probing_->questions) view.findings = probing_->probe.findings();
    if (view.state != ProbeState::waiting) view.transcript = transcript_.text();
    return view;
}

const Findings* Router::findings() const {
    const auto here = findings_.find(version_);
    return here != findings_.end() ? &here->second : sink_.findings(version_);
}

// No answer waits, and no print runs.
bool Router::may_probe() const {
    return writes() && now_ >= denied_until_ms_ && !writer_.has_held() && !prints_running();
}

// Enough probes of this version failed.
bool Router::is_tired() const {
    return tries_ >= kMaxProbes && tried_version_ == version_;
}

bool Router::wants_probe() const {
    if (probe_asked_ || probe_left_rows_) return true;
    return config_.probe && !version_.empty() && !is_tired() && findings() == nullptr;
}

std::uint64_t Router::probe_deadline() const {
    if (!may_probe()) return probing_ ? probing_->limit_ms : UINT64_MAX;
    if (probing_) {
        return std::min(probing_->limit_ms,
                        std::max(probing_->probe.ready_ms(), probing_->rest_until_ms));
    }
    if (!wants_probe()) return UINT64_MAX;
    const bool quiet = probe_asked_ || writer_.places() == 0;
    const std::uint64_t soonest_ms = probe_asked_ ? 0 : probe_again_ms_;
    return quiet ? soonest_ms : std::max(soonest_ms, synced_ms_ + kTryAgainMs);
}

void Router::maybe_probe() {
    if (now_ < probe_deadline()) return;
    if (probing_ && now_ >= probing_->limit_ms) return drop_probe("it took too long");
    if (!probing_) begin_probe();
    if (now_ < probing_->rest_until_ms) return;
    Probe& probe = probing_->probe;
    if (const auto command = probe.next(now_)) {
        const bool reads = probe.reads();
        if (reads) writer_.set_measuring(false);
        const Tag tag = submit(*command, {reads ? JobKind::probe_read : JobKind::probe});
        transcript_.sent(tag, command->words(), now_);
    } else if (probe.finished()) {
        end_probe();
    }
}

void Router::begin_probe() {
    const bool known = findings() != nullptr || is_tired() || !config_.probe;
    const bool questions = probe_asked_ || !known;
    if (questions && !probe_asked_) {
        tries_ = tried_version_ == version_ ? tries_ + 1 : 1;
        tried_version_ = version_;
    }
    probe_asked_ = probe_left_rows_ = false;
    probing_.emplace(Probing{Probe{{questions, listening_[0]}}, version_, questions});
    probing_->limit_ms = now_ + kProbeLimitMs;
    if (!questions) return;
    probed_ = {};
    probed_.state = ProbeState::running;
    probed_.version = version_;
    transcript_.begin("SteerDNS's probe of RouterOS " + version_ + " on " +
                          (board_.empty() ? "a router" : board_) + ", transcript 1",
                      now_);
}

// It pauses as needed to stay within the share of routine writes.
void Router::on_probe_end(const Job& job, const Ending& ending) {
    set_measuring();
    if (!probing_) return;
    const auto took_ms = static_cast<double>(now_ - job.sent_ms);
    const double rest_ms = took_ms * (1 / std::clamp(config_.routine_share, 0.01, 1.0) - 1);
    probing_->rest_until_ms = now_ + std::min(static_cast<std::uint64_t>(rest_ms), kLongestRestMs);
    probing_->probe.ended(ending, now_);
}

void Router::end_probe() {
    const Probing done = std::move(*probing_);
    probing_.reset();
    probe_again_ms_ = now_ + kTryAgainMs;
    probe_left_rows_ = done.probe.leaves_rows();
    if (!done.questions) {
        if (probe_left_rows_) probe_again_ms_ = now_ + kRemoveAgainMs;
        return;
    }
    probed_.findings = done.probe.findings();
    probed_.error = done.probe.error();
    probed_.state = done.probe.complete() ? ProbeState::complete : ProbeState::incomplete;
    if (!done.probe.complete()) {
        if (tries_ <= 1)
            log_line(Level::info, who() + " did not answer all questions about RouterOS " +
                                      done.version + " (" + done.probe.error() +
                                      "): answers and writes go on");
        return;
    }
    findings_[done.version] = done.probe.findings();
    sink_.found(done.version, done.probe.findings());
    log_line(Level::info, who() + " was probed: how RouterOS " + done.version +
                              " behaves where its documentation is silent");
}

// Its rows expire by themselves. Rows without timeout are removed when possible.
void Router::drop_probe(std::string_view why) {
    if (!probing_) return;
    if (probing_->probe.leaves_rows()) probe_left_rows_ = true;
    if (probing_->questions) {
        probed_.findings = probing_->probe.findings();
        probed_.error = why;
        probed_.state = ProbeState::incomplete;
        transcript_.note(why);
    }
    probing_.reset();
    probe_again_ms_ = now_ + (probe_left_rows_ ? 0 : kTryAgainMs);
}

}  // namespace steer::routeros
