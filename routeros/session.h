// One API session without its socket: bytes in, bytes out; replies are assigned by their `.tag`.
//
// Every command has a tag. So many may be in flight at once, and their replies may interleave. The
// `.tag` word may be at any position. `!trap` is kept until the following `!done`; `!empty` is
// skipped; `!fatal` and invalid bytes end the session. So does a reply larger than any router's
// (ReplyLimits), so that a peer cannot make the session's memory grow. Messages of the router are
// safe text (matchers/safe_text.h) from here on. Login is plain; it answers the challenge of
// routers before 6.43 (MD5) if `=ret=` is returned. feed() calls the handler, which must not call
// feed(), but may send commands.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/secret.h"
#include "routeros/commands.h"
#include "routeros/trace.h"
#include "routeros/wire.h"

namespace steer::routeros {

// Limits and retry pauses for users of a session.
inline constexpr std::uint64_t kConnectLimitMs = 15'000;  // the link has separate limits
inline constexpr std::uint64_t kLoginLimitMs = 10'000;
inline constexpr std::uint64_t kRetryMs = 1'000, kLongestBackoffMs = 60'000;
inline constexpr std::uint64_t kRefusedRetryMs = 30'000;  // password, rights
inline constexpr std::uint64_t kUnusableMs = 600'000;     // it sent too much data

// Values by name.
using Properties = std::map<std::string, std::string, std::less<>>;

// A row of a reply (`!re`): views into the session's buffer, valid during the call only.
class ReplyRow {
  public:
    explicit ReplyRow(std::span<const std::string_view> words) : words_(words) {}
    // The value of `=name=value`. The router omits properties without a value.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
    // Whether the value is `true` or `yes`.
    [[nodiscard]] bool is_true(std::string_view name) const;
    // All properties by name.
    [[nodiscard]] Properties all() const;

  private:
    std::span<const std::string_view> words_;
};

// The end of a command.
struct Ending {
    bool ok = true;
    std::string message{};  // of the trap, safe text
    int category = -1;      // of the trap, -1 if none was given
    std::string ret{};      // `=ret=` of `!done`

    [[nodiscard]] bool says(std::string_view part) const {
        return message.find(part) != message.npos;
    }
};

class SessionHandler {
  public:
    virtual ~SessionHandler() = default;
    virtual void on_login(const Ending& ending) = 0;
    virtual void on_row(Tag tag, const ReplyRow& row) = 0;
    virtual void on_end(Tag tag, const Ending& ending) = 0;
    // The session is over: the router's `!fatal`, or an error in its bytes. No further call
    // follows.
    virtual void on_broken(std::string_view reason) = 0;
};

// The limits of one command's reply. A listen has no end and no limit here.
struct ReplyLimits {
    std::uint64_t rows = 2'000'000;
    std::uint64_t bytes = std::uint64_t{512} << 20;
};

class Session {
  public:
    enum class Reply : std::uint8_t { ends, endless };

    // `trace`, if any, gets every sentence and its end.
    explicit Session(SessionHandler& handler, WireLimits limits = {}, Trace* trace = nullptr);

    // Begins the login; on_login() reports its end. Call it once per connection, before any other
    // function.
    void login(std::string_view name, std::string_view password);
    // Queues a command; its replies carry the tag.
    Tag send(const Command& command, Reply reply = Reply::ends);
    // Sets the limits for commands from now on.
    void limit_replies(ReplyLimits limits) { reply_limits_ = limits; }
    // Ends the session as invalid bytes do, because the router sends more than the user stores. May
    // be called from within feed().
    void refuse_more(std::string_view why);

    void feed(std::string_view bytes);
    // The bytes to send since the last call.
    [[nodiscard]] std::string take_output();

    // Commands without their `!done`, listens and the login included.
    [[nodiscard]] std::size_t outstanding() const { return waiting_.size(); }
    [[nodiscard]] bool broken() const { return broken_; }
    // Whether the session ended because the router sent too much.
    [[nodiscard]] bool flooded() const { return flooded_; }
    // Number of unknown sentences: of an unknown kind, or with an unknown or missing tag.
    [[nodiscard]] std::uint64_t unknown_sentences() const { return unknown_; }
    // The last unknown sentence, as safe text.
    [[nodiscard]] const std::string& last_unknown() const { return last_unknown_; }
    // For a new connection: resets everything except the tag counter.
    void reset();

  private:
    enum class Kind : std::uint8_t { command, plain_login, challenge_login };
    struct Waiting {
        Kind kind;
        bool is_limited;
        Ending ending{};
        std::uint64_t rows = 0, bytes = 0;  // of its reply
    };
    void handle(std::span<const std::string_view> words);
    void finish(Tag tag, std::span<const std::string_view> words);
    void answer_challenge(std::string_view hex);
    void break_off(std::string_view reason);
    void note_unknown(std::span<const std::string_view> words);
    [[nodiscard]] bool is_within_limits(Waiting& waiting, std::span<const std::string_view> words);
    Tag queue(const Command& command, Kind kind, Reply reply = Reply::ends);

    SessionHandler& handler_;
    Trace* trace_;
    Decoder decoder_;
    std::string output_;
    boost::unordered_flat_map<Tag, Waiting> waiting_;
    std::string name_;  // with the password: until the login has ended
    Secret password_;
    Tag next_tag_ = 1;
    ReplyLimits reply_limits_;
    std::uint64_t unknown_ = 0;
    std::string last_unknown_;
    bool broken_ = false, flooded_ = false;
};

// The `=response=` of a challenge login: "00" + hex(MD5(0x00 + password + challenge)).
std::string challenge_response(std::string_view password, std::string_view challenge);

}  // namespace steer::routeros
