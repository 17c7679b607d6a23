// The last sentences to a router with its replies, and the last errors, for the operator.
//
// Text is as on the wire, without secrets (`***`) and cut at kTraceBytes. Always on: one string per
// sentence. The owner gives the time.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steer::routeros {

using Tag = std::uint32_t;
struct Ending;
class Transcript;

inline constexpr std::size_t kTracedSentences = 512, kTracedErrors = 200;
inline constexpr std::size_t kTraceBytes = 400;

struct TracedSentence {
    std::uint64_t serial = 0;  // 1 is the router's first since the start
    std::uint64_t sent_ms = 0;
    std::uint64_t ended_ms = 0;  // 0: not yet
    Tag tag = 0;
    std::uint32_t rows = 0;  // of the reply
    std::string words;
    std::string reply{};  // "done", "done ret=*1D", or the trap's message
};

struct TracedError {
    std::uint64_t at_ms = 0;
    std::string text;
};

class Trace {
  public:
    // `now_ms` must outlive this object.
    explicit Trace(const std::uint64_t& now_ms) : now_ms_(now_ms) {}

    // `encoded`: words with their length prefixes.
    void sent(Tag tag, std::string_view encoded);
    // A complete reply.
    void received(Tag tag, std::span<const std::string_view> words);
    void row(Tag tag);
    void ended(Tag tag, const Ending& ending);
    // The session is over: unfinished entries get this end.
    void lost(std::string_view why);
    void error(std::string_view text);
    // Also sends replies there; traps in reply to its sentences are not errors. `transcript` must
    // outlive this object.
    void copy_to(Transcript& transcript) { transcript_ = &transcript; }

    // The entries after `serial`, oldest first.
    [[nodiscard]] std::vector<TracedSentence> since(std::uint64_t serial) const;
    [[nodiscard]] const std::deque<TracedError>& errors() const { return errors_; }

  private:
    [[nodiscard]] TracedSentence* find(Tag tag);

    const std::uint64_t& now_ms_;
    Transcript* transcript_ = nullptr;
    std::uint64_t serial_ = 0;
    std::deque<TracedSentence> sentences_;
    std::deque<TracedError> errors_;
};

}  // namespace steer::routeros
