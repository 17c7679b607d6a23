// A RouterOS version's undocumented behaviour: the answers of a probe (probe.h).
//
// An answer is a word for programs; `text` is the router's reply, for readers. Both are stored on
// disk under their labels, so a label must never change its meaning.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace steer::routeros {

//  name                  label                 question
#define STEER_PROBE_QUESTIONS(X)                                                       \
    X(static_timeout, "static-timeout", "set timeout on a row without one")            \
    X(set_missing, "set-missing-id", "set of three ids, the second one missing")       \
    X(remove_missing, "remove-missing-id", "remove of such ids")                       \
    X(zero_timeout, "zero-timeout", "add with timeout=0s")                             \
    X(listen_expiry, "listen-expiry", "listen when a row's time is over")              \
    X(execute, "execute-as-string", "/execute with as-string")                         \
    X(long_timeout, "long-timeout", "a timeout above 35w3d13h13m56s in the IPv4 menu") \
    X(long_timeout6, "long-timeout-ipv6", "a timeout above it in the IPv6 menu")       \
    X(missing_list, "missing-list", "add without list")                                \
    X(duplicate, "duplicate", "add of an existing list and address")
enum class Question : std::uint8_t {
#define STEER_PROBE_QUESTION_ENUM(name, label, text) name,
    STEER_PROBE_QUESTIONS(STEER_PROBE_QUESTION_ENUM)
#undef STEER_PROBE_QUESTION_ENUM
        count_
};
inline constexpr std::size_t kQuestions = static_cast<std::size_t>(Question::count_);

//  name            label                        answer to these questions
#define STEER_PROBE_ANSWERS(X)                                                   \
    X(unknown, "unknown")                 /* not asked, or no clear answer */    \
    X(refused, "refused")                 /* a trap; `text` is its message */    \
    X(accepted, "accepted")               /* no trap, or one of another kind */  \
    X(makes_timed, "makes it timed")      /* static_timeout */                   \
    X(stays_static, "stays without")      /* static_timeout */                   \
    X(all_or_nothing, "all or nothing")   /* set_missing, remove_missing */      \
    X(until_missing, "up to the missing") /* set_missing, remove_missing */      \
    X(all_others, "all but the missing")  /* set_missing, remove_missing */      \
    X(no_timeout, "no timeout")           /* zero_timeout: it is there always */ \
    X(ends_at_once, "ends at once")       /* zero_timeout */                     \
    X(timed, "timed")                     /* zero_timeout */                     \
    X(reported, "reported")               /* listen_expiry */                    \
    X(not_reported, "not reported")       /* listen_expiry */
enum class Answer : std::uint8_t {
#define STEER_PROBE_ANSWER_ENUM(name, label) name,
    STEER_PROBE_ANSWERS(STEER_PROBE_ANSWER_ENUM)
#undef STEER_PROBE_ANSWER_ENUM
        count_
};
inline constexpr std::size_t kAnswers = static_cast<std::size_t>(Answer::count_);

std::string_view label(Question question);
std::string_view text_of(Question question);
std::string_view label(Answer answer);

struct Finding {
    Answer answer = Answer::unknown;
    std::string text{};
    bool operator==(const Finding&) const = default;
};

class Findings {
  public:
    [[nodiscard]] const Finding& operator[](Question question) const {
        return all_[static_cast<std::size_t>(question)];
    }
    Finding& operator[](Question question) { return all_[static_cast<std::size_t>(question)]; }
    bool operator==(const Findings&) const = default;

  private:
    std::array<Finding, kQuestions> all_;
};

}  // namespace steer::routeros
