// The state of an upstream that `streams` queries: all threads write it, any thread may read it. A
// change between good and bad is logged once, not each failure.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace steer::stream {

struct UpstreamReport {
    unsigned connections = 0;
    std::string address;    // address of the last connection; empty: none
    std::string transport;  // of that connection: "tls"; empty: none
    std::string error;      // why it is unreachable; empty: no known error
    std::chrono::steady_clock::time_point failed_at{};  // last time of `error`
    // Its last certificate; 0: none.
    std::int64_t certificate_ends_s = 0;  // since 1970, UTC
    std::string certificate_subject;
};

class UpstreamState {
  public:
    using Log = std::function<void(const std::string& sentence)>;  // from any thread

    UpstreamState(std::string name, Log log) : name_(std::move(name)), log_(std::move(log)) {}

    // `address`: UpstreamTarget::text_of().
    void works(const std::string& address) {
        const std::lock_guard lock(mutex_);
        report_.address = address;
        if (std::exchange(report_.error, {}).empty()) return;
        log_("upstream " + name_ + " can be asked again, at " + report_.address);
    }
    void fails(const std::string& why) {
        const std::lock_guard lock(mutex_);
        const bool is_new = report_.error.empty();
        report_.error = why;
        report_.failed_at = std::chrono::steady_clock::now();
        if (is_new) log_("upstream " + name_ + " cannot be asked: " + why);
    }
    void uses(std::string_view transport) {
        const std::lock_guard lock(mutex_);
        report_.transport = transport;
    }
    // It is asked over another transport from now on. Logged.
    void switches_to(std::string_view transport, const std::string& why) {
        log_("upstream " + name_ + " is asked over " + std::string(transport) + ": " + why);
    }
    void shows_certificate(const std::string& subject, std::int64_t ends_s) {
        const std::lock_guard lock(mutex_);
        report_.certificate_subject = subject;
        report_.certificate_ends_s = ends_s;
    }
    void add_connections(int n) {
        const std::lock_guard lock(mutex_);
        report_.connections += static_cast<unsigned>(n);
    }
    [[nodiscard]] UpstreamReport report() const {
        const std::lock_guard lock(mutex_);
        return report_;
    }

  private:
    const std::string name_;
    const Log log_;
    mutable std::mutex mutex_;
    UpstreamReport report_;
};

}  // namespace steer::stream
