// Sessions of people who signed in to the page, and links that sign in once.
//
// A session is known by a random text of 256 bits in a cookie; a link by one in its fragment. Only
// SHA-256 hashes of them are kept, in memory: a restart ends all. The caller gives the time, from a
// clock that a suspended machine does not stop.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::ops {

inline constexpr std::uint64_t kSessionHours = 12, kSessionMs = kSessionHours * 3'600'000;
inline constexpr std::uint64_t kLinkMs = 600'000;
// Maximum at a time; a further session ends the one that was unused for the longest time, a further
// link the oldest one.
inline constexpr std::size_t kMostSessions = 64, kMostLinks = 8;

// 43 characters for URLs and cookies; empty: the system gives no random numbers.
std::string new_session_secret();

struct PageSession {
    using Digest = std::array<unsigned char, 32>;
    Digest digest{};
    std::uint64_t number = 0;  // unique, for people: "session 3"
    IpAddress from{};          // where it began
    std::string_view by;       // "password", "link"; static
    std::uint64_t began_ms = 0, used_ms = 0;
};

class Sessions {
  public:
    // The secret of a new session; empty: no random numbers.
    std::string begin(const IpAddress& from, std::string_view by, std::uint64_t now_ms);
    // The session of a secret, which counts as used; nullptr: none.
    const PageSession* use(std::string_view secret, std::uint64_t now_ms);
    [[nodiscard]] bool has(std::uint64_t number, std::uint64_t now_ms) const;
    // False: there was none.
    bool end(std::uint64_t number);
    // Ends all but this one (0: all), and all links. Returns how many sessions.
    std::size_t end_others(std::uint64_t number);
    // Those that are valid, the newest first.
    [[nodiscard]] std::vector<PageSession> list(std::uint64_t now_ms) const;

    // The secret of a new link; empty: no random numbers.
    std::string new_link(std::uint64_t now_ms);
    // Whether the link was valid. It is used by this.
    bool take_link(std::string_view secret, std::uint64_t now_ms);

  private:
    struct Link {
        PageSession::Digest digest{};
        std::uint64_t began_ms = 0;
    };
    void forget_old(std::uint64_t now_ms);

    std::vector<PageSession> sessions_;
    std::vector<Link> links_;
    std::uint64_t last_ = 0;  // number
};

}  // namespace steer::ops
