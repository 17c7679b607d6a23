// Signing in to the page: by the password, or by a link that is valid once.
//
// A thread of its own hashes, one password after the other, with a lower priority than threads that
// answer queries; at most kMostWaiting wait for it, and as many of loopback. All else runs on the
// main thread and does not wait.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "control/api/login/login_limits.h"
#include "control/api/login/sessions.h"
#include "control/host/process/side_thread.h"
#include "dataplane/base/clock.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::ops {

inline constexpr unsigned kMostWaiting = 4;

class Login {
  public:
    enum class End : std::uint8_t { good, wrong, no_password, too_many, busy };
    struct Outcome {
        End end = End::wrong;
        std::string secret{};      // of the new session, if `good`
        std::uint64_t number = 0;  // of the new session
    };

    // `io` and `clock` outlive this object.
    Login(boost::asio::io_context& io, Clock& clock);

    // Reads the password's file. Error: it cannot be used, and no password is right. Blocks.
    Result<void> load(const std::string& folder);
    // Whether a password is set.
    [[nodiscard]] bool has_password() const { return !hash_.empty(); }

    // Calls `done` later, or at once.
    void try_password(const IpAddress& client, std::string password,
                      std::function<void(const Outcome&)> done);
    Outcome try_link(const IpAddress& client, std::string_view secret);
    // Hashes, writes the file, and ends all sessions but `session` (0: all).
    void set_password(std::string password, std::uint64_t session,
                      std::function<void(Result<void>)> done);

    [[nodiscard]] Sessions& sessions() { return sessions_; }
    [[nodiscard]] std::uint64_t now_ms() const { return clock_.now().ms; }
    // Seconds until the address may try again.
    [[nodiscard]] std::uint64_t wait_s(const IpAddress& client) const {
        return limits_.wait_s(client, now_ms());
    }

  private:
    Clock& clock_;
    std::string folder_, hash_;
    Sessions sessions_;
    LoginLimits limits_;
    unsigned waiting_ = 0, waiting_of_loopback_ = 0;
    SideThread aside_;  // the last member: its work ends first
};

}  // namespace steer::ops
